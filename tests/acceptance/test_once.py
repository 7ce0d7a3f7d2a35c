"""``qbwatch once`` and ``qbwatch plan``: one run by itself or through the daemon, and what it would be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from installation import COMMAND, Installation
from small_exports import customers, invoices, items
from tiny_project import write_tiny_project
from waiting import wait_until

INVOICE = "Invoice_04_01_2025_2_00_00.csv"
CUSTOMER = "Customer_04_01_2025_1_00_00.csv"


def put(installation: Installation, **contents: bytes) -> None:
    """Write files into the watched folder; names come without ``.csv``."""
    for name, content in contents.items():
        (installation.input / f"{name}.csv").write_bytes(content)


def once(installation: Installation, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and answer of ``once``; nothing else may be on stdout."""
    done = installation.run("once", "--json", *arguments)
    return done.returncode, json.loads(done.stdout)


def everything(installation: Installation) -> dict[str, Any]:
    """All rows that the database holds, by table, and every file of the state folder with its size."""
    found: dict[str, Any] = {}
    with psycopg.connect(installation.url) as connection:
        query = """SELECT table_schema, table_name FROM information_schema.tables
                   WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'"""
        for schema, table in connection.execute(query).fetchall():
            rows = connection.execute(f'SELECT t::text, xmin::text FROM "{schema}"."{table}" AS t ORDER BY 1')  # type: ignore[call-overload]
            found[f"{schema}.{table}"] = rows.fetchall()
    for path in sorted((installation.root / "state").rglob("*")):
        found[str(path)] = path.stat().st_size if path.is_file() else None
    return found


def test_by_itself_success_then_nothing_to_do(install: Callable[..., Installation]) -> None:
    installation = install()
    put(installation, Invoice_04_01_2025_2_00_00=invoices(a=["10.00", "5.00"]))

    code, said = once(installation)

    assert code == 0
    run = said["run"]
    assert (said["version"], run["mode"], run["status"], run["loaded"], run["set_aside"]) == (
        1,
        "seed",
        "success",
        1,
        0,
    )
    assert (run["rows"]["read"], run["rows"]["inserted"], run["error"]) == (2, 2, None)
    assert installation.query("SELECT count(*) FROM analytics_mart.fct_order_line_items") == [(2,)]
    assert once(installation) == (0, {"version": 1, "run": None, "files": []})
    assert "All is current" in installation.run("once").stdout


