"""Killed in the middle of a load and of dbt, half-written and damaged files: nothing is lost, nothing doubled."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from corpus_figures import exports, found, wanted
from installation import Installation
from raw_content import raw_content
from waiting import wait_until


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    """Raw content of the corpus after a load that nothing disturbed; filled by the first test that needs it."""
    return {}


def load_undisturbed(corpus: Path, url: str, install: Callable[..., Installation]) -> dict[str, list[str]]:
    """The whole corpus in one undisturbed go."""
    installation = install(url=url)
    installation.drop(exports(corpus))
    done = installation.run("once", "--json", timeout=300)
    assert done.returncode == 0, done.stderr
    return raw_content(url)


@pytest.mark.timeout(600)
def test_killed_while_loading_and_while_dbt_runs(
    corpus: Path, install: Callable[..., Installation], second_database_url: str
) -> None:
    expected_content = load_undisturbed(corpus, second_database_url, install)
    files = exports(corpus)
    installation = install()
    installation.drop(files)

    installation.start()
    held = hold_table(installation.url, "raw.quickbooks_invoices")
    try:
        wait_until(lambda: is_loading(installation, "quickbooks.invoices"), 60, "the load of invoices to be held up")
        installation.kill()
    finally:
        held.close()
    assert "loading" in installation.outcomes().values()

    installation.start()
    wait_until(lambda: dbt_pids(installation.root), 120, "dbt to run")
    owed = installation.query("SELECT count(*) FROM qbwatch.transform_debt")[0][0]
    assert owed > 0
    before = dbt_pids(installation.root)
    installation.kill()
    wait_until(lambda: not alive(before), 10, "dbt to die with the daemon")
    assert installation.query("SELECT count(*) FROM qbwatch.transform_debt")[0][0] == owed

    installation.start()
    status = installation.wait_settled(len(files))

    expected = wanted(corpus)
    assert found(installation.url, expected) == expected
    content = raw_content(installation.url)
    for table, rows in expected_content.items():
        assert [row.replace(" (1).csv", ".csv") for row in content[table]] == [
            row.replace(" (1).csv", ".csv") for row in rows
        ]
    assert status["quarantined"] == []
    assert status["transform"]["debt"] == []
    crashed = installation.query("SELECT count(*) FROM qbwatch.work_items WHERE crashes > 0")
    assert crashed == [(1,)]


def hold_table(url: str, table: str) -> psycopg.Connection[Any]:
    """A person's session that holds a table back from being written, until it is closed."""
    connection = psycopg.connect(url)
    connection.execute(f"LOCK TABLE {table} IN SHARE MODE")  # type: ignore[call-overload]
    return connection


def is_loading(installation: Installation, dataset: str) -> bool:
    """Whether an item of the dataset is being loaded and waits for a lock."""
    waiting = installation.query("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")[0][0]
    query = f"SELECT count(*) FROM qbwatch.work_items WHERE state = 'loading' AND dataset = '{dataset}'"
    return bool(waiting and installation.query(query)[0][0])


def dbt_pids(root: Path) -> list[int]:
    """Processes of dbt that work for the installation below ``root``."""
    found_pids = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                name = (entry / "comm").read_text().strip()
                where = os.readlink(entry / "cwd")
            except OSError:
                continue
            if name == "dbt-build" and where.startswith(str(root / "state")):
                found_pids.append(int(entry.name))
    return found_pids


def alive(pids: list[int]) -> bool:
    """Whether any of these processes still runs (a zombie doesn't)."""
    for pid in pids:
        try:
            if "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text():
                return True
        except OSError:
            continue
    return False


