"""A workbook's sheets go their ways through the ledger: one file, one work item for each sheet."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from small_exports import NEW_YORK, Office
from sqlalchemy import Connection
from workbooks import xlsx

from qbwatch.checking import Checker
from qbwatch.core.arrival import Admission
from qbwatch.core.dates import DateOrder
from qbwatch.core.model import RunStatus
from qbwatch.edges import store
from qbwatch.edges.file_answers import items_named, list_files, versions_of

NAME = "All Lists_04_14_2025_1_00_05.xlsx"
CUSTOMERS = [["QuickBooks Internal Id", "Customer Name"], ["c1", "Acme"], ["c2", "Beta"]]
ITEMS = [["QuickBooks Internal Id", "Item Name", "Item Type"], ["i1", "Rope", "Service"]]
FLEET = [["Vehicle", "Driver", "Mileage"], ["Van", "Joe", 12]]
BROKEN = [["QuickBooks Internal Id", "Item Name"], ["i1", "Rope"]]


def parts(office: Office) -> list[tuple[object, ...]]:
    """File, sheet, dataset and state of every item, in the order in which they came."""
    return office.query(
        """SELECT item.file_id, item.sheet, item.dataset, item.state FROM qbwatch.work_items AS item ORDER BY id"""
    )


def names(office: Office, table: str, column: str) -> list[object]:
    rows = office.query(f"SELECT {column} FROM raw.quickbooks_{table} WHERE _removed_at IS NULL ORDER BY _key")
    return [row[0] for row in rows]


def test_every_sheet_is_loaded_into_its_dataset(office: Office) -> None:
    office.drop(NAME, xlsx(Customer=CUSTOMERS, Item=ITEMS, Payment=[]))

    outcome = office.work()

    assert outcome is not None
    assert (outcome.status, outcome.loaded) == (RunStatus.SUCCESS, 2)
    assert parts(office) == [
        (1, "Customer", "quickbooks.customers", "loaded"),
        (1, "Item", "quickbooks.items", "loaded"),
        (1, "Payment", None, "skipped"),
    ]
    assert names(office, "customers", "customer_name") == ["Acme", "Beta"]
    assert names(office, "items", "item_name") == ["Rope"]


def test_a_question_about_one_sheet_does_not_hold_up_the_others(office: Office) -> None:
    office.drop(NAME, xlsx(Customer=CUSTOMERS, Item=BROKEN, Fleet=FLEET))

    outcome = office.work()

    assert outcome is not None
    assert outcome.status is RunStatus.PARTIAL_FAILURE
    assert [row[1:] for row in parts(office)] == [
        ("Customer", "quickbooks.customers", "loaded"), ("Item", None, "quarantined"), ("Fleet", None, "quarantined")
    ]  # fmt: skip
    with office.engine.connect() as connection, connection.begin():
        (file,) = list_files(connection)
        (version,) = versions_of(connection, NAME)
    assert [(part["sheet"], part["state"]) for part in file["parts"]] == [
        ("Customer", "loaded"), ("Item", "quarantined"), ("Fleet", "quarantined")
    ]  # fmt: skip
    assert "item_type" in version["parts"][1]["reason"]


def test_the_same_bytes_for_the_same_moment_are_one_file_whatever_their_sheets(office: Office) -> None:
    data = xlsx(Customer=CUSTOMERS, Item=ITEMS, Fleet=FLEET)
    office.drop(NAME, data)
    office.drop(NAME.replace(".xlsx", " (1).xlsx"), data)
    office.drop("All Lists_04_15_2025_1_00_05.xlsx", data)

    assert [row[0::3] for row in parts(office)] == [
        (1, "pending"), (1, "pending"), (1, "quarantined"),
        (2, "skipped"), (2, "skipped"), (2, "skipped"),
        (3, "pending"), (3, "pending"), (3, "quarantined"),
    ]  # fmt: skip
    reasons = office.query("SELECT DISTINCT reason FROM qbwatch.work_items WHERE file_id = 2")
    assert reasons == [(f"the same bytes for the same moment as {NAME}",)]


def test_a_new_version_takes_the_place_of_all_sheets(office: Office) -> None:
    office.drop(NAME, xlsx(Customer=CUSTOMERS, Item=ITEMS))
    office.work()
    office.drop(NAME, xlsx(Customer=CUSTOMERS[:2], Item=[ITEMS[0], ["i1", "Cord", "Service"]]))
    office.work()

    assert [row[0::3] for row in parts(office)] == [(1, "skipped"), (1, "skipped"), (2, "loaded"), (2, "loaded")]
    assert names(office, "customers", "customer_name") == ["Acme"]
    assert names(office, "items", "item_name") == ["Cord"]


def test_back_to_the_first_bytes_under_one_name_ends_in_them(office: Office) -> None:
    first = xlsx(Customer=CUSTOMERS, Item=ITEMS)
    for data in (first, xlsx(Customer=CUSTOMERS[:2], Item=ITEMS), first):
        office.drop(NAME, data)
        office.work()

    assert names(office, "customers", "customer_name") == ["Acme", "Beta"]
    assert [row[3] for row in parts(office)] == ["skipped"] * 4 + ["loaded"] * 2


def test_a_retry_is_about_all_parts_of_a_file(office: Office) -> None:
    office.drop(NAME, xlsx(Customer=CUSTOMERS, Item=BROKEN, Fleet=FLEET))
    office.work()

    with office.engine.connect() as connection, connection.begin():
        found = items_named(connection, [NAME])
        assert len(found[NAME]) == 2
        assert _release(connection, found[NAME]) == 2
    office.work()

    assert [row[3] for row in parts(office)] == ["loaded", "quarantined", "quarantined"]


def _release(connection: Connection, items: list[int]) -> int:
    return store.release(connection, items, datetime(2025, 4, 20, tzinfo=UTC))


@pytest.mark.parametrize(("root", "is_full"), [("input", False), ("seed", True)])
def test_a_workbook_is_a_full_export_where_its_folder_says_so(office: Office, root: str, is_full: bool) -> None:
    office.drop("All Lists_04_13_2025_1_00_05.xlsx", xlsx(Customer=CUSTOMERS, Item=ITEMS))
    office.drop(NAME, xlsx(Customer=CUSTOMERS[:2], Item=ITEMS), root)
    office.work()

    assert names(office, "customers", "customer_name") == (["Acme"] if is_full else ["Acme", "Beta"])


def test_a_workbook_that_is_still_arriving_is_waited_for(office: Office) -> None:
    data = xlsx(Customer=CUSTOMERS)
    assert office.drop(NAME, data[:-30]) is Admission.DOUBTED
    assert office.drop(NAME, data[:-30], patience_over=True) is Admission.ADMITTED
    assert office.query("SELECT state, failure_code FROM qbwatch.work_items") == [("quarantined", "damaged_workbook")]
    assert office.drop(NAME, data) is Admission.ADMITTED
    assert [row[3] for row in parts(office)] == ["skipped", "pending"]


def test_a_check_tells_of_each_sheet(office: Office, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(xlsx(Tips=[["Tips"]], Customer=CUSTOMERS, Item=BROKEN))

    said = Checker(NEW_YORK, DateOrder.MDY, (), office.engine).check(path)

    told = [(part["sheet"], part["dataset"], part["verdict"], part["format"]) for part in said["parts"]]
    assert told == [
        ("Tips", None, "ignore", "xlsx"),
        ("Customer", "quickbooks.customers", "load", "xlsx"),
        ("Item", None, "quarantine", "xlsx"),
    ]
    assert said["parts"][1]["rows"]["inserted"] == 2
    office.drop(NAME, path.read_bytes())
    office.work()
    again = Checker(NEW_YORK, DateOrder.MDY, (), office.engine).check(path)
    assert [part["verdict"] for part in again["parts"]] == ["ignore", "duplicate", "quarantine"]


def test_a_whole_companys_workbooks_fill_the_tables(corpus: Path, office: Office) -> None:
    for path in sorted((corpus / "saasant").glob("All *.xlsx")):
        office.drop(path.name, path.read_bytes(), "seed")

    outcome = office.work()

    assert outcome is not None
    read = dict(office.query("SELECT sheet, rows_read FROM qbwatch.work_items WHERE state = 'loaded'"))
    assert {"Customer": 413, "Item": 206, "Invoice": 1772, "Sales Receipt": 926}.items() <= read.items()
    rejected = office.query("SELECT sum(rows_rejected) FROM qbwatch.work_items")
    assert rejected == [(0,)]
    sums = [
        office.query(f"SELECT count(DISTINCT _key), sum(product_service_amount)::text FROM raw.quickbooks_{table}")
        for table in ("invoices", "sales_receipts")
    ]
    assert sums == [[(372, "556124.41")], [(280, "189863.93")]]
    states = dict(office.query("SELECT sheet, state FROM qbwatch.work_items"))
    assert states["Payment"] == "skipped"
