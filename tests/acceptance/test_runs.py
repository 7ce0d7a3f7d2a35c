"""What a run did, node by node, and whether the data is right now: by the real command, with and without a daemon."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from installation import Installation

from qbwatch.demo.drop import drop
from qbwatch.demo.story import story


def test_a_run_is_told_by_its_nodes_and_the_data_is_tested_on_demand(install: Callable[..., Installation]) -> None:
    installation = install()
    (wave, *_) = story(date(2025, 4, 18)).waves
    drop([file for file in wave.files if file.name.startswith("Customer")][:1], installation.input.parent)
    assert installation.run("once").returncode == 0

    (listed,) = installation.json("runs")["runs"]
    told = installation.json("runs", str(listed["id"]))["run"]

    assert (listed["status"], listed["files"], listed["error"]) == ("success", 1, None)
    assert listed["rows"]["inserted"] > 0
    assert [(load["dataset"], load["state"]) for load in told["loads"]] == [("quickbooks.customers", "loaded")]
    nodes = {node["name"]: node for node in told["nodes"]}
    assert nodes["fct_customers"]["rows"] == listed["rows"]["inserted"]
    assert nodes["unique_fct_customers_customer_key"]["status"] == "pass"
    assert all(node["seconds"] >= 0 and node["message"] is not None for node in nodes.values() if node["rows"])
    shown = installation.run("runs", str(listed["id"])).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "fct_customers" in shown
    assert "1 part:" in shown
    missing = installation.run("runs", "4711")
    assert (missing.returncode, "no run 4711" in missing.stderr) == (1, True)
    assert_tests(installation)


def assert_tests(installation: Installation) -> None:
    """By itself, then through the daemon: right, wrong with the rows that are, and right again."""
    right = installation.run("test", "--select", "fct_customers")
    assert (right.returncode, right.stderr) == (0, "")
    wrong = installation.run("test", "--select", "no_such_model")
    assert wrong.returncode == 2
    assert "no_such_model" in wrong.stdout
    installation.query(
        "INSERT INTO analytics_mart.fct_customers SELECT * FROM analytics_mart.fct_customers LIMIT 1 RETURNING 1"
    )

    failed = installation.run("test", "--select", "fct_customers")

    assert failed.returncode == 1
    assert "unique_fct_customers_customer_key: 1 row" in failed.stdout
    place = "analytics_quality.unique_fct_customers_customer_key"
    assert f"select * from {place}" in failed.stdout
    assert installation.query(f"SELECT n_records FROM {place}") == [(2,)]
    installation.start()
    (problem,) = failures_of_dbt(installation)
    assert problem["class"] == "data"
    assert place in problem["summary"]
    installation.query("DELETE FROM analytics_mart.fct_customers WHERE ctid = (SELECT max(ctid) FROM"
                       " analytics_mart.fct_customers) RETURNING 1")  # fmt: skip
    said = installation.json("test", "--select", "fct_customers")
    assert (said["outcome"], said["owed"]) == ("passed", [])
    assert "unique_fct_customers_customer_key" in [test["name"] for test in said["tests"]]
    assert failures_of_dbt(installation) == []


def failures_of_dbt(installation: Installation) -> list[dict[str, Any]]:
    return [each for each in installation.status()["problems"] if each["code"] == "transform_failed"]