def test_a_file_that_is_still_being_written_is_not_loaded(corpus: Path, install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()
    source = corpus / "saasant" / "Invoice_04_04_2025_2_00_03.csv"
    content = source.read_bytes()
    target = installation.input / source.name

    with target.open("wb", buffering=0) as growing:
        growing.write(content[: len(content) // 2])  # and its writer pauses for longer than the settle time
        other = corpus / "saasant" / "Customer_04_04_2025_1_00_02.csv"
        installation.drop([other])
        wait_until(lambda: installation.outcomes().get(other.name) == "loaded", 60, "the other file to be loaded")
        assert source.name not in installation.outcomes()
        status = installation.json("status")
        assert [file["name"] for file in status["pending"]["files"] if file["state"] == "settling"] == [source.name]
        growing.write(content[len(content) // 2 :])
    installation.wait_settled(2)

    assert installation.outcomes()[source.name] == "loaded"
    assert installation.query("SELECT count(*), sum(product_service_amount)::text FROM raw.quickbooks_invoices") == [
        (124, "53439.47")
    ]


def test_a_damaged_file_is_set_aside_and_the_others_load(corpus: Path, install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()
    day = corpus / "saasant"
    whole = (day / "Invoice_04_04_2025_2_00_03.csv").read_bytes()
    lines = whole.split(b"\r\n")
    lines[9] = lines[9].replace(b",", b',"', 1)
    (installation.input / "Invoice_04_04_2025_2_00_03.csv").write_bytes(b"\r\n".join(lines))
    (installation.input / "Invoice_04_07_2025_2_00_03.csv").write_bytes(whole.replace(b"04-03-2025", b"31-03-2025"))
    (installation.input / "notes.csv").write_bytes(b"a,b\r\n1,2\r\n")
    installation.drop([day / "Customer_04_04_2025_1_00_02.csv", day / "Sales_Receipt_04_04_2025_3_00_02.csv"])

    status = installation.wait_settled(5)

    assert installation.outcomes() == {
        "Customer_04_04_2025_1_00_02.csv": "loaded",
        "Sales_Receipt_04_04_2025_3_00_02.csv": "loaded",
        "Invoice_04_04_2025_2_00_03.csv": "quarantined",
        "Invoice_04_07_2025_2_00_03.csv": "quarantined",
        "notes.csv": "quarantined",
    }
    assert installation.query("SELECT count(*) FROM raw.quickbooks_invoices") == [(0,)]
    told = {entry["name"]: entry for entry in status["quarantined"]}
    assert "line 10" in told["Invoice_04_04_2025_2_00_03.csv"]["reason"]
    assert "31-03-2025" in told["Invoice_04_07_2025_2_00_03.csv"]["reason"]
    assert all(entry["hint"] for entry in told.values())
    assert status["health"] == "error"
    assert {problem["code"] for problem in status["problems"]} >= {"quarantined_file"}
    why = installation.json("why", "Invoice_04_04_2025_2_00_03.csv")
    assert why["versions"][0]["parts"][0]["state"] == "quarantined"

    (installation.input / "Invoice_04_04_2025_2_00_03.csv").write_bytes(whole)  # mended under the same name
    installation.wait_settled(6)

    assert installation.outcomes()["Invoice_04_04_2025_2_00_03.csv"] == "loaded"
    assert installation.query("SELECT sum(product_service_amount)::text FROM raw.quickbooks_invoices") == [
        ("53439.47",)
    ]


def test_retry_loads_what_a_person_released(corpus: Path, install: Callable[..., Installation]) -> None:
    installation = install()
    source = corpus / "saasant" / "Invoice_04_04_2025_2_00_03.csv"
    shutil.copyfile(source, installation.input / source.name)
    assert installation.run("once").returncode == 0
    with psycopg.connect(installation.url) as connection:
        connection.execute("UPDATE qbwatch.work_items SET state = 'quarantined', reason = 'held', hint = 'retry it'")
    assert installation.json("status")["health"] == "error"
    installation.start()

    done = installation.json("retry", source.name)

    assert done["released"] == 1
    wait_until(lambda: installation.outcomes()[source.name] == "loaded", 30, "the released file to be loaded")
    assert installation.run("retry", "no such file.csv").returncode == 1