def test_exit_codes_tell_partial_failure_from_error(install: Callable[..., Installation]) -> None:
    installation = install()
    put(installation, Customer_04_01_2025_1_00_00=customers(c="Acme"), notes=b"a,b\r\n1,2\r\n")

    partial, said = once(installation)

    assert (partial, said["run"]["status"], said["run"]["loaded"], said["run"]["set_aside"]) == (
        3,
        "partial_failure",
        1,
        1,
    )
    assert said["run"]["error"].startswith("notes.csv: ")
    put(installation, Item_04_01_2025_1_00_00=items(i="Rope").replace(b"Rope", b'"Ro"pe'))

    code, said = once(installation)

    assert (code, said["run"]["status"]) == (1, "error")
    assert installation.outcomes()["Item_04_01_2025_1_00_00.csv"] == "quarantined"
    text = installation.run("once")
    assert text.returncode == 0, "what was reported once is not a failure of every later run"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--dataset", "nonsense"),
        ("--force-seed", "--force-incremental"),
        ("no such file.csv",),
        ("--nonsense",),
        ("--dry-run", "qbwatch.toml"),
    ],
)
def test_wrong_usage_is_exit_code_2_one_line_and_a_hint(
    install: Callable[..., Installation], arguments: tuple[str, ...]
) -> None:
    done = install().run("once", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    first, hint = done.stderr.splitlines()
    assert first.startswith("qbwatch: ")
    assert hint == "  hint: qbwatch once --help"


def test_a_database_that_is_away_is_exit_code_1_and_a_hint(install: Callable[..., Installation]) -> None:
    done = install(url="postgresql:///nothing?host=/nonexistent").run("once")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("qbwatch: database: ")
    assert "is Postgres running" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_private_postgres_runs_for_as_long_as_the_command_does(install: Callable[..., Installation]) -> None:
    installation = install(url="embedded")
    assert installation.json("plan")["mode"] is None
    assert list((installation.root / "state").iterdir()) == [], "a plan makes no Postgres"
    put(installation, Invoice_04_01_2025_2_00_00=invoices(a=["10.00"]))
    assert installation.json("plan")["mode"] == "seed"

    code, said = once(installation)

    assert (code, said["run"]["status"]) == (0, "success")
    assert not (installation.root / "state" / "postgres" / "data" / "postmaster.pid").exists()
    assert [file["name"] for file in installation.json("files")["files"]] == [INVOICE]
    assert installation.json("why", INVOICE)["versions"][0]["parts"][0]["state"] == "loaded"
    assert installation.json("plan") == {"version": 1, "mode": None, "why": "all is current", "files": [], "owed": []}
    assert not (installation.root / "state" / "postgres" / "data" / "postmaster.pid").exists()
    status = installation.json("status")
    assert (status["answered_by"], status["last_run"]["files"]) == ("cache", 1)


def test_a_command_leaves_the_private_postgres_of_a_daemon_alone(install: Callable[..., Installation]) -> None:
    installation = install(url="embedded")
    installation.start()
    elsewhere = installation.root / "elsewhere.toml"
    text = installation.config.read_text().replace("control.sock", "elsewhere.sock")
    elsewhere.write_text(text)

    done = installation.run("once", "--config", str(elsewhere))
    installation.run("plan", "--config", str(elsewhere))

    assert done.returncode == 1
    assert "another qbwatch works on this database" in done.stderr
    assert installation.json("status")["answered_by"] == "daemon"


def test_through_the_daemon(install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()
    put(installation, Invoice_04_01_2025_2_00_00=invoices(a=["10.00"]), notes=b"a,b\r\n1,2\r\n")

    once(installation)  # the daemon may have been quicker: then there is nothing left to do

    assert installation.outcomes() == {INVOICE: "loaded", "notes.csv": "quarantined"}
    code, said = once(installation, "--force-seed")
    assert (code, said["run"]["mode"], said["run"]["status"]) == (0, "seed", "success")
    assert said["run"]["transform"] in ("built", "warnings")
    assert "a run was asked for" in installation.log
    wrong = installation.run("once", "--dataset", "nonsense")
    assert wrong.returncode == 2


def test_a_file_from_elsewhere_by_itself_and_through_the_daemon(install: Callable[..., Installation]) -> None:
    installation = install()
    elsewhere = installation.root / "downloads"
    elsewhere.mkdir()
    (elsewhere / INVOICE).write_bytes(invoices(a=["10.00"]))
    (elsewhere / CUSTOMER).write_bytes(customers(c="Acme"))
    (elsewhere / "notes.csv").write_bytes(b"a,b\r\n1,2\r\n")
    put(installation, Item_04_01_2025_1_00_00=items(i="Rope"))

    code, said = once(installation, f"downloads/{INVOICE}")

    assert (code, said["run"]["loaded"]) == (0, 1)
    assert [(Path(file["name"]).name, file["state"]) for file in said["files"]] == [(INVOICE, "loaded")]
    assert list(installation.outcomes().values()) == ["loaded"], "the folders aren't looked at"

    code, said = once(installation, f"downloads/{INVOICE}")
    assert (code, said["run"], said["files"][0]["state"]) == (0, None, "loaded")

    code, said = once(installation, "downloads/notes.csv")
    assert (code, said["run"]["status"], said["files"][0]["state"]) == (1, "error", "quarantined")
    code, said = once(installation, "downloads/notes.csv", f"downloads/{CUSTOMER}")
    assert (code, said["run"]["status"]) == (3, "success"), "a named file that still waits for a person is no success"

    (elsewhere / CUSTOMER).write_bytes(customers(c="Acme", d="Brine"))
    installation.start()
    code, said = once(installation, f"downloads/{CUSTOMER}")
    assert (code, said["files"][0]["state"]) == (0, "loaded")
    assert installation.query("SELECT count(*) FROM raw.quickbooks_customers") == [(2,)]


def test_one_dataset_and_forced_modes(install: Callable[..., Installation]) -> None:
    installation = install()
    put(
        installation,
        Invoice_04_01_2025_2_00_00=invoices(a=["10.00"]),
        Customer_04_01_2025_1_00_00=customers(c="Acme"),
    )

    code, said = once(installation, "--dataset", "customers", "--force-incremental")
    assert (code, said["run"]["mode"], said["run"]["loaded"]) == (0, "incremental", 1)
    assert installation.outcomes() == {INVOICE: "pending", CUSTOMER: "loaded"}
    assert once(installation)[1]["run"]["mode"] == "incremental"

    with psycopg.connect(installation.url) as connection:
        connection.execute("DELETE FROM raw.quickbooks_invoices")
    assert once(installation) == (0, {"version": 1, "run": None, "files": []})

    code, said = once(installation, "--force-seed")

    assert (code, said["run"]["mode"], said["run"]["status"]) == (0, "seed", "success")
    assert installation.query("SELECT count(*) FROM raw.quickbooks_invoices") == [(1,)]
    assert installation.query("SELECT count(*) FROM analytics_mart.fct_order_line_items") == [(1,)]


def test_a_plan_writes_nothing_and_is_what_once_then_does(install: Callable[..., Installation]) -> None:
    installation = install()
    put(
        installation,
        Invoice_04_01_2025_2_00_00=invoices(a=["10.00"]),
        Invoice_04_02_2025_2_00_00=invoices(b=["20.00"]),
        Item_04_01_2025_1_00_00=items(i="Rope"),
    )
    assert planned_verdicts(installation) == dict.fromkeys(
        [INVOICE, "Invoice_04_02_2025_2_00_00.csv", "Item_04_01_2025_1_00_00.csv"], "load"
    )
    assert installation.query("SELECT count(*) FROM pg_namespace WHERE nspname IN ('qbwatch', 'raw')") == [(0,)]
    assert once(installation)[0] == 0
    put(installation, Invoice_04_01_2025_2_00_00=invoices(a=["11.00"]))  # a new version,
    once(installation)
    put(installation, Invoice_04_01_2025_2_00_00=invoices(a=["10.00"]))  # taken back
    os.utime(installation.input / "Item_04_01_2025_1_00_00.csv")  # touched
    put(
        installation,
        Customer_04_02_2025_1_00_00=customers(c="Acme"),
        Customer_04_03_2025_1_00_00=customers(c="Acme"),  # a later statement
        notes=b"a,b\r\n1,2\r\n",
        customers=b"Customer Name\r\nAcme\r\n",
        Invoice_13_45_2025=invoices(c=["1.00"]),
    )
    (installation.input / "Invoice_04_02_2025_2_00_00 (1).csv").write_bytes(invoices(b=["20.00"]))
    (installation.input / "~$Invoice.csv").write_bytes(b"x")
    before = everything(installation)

    planned = installation.json("plan")
    by_name = planned_verdicts(installation, "once", "--dry-run")

    assert everything(installation) == before
    assert by_name == {file["name"]: file["verdict"] for file in planned["files"]}
    assert (planned["version"], planned["mode"], planned["owed"]) == (1, "incremental", [])
    assert planned["why"] == "3 files new, 3 files refused"
    code, said = once(installation)
    assert (code, said["run"]["mode"], said["run"]["loaded"], said["run"]["set_aside"]) == (3, "incremental", 3, 3)
    words = {"load": "loaded", "duplicate": "skipped", "quarantine": "quarantined"}
    outcomes = installation.outcomes()
    assert {name: outcomes[name] for name in by_name} == {name: words[each] for name, each in by_name.items()}
    assert set(outcomes) - set(by_name) == {"Invoice_04_02_2025_2_00_00.csv", "Item_04_01_2025_1_00_00.csv"}
    order = [file["name"] for file in planned["files"] if file["verdict"] == "load"]
    assert order == [
        "Customer_04_02_2025_1_00_00.csv",
        "Customer_04_03_2025_1_00_00.csv",
        "Invoice_04_01_2025_2_00_00.csv",
    ]
    assert planned_verdicts(installation) == {}


def planned_verdicts(installation: Installation, *command: str) -> dict[str, str]:
    """What a plan says of each file."""
    return {file["name"]: file["verdict"] for file in installation.json(*(command or ("plan",)))["files"]}


def test_dbt_that_is_owed_is_in_the_plan_and_paid_by_once(install: Callable[..., Installation]) -> None:
    installation = install()
    put(installation, Invoice_04_01_2025_2_00_00=invoices(a=["10.00"]))
    once(installation)
    with psycopg.connect(installation.url) as connection:
        connection.execute(
            """INSERT INTO qbwatch.transform_debt (dataset, owed_since, attempt, reason)
               VALUES ('quickbooks.invoices', now(), 1, 'a model is broken')"""
        )

    planned = installation.json("plan")
    code, said = once(installation)

    assert (planned["mode"], planned["owed"]) == ("repair", ["quickbooks.invoices"])
    assert (code, said["run"]["mode"], said["run"]["status"]) == (0, "repair", "success")
    assert said["run"]["transform"] in ("built", "warnings")
    assert installation.json("status")["transform"]["debt"] == []


def test_a_changed_project_is_owed_once_by_all_that_was_loaded(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    project = write_tiny_project(tmp_path / "tiny")
    installation = install(extra=f'[transform]\nproject = "{project}"\n')
    put(installation, Invoice_04_01_2025_2_00_00=invoices(a=["10.00"]), Customer_04_01_2025_1_00_00=customers(c="Acme"))
    once(installation)
    assert once(installation)[1]["run"] is None
    model = project / "models" / "tiny_lines.sql"
    model.write_text(model.read_text().replace("count(*)", "-count(*)"))

    code, said = once(installation)

    assert (code, said["run"]["mode"], said["run"]["status"]) == (0, "repair", "success")
    assert installation.query("SELECT lines FROM analytics_mart.tiny_lines") == [(-1,)]
    assert once(installation)[1]["run"] is None
    model.write_text("select wrong from {{ source('quickbooks', 'invoices') }}")
    for _ in range(2):  # it isn't owed anew with each start
        assert once(installation)[0] != 0
        assert installation.query("SELECT dataset FROM qbwatch.transform_debt") == [("quickbooks.invoices",)]


def test_a_stop_ends_it_quietly_and_loses_nothing(install: Callable[..., Installation]) -> None:
    installation = install()
    put(installation, Invoice_04_01_2025_2_00_00=invoices(a=["10.00"]))
    once(installation)
    put(installation, Invoice_04_02_2025_2_00_00=invoices(b=["20.00"]))
    with psycopg.connect(installation.url) as person:
        person.execute("LOCK TABLE raw.quickbooks_invoices IN SHARE MODE")
        process = subprocess.Popen(
            [*COMMAND, "once", "--config", str(installation.config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait_until(lambda: installation.query(waiting) == [(1,)], 30, "the load to be held up")
        process.send_signal(signal.SIGTERM)
        person.rollback()
        out, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (1, "")
    assert "cancelled" in out
    assert installation.query("SELECT status FROM qbwatch.runs ORDER BY id DESC LIMIT 1") == [("cancelled",)]
    code, said = once(installation)
    assert (code, said["run"]["status"]) == (0, "success")
    assert installation.query("SELECT sum(product_service_amount)::text FROM raw.quickbooks_invoices") == [("30.00",)]


def test_steps_are_told_to_a_terminal_only(install: Callable[..., Installation]) -> None:
    installation = install()
    put(installation, Customer_04_01_2025_1_00_00=customers(c="Acme"))
    quiet = installation.run("once")
    put(installation, Customer_04_02_2025_1_00_00=customers(c="Brine"))
    verbose = installation.run("once", "--verbose")

    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert "run started" in verbose.stderr
    assert quiet.stdout.startswith("Run 1 (seed): success\n")
