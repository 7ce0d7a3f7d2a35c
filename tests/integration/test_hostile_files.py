"""What somebody may write who can write into the input folder, all the way into the tables: it stays data."""

from __future__ import annotations

import csv
import io
import os
import stat
from pathlib import Path

import pytest
from small_exports import Office

from qbwatch.core.model import RunStatus
from qbwatch.edges.folder import Passed, open_regular, scan

NAME = "Customer_04_14_2025_1_00_05.csv"
LONG = "x" * 70  # Postgres cuts an identifier at 63 bytes, where the next two would be one
HEADERS = [
    "QuickBooks Internal Id",
    "Customer Name",
    'note"); DROP SCHEMA raw CASCADE; --',
    "'; DELETE FROM raw.quickbooks_customers; --",
    "100 %s %(name)s {0} $1 :name",
    f"{LONG} one",
    f"{LONG} two",
    "_file_id",
    "_removed_at",
    "=HYPERLINK(1)",
    "\x1b[31mred",
]
CELLS = [
    "Robert'); DROP TABLE raw.quickbooks_customers; --",
    '=cmd|"/C calc"!A0',
    "{{ env_var('HOME') }} {% set x = 1 %}",
    "%s %(x)s :x $1 \\. \\N",
    "<script>alert(1)</script>",
    "[red]bold[/red] \x1b[2J",
    "NULL",
]


def table(header: list[str], *rows: list[str]) -> bytes:
    """A CSV as an exporter quotes it."""
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


def test_headers_and_cells_are_data_whatever_they_say(office: Office) -> None:
    others = [f"value {place}" for place in range(len(HEADERS) - 2)]
    office.drop(NAME, table(HEADERS, *([f"c{place}", cell, *others] for place, cell in enumerate(CELLS))))

    outcome = office.work()

    assert outcome is not None
    assert outcome.status is RunStatus.SUCCESS, office.query("SELECT reason FROM qbwatch.work_items")
    rows = office.query("SELECT customer_name, _extra, _removed_at FROM raw.quickbooks_customers ORDER BY _key")
    assert [row[0] for row in rows] == CELLS
    for _, extra, removed in rows:
        assert sorted(extra.values()) == sorted(others), "a column took another's place"
        assert removed is None
    columns = office.query(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'quickbooks_customers'"
    )
    assert not [name for (name,) in columns if "drop" in name or name.startswith("xxx")]


@pytest.mark.parametrize(
    "name",
    [
        b"Customer'; DROP SCHEMA qbwatch CASCADE; --_04_14_2025.csv",
        b"Customer_%s_%(x)s_{0}_04_14_2025.csv",
        b"Customer_\xff\xfe_04_14_2025.csv",
        b"Customer_\x1b[2J\nforged line_04_14_2025.csv",
        b"-rf --Customer_04_14_2025.csv",
        b"$(touch pwned)`id`_04_14_2025.csv",
    ],
)
def test_a_name_is_a_name_whatever_it_says(office: Office, name: bytes) -> None:
    office.drop(name, table(["QuickBooks Internal Id", "Customer Name"], ["c1", "Acme"]))

    outcome = office.work()

    assert outcome is not None
    assert outcome.status is RunStatus.SUCCESS
    assert office.query("SELECT customer_name FROM raw.quickbooks_customers") == [("Acme",)]
    assert office.query("SELECT count(*) FROM qbwatch.files") == [(1,)]


def test_a_device_is_passed_by_and_never_opened(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a device")
    try:
        os.mknod(tmp_path / "zero.csv", 0o644 | stat.S_IFCHR, os.makedev(1, 5))
        os.mknod(tmp_path / "disk.csv", 0o644 | stat.S_IFBLK, os.makedev(7, 0))
    except PermissionError:
        pytest.skip("no device can be made here")

    assert {found.path for found in scan(tmp_path) if isinstance(found, Passed)} == {b"zero.csv", b"disk.csv"}
    for name in (b"zero.csv", b"disk.csv"):
        with pytest.raises(OSError, match="regular"):
            open_regular(name, tmp_path)


def test_of_two_headers_for_one_column_no_value_is_dropped(office: Office) -> None:
    office.drop(NAME, table(["QuickBooks Internal Id", "Customer Name", "customer  name"], ["c1", "A", "B"]))

    office.work()

    ((name, extra),) = office.query("SELECT customer_name, _extra FROM raw.quickbooks_customers")
    assert (name, list(extra.values())) == ("A", ["B"])
