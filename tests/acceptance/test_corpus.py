"""A whole company's exports through the running daemon: every expected figure, whatever the order of arrival."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from corpus_figures import exports, found, wanted
from installation import Installation
from raw_content import raw_content

ORDERS = (
    "by name",
    "backwards",
    "shuffled 1",
    "shuffled 2",
    "shuffled 3",
    "backwards, in waves",
    "shuffled 4, in waves",
)
WAVES = 5  # each loaded and transformed before the next one comes, so that most files of the later ones are late


def in_order(files: list[Path], order: str) -> list[Path]:
    """The files in one of the orders of arrival."""
    if order == "by name":
        return files
    if order.startswith("backwards"):
        return files[::-1]
    return random.Random(order).sample(files, len(files))


def in_waves(files: list[Path], waves: int) -> list[list[Path]]:
    """The files in order, in so many parts of about one size."""
    size = -(-len(files) // waves)
    return [files[start : start + size] for start in range(0, len(files), size)]


@pytest.fixture(scope="module")
def contents() -> dict[str, dict[str, list[str]]]:
    """Raw content by order of arrival, gathered by the tests of this module."""
    return {}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("order", ORDERS)
def test_every_figure_whatever_the_order_of_arrival(
    order: str, corpus: Path, install: Callable[..., Installation], contents: dict[str, dict[str, list[str]]]
) -> None:
    installation = install()
    installation.start()
    files = in_order(exports(corpus), order)

    dropped = 0
    for wave in in_waves(files, WAVES if order.endswith("in waves") else 1):
        installation.drop(wave)
        dropped += len(wave)
        status = installation.wait_settled(dropped, timeout=500)

    expected = wanted(corpus)
    assert found(installation.url, expected) == expected
    assert status["quarantined"] == []
    outcomes = installation.outcomes()
    skipped = [name for name, state in outcomes.items() if state == "skipped"]
    assert len(skipped) == 1
    assert skipped[0].startswith("Invoice_04_07_2025_2_00_03")
    assert [state for state in outcomes.values() if state != "skipped"] == ["loaded"] * 89
    contents[order] = {
        table: [row.replace(" (1).csv", ".csv") for row in rows]  # either of two equal files may have come first
        for table, rows in raw_content(installation.url).items()
    }
    first = next(iter(contents.values()))
    assert contents[order] == first


def test_the_same_files_again_write_no_row(corpus: Path, install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()
    files = exports(corpus)
    installation.drop(files)
    installation.wait_settled(len(files))
    before, versions = physical_rows(installation), installation.query("SELECT count(*) FROM qbwatch.files")

    installation.drop(files)  # the same bytes once more under the same names
    copies = [file for file in files if "(1)" not in file.name]
    for file in copies:
        (installation.input / f"{file.stem} (1).csv").write_bytes(file.read_bytes())
    installation.wait_settled(versions[0][0] + len(copies) - 1)

    assert physical_rows(installation) == before
    outcomes = installation.outcomes()
    for file in copies:
        assert {outcomes[file.name], outcomes[f"{file.stem} (1).csv"]} == {"loaded", "skipped"}
    repeats = installation.query("SELECT DISTINCT repeats FROM qbwatch.files WHERE name NOT LIKE '%(1)%'")
    assert repeats == [(1,)]
    again = installation.run("why", files[-1].name).stdout
    assert "duplicate, the same bytes" in again
    reasons = installation.query("SELECT DISTINCT failure_code FROM qbwatch.work_items WHERE state = 'skipped'")
    assert reasons == [("duplicate",)]


def physical_rows(installation: Installation) -> list[tuple[str, ...]]:
    """Where each raw row lies and which transaction wrote it: equal only when nothing was written."""
    rows = []
    for table in ("customers", "items", "invoices", "sales_receipts"):
        rows += installation.query(f"SELECT ctid::text, xmin::text FROM raw.quickbooks_{table} ORDER BY 1, 2")
    return rows


def test_a_change_that_was_taken_back_is_taken_back(corpus: Path, install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()
    day = corpus / "saasant"
    names = [f"Sales_Receipt_04_17_2025_{time}.csv" for time in ("3_00_02", "11_00_05", "14_00_01")]
    assert (day / names[0]).read_bytes() == (day / names[2]).read_bytes()

    for count, name in enumerate(names, start=1):
        installation.drop([day / name])
        installation.wait_settled(count)

    assert list(installation.outcomes().values()) == ["loaded"] * 3
    query = """SELECT sum(product_service_amount)::text FROM raw.quickbooks_sales_receipts"""
    assert installation.query(query) == [("20671.05",)]
