"""Taking over from an old pipeline never costs a row: what is passed over, a full export that counts states anew."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from raw_content import raw_content
from small_exports import NEW_YORK, NOON, Office, customers, invoices

from qbwatch.adopting import DOCUMENTS, OldState, known_of, names_of, told
from qbwatch.core.adoption import decide
from qbwatch.core.model import QbwatchError
from qbwatch.edges import adoptions, decisions
from qbwatch.edges.mart_tables import marts_to_replace
from qbwatch.edges.recovery import needed_content
from qbwatch.edges.shipped import shipped

FIRST, SECOND = "Invoice_04_01_2025_2_00_00.csv", "Invoice_04_02_2025_2_00_00.csv"
FULL, AFTER = "01_BACKUP_Invoice_04_03_2025.csv", "Invoice_04_04_2025_2_00_00.csv"
LIST = "Customer_04_01_2025_1_00_00.csv"
EVERYTHING = {FIRST, SECOND, FULL, AFTER, LIST}
LINES = "SELECT _key, product_service_amount::text FROM raw.quickbooks_invoices ORDER BY _key, _line"


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Office:
    """All files are in the ledger and wait."""
    made = Office(tmp_path, database_url)
    made.drop(FIRST, invoices(a=["1.00", "1.00"], gone=["5.00"]))
    made.drop(SECOND, invoices(a=["2.00"], b=["3.00"]))
    made.drop(FULL, invoices(a=["2.00"], b=["4.00", "4.00"]), root="seed")
    made.drop(AFTER, invoices(c=["6.00"]))
    made.drop(LIST, customers(k="Acme"))
    return made


def adopt(office: Office, names: set[str] = EVERYTHING) -> Any:
    with office.engine.begin() as connection:
        known = known_of(connection, names, ["a list"])
        decided = decide(known.items, names, DOCUMENTS)
        adoptions.mark_adopted(connection, [each.item.id for each in decided if each.covered_by], office.at)
        return told(known, decided, NEW_YORK)


def state_of(office: Office, name: str) -> tuple[object, ...]:
    query = """SELECT item.state, item.failure_code FROM qbwatch.work_items AS item
               JOIN qbwatch.files AS file ON file.id = item.file_id WHERE file.name = '{}'"""
    return office.query(query.format(name))[0]


def test_what_a_newer_full_export_states_is_passed_over_and_the_tables_lack_nothing(
    office: Office, tmp_path: Path, other_database_url: str
) -> None:
    said = adopt(office)

    assert [(each["name"], each["covered_by"]) for each in said["adopted"]] == [(FIRST, FULL), (SECOND, FULL)]
    assert {each["name"]: each["reason"] for each in said["loaded_anyway"]} == {
        FULL: "it is the newest full export: the tables begin with it",
        AFTER: "no newer full export states what it says",
        LIST: "its kind is folded as a whole: older files count beside newer ones",
    }
    office.work()
    assert state_of(office, FIRST) == ("skipped", "adopted")

    whole = Office(tmp_path / "whole", other_database_url)
    for name in (FIRST, SECOND, AFTER, LIST):
        whole.drop(name, (office.root / "input" / name).read_bytes())
    whole.drop(FULL, (office.root / "seed" / FULL).read_bytes(), root="seed")
    whole.work()
    assert office.query(LINES) == whole.query(LINES)
    assert office.query(LINES) == [("a", "2.00"), ("b", "4.00"), ("b", "4.00"), ("c", "6.00")]


def test_a_file_that_the_old_pipeline_does_not_name_is_loaded(office: Office) -> None:
    said = adopt(office, {SECOND, FULL})

    assert [each["name"] for each in said["adopted"]] == [SECOND]
    office.work()
    assert state_of(office, FIRST) == ("loaded", None)


def test_without_a_full_export_nothing_is_passed_over(tmp_path: Path, database_url: str) -> None:
    office = Office(tmp_path, database_url)
    office.drop(FIRST, invoices(a=["1.00"]))
    office.drop(SECOND, invoices(b=["1.00"]))

    assert adopt(office)["adopted"] == []


def test_once_the_full_export_is_reverted_what_it_covered_is_loaded_after_all(office: Office) -> None:
    adopt(office)
    office.work()

    with office.engine.begin() as connection:
        ids = connection.exec_driver_sql(
            "SELECT item.id FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id "
            f"WHERE file.name = '{FULL}'"
        ).scalars()
        decisions.take_back(connection, list(ids), office.at)
    office.work()

    assert (state_of(office, FIRST), state_of(office, SECOND)) == (("loaded", None), ("loaded", None))
    assert office.query(LINES) == [("a", "2.00"), ("b", "3.00"), ("c", "6.00"), ("gone", "5.00")]


def test_a_full_export_that_is_refused_covers_nothing(tmp_path: Path, database_url: str) -> None:
    office = Office(tmp_path, database_url)
    office.drop(FIRST, invoices(a=["1.00"]))
    office.drop(FULL, invoices(a=["no money"]), root="seed")
    assert len(adopt(office)["adopted"]) == 1

    office.work()
    assert state_of(office, FULL)[0] == "quarantined"
    office.work()

    assert state_of(office, FIRST) == ("loaded", None)


def test_a_full_export_with_a_rejected_row_covers_nothing(tmp_path: Path, database_url: str) -> None:
    office = Office(tmp_path, database_url)
    office.drop(FIRST, invoices(a=["1.00"], bad=["7.00"]))
    many = {f"k{number}": ["1.00"] for number in range(30)}
    office.drop(FULL, invoices(**many, a=["1.00"], bad=["no money"]), root="seed")
    adopt(office)

    office.work()
    assert state_of(office, FULL)[0] == "loaded"
    office.work()

    assert state_of(office, FIRST) == ("loaded", None)
    assert ("bad", "7.00") in office.query(LINES)


def test_a_person_may_take_one_up_after_all_and_the_next_plan_leaves_it_so(office: Office) -> None:
    adopt(office)
    office.work()
    with office.engine.begin() as connection:
        (first,) = [each.id for each in adoptions_of(connection) if each.name == FIRST]
        assert decisions.release(connection, [first], office.at) == 1

    office.work()

    assert (state_of(office, FIRST), state_of(office, SECOND)) == (("loaded", None), ("skipped", "adopted"))


def test_the_same_bytes_under_another_name_stay_passed_over(office: Office) -> None:
    adopt(office)

    office.drop(FIRST.replace(".csv", " (1).csv"), (office.root / "input" / FIRST).read_bytes())

    reason = office.query("SELECT reason FROM qbwatch.work_items ORDER BY id DESC LIMIT 1")[0][0]
    assert reason == f"the same bytes for the same moment as {FIRST}, which was adopted as loaded by the old pipeline"


def test_the_vault_keeps_what_may_have_to_be_loaded_after_all(office: Office) -> None:
    adopt(office)

    with office.engine.connect() as connection:
        needed = needed_content(connection, NOON + timedelta(days=400))
        hashes = {each.content_hash for each in adoptions_of(connection)}

    assert len(hashes) == 2
    assert hashes <= needed


def test_what_is_gone_is_told_with_what_covers_it(office: Office) -> None:
    gone = {"Invoice_03_01_2025_2_00_00.csv", "Invoice_05_01_2025_2_00_00.csv", "Sales_Receipt_03_01_2025_2_00_00.csv"}

    said = adopt(office, gone | {"odd.csv"})

    assert {each["name"]: (each["dataset"], each["covered_by"]) for each in said["gone"]} == {
        "Invoice_03_01_2025_2_00_00.csv": ("quickbooks.invoices", FULL),
        "Invoice_05_01_2025_2_00_00.csv": ("quickbooks.invoices", None),
        "Sales_Receipt_03_01_2025_2_00_00.csv": ("quickbooks.sales_receipts", None),
        "odd.csv": (None, None),
    }


def test_adopting_twice_changes_nothing_more(office: Office) -> None:
    adopt(office)
    office.work()
    before = raw_content(office.url)

    again = adopt(office)

    assert (again["adopted"], again["loaded_anyway"]) == ([], [])
    assert (again["loaded_already"], again["left_as_they_are"]) == (3, 2)
    assert office.work() is None
    assert raw_content(office.url) == before


def test_names_come_from_the_old_pipeline_s_tables(office: Office) -> None:
    office.execute(
        """CREATE SCHEMA old_raw;
           CREATE TABLE old_raw.processed_files (source_name text, filename text, row_count int);
           INSERT INTO old_raw.processed_files VALUES ('quickbooks', 'Invoice_04_01_2025_2_00_00.csv', 3);
           CREATE TABLE old_raw.pipeline_metadata (source text, last_file text, files_processed jsonb);
           INSERT INTO old_raw.pipeline_metadata
           VALUES ('quickbooks', 'b.csv', '["a.csv", {"filename": "/dropbox/b.csv"}]');
           CREATE TABLE old_raw.runs (files_processed text);
           INSERT INTO old_raw.runs VALUES ('{c.csv,d.csv}');
           CREATE TABLE old_raw.invoices (customer text, amount numeric)"""
    )
    with office.engine.connect() as connection:
        names, found_in = names_of(connection, OldState(place="old_raw"))
        assert names == {FIRST, "a.csv", "b.csv", "c.csv", "d.csv"}
        assert "old_raw.processed_files.filename" in found_in
        assert names_of(connection, OldState(place="old_raw/processed_files"))[0] == {FIRST}
        with pytest.raises(QbwatchError, match=r"old_raw\.invoices names no export"):
            names_of(connection, OldState(place="old_raw.invoices"))
        with pytest.raises(QbwatchError, match=r"there is no table old_raw\.nothing"):
            names_of(connection, OldState(place="old_raw.nothing"))
        with pytest.raises(QbwatchError, match="there is no schema nowhere"):
            names_of(connection, OldState(place="nowhere"))


@pytest.mark.parametrize(
    ("content", "message"), [(b"{", "is no JSON"), (b"[1]", "names no export"), (b"\xff", "is no JSON")]
)
def test_a_file_that_is_no_state_is_said(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "state.json").write_bytes(content)

    with pytest.raises(QbwatchError, match=message):
        names_of(None, OldState(tmp_path / "state.json"))


def test_the_marts_that_a_first_build_would_replace_are_named(office: Office) -> None:
    office.execute("CREATE SCHEMA analytics_mart; CREATE TABLE analytics_mart.fct_orders (n int)")
    office.execute("CREATE TABLE analytics_mart.dim_company_health (n int)")

    with office.engine.connect() as connection:
        assert marts_to_replace(connection, "analytics", shipped("dbt")) == ["analytics_mart.fct_orders"]
        assert marts_to_replace(connection, "shadow", shipped("dbt")) == []


def adoptions_of(connection: Any) -> Any:
    from qbwatch.edges.store import items_where

    return items_where(connection, "item.failure_code = 'adopted'")
