"""A column that has another header now: what a person said of one file holds for later ones, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_exports import NEW_YORK, Office, invoices
from small_reports import sale, sales_report, section, total
from sqlalchemy import Connection

from qbwatch.checking import Checker
from qbwatch.core.dates import DateOrder
from qbwatch.core.model import QbwatchError
from qbwatch.datasets import dataset_named
from qbwatch.edges.file_search import choose
from qbwatch.folding import fold_anew
from qbwatch.mapping import map_columns
from qbwatch.rebuilding import verify
from qbwatch.reverting import revert

FIRST, SECOND, THIRD = (f"Invoice_04_0{day}_2025_2_00_00.csv" for day in (1, 2, 3))
NUMBER = {"invoice_no": "Document Ref"}


def renamed(content: bytes) -> bytes:
    return content.replace(b"Invoice No,", b"Document Ref,")


def mapped(office: Office, name: str, mapping: dict[str, str]) -> list[str]:
    with office.engine.begin() as connection:
        return map_columns(connection, office.pipeline.loader, ids(connection, name), mapping, office.at)


def ids(connection: Connection, name: str) -> list[int]:
    return [each.item_id for each in choose(connection, name, lambda _: True, "nothing")]


def numbers(office: Office) -> list[tuple[object, ...]]:
    return office.query("SELECT _key, invoice_no FROM raw.quickbooks_invoices ORDER BY 1")


def test_a_renamed_column_is_read_for_this_file_and_every_later_one(office: Office) -> None:
    office.drop(FIRST, renamed(invoices(a=["1.00"])))
    assert office.states() == [(FIRST, "quarantined")]

    assert mapped(office, FIRST, NUMBER) == [FIRST]
    office.work()
    office.drop(SECOND, renamed(invoices(b=["2.00"])))
    office.drop(THIRD, invoices(c=["3.00"]))
    office.work()

    assert numbers(office) == [("a", "N-a"), ("b", "N-b"), ("c", "N-c")]
    kept = office.query("SELECT answers->'renamed', answers ? 'mapped_at' FROM qbwatch.work_items ORDER BY id")
    assert kept == [({"invoice_no": "Document Ref"}, True), ({"invoice_no": "Document Ref"}, False), (None, False)]


def test_files_that_wait_for_the_same_reason_are_read_too_and_others_stay(office: Office) -> None:
    office.drop(FIRST, renamed(invoices(a=["1.00"])))
    office.drop(SECOND, renamed(invoices(b=["2.00"])))
    office.drop(THIRD, invoices(c=["3.00"]).replace(b"Invoice No,", b"Reference,"))
    assert sorted(mapped(office, SECOND, NUMBER)) == [FIRST, SECOND]
    office.work()
    assert [state for _, state in office.states()] == ["loaded", "loaded", "quarantined"]


def test_a_rebuild_needs_only_the_answers(office: Office) -> None:
    office.drop(FIRST, renamed(invoices(a=["1.00"])))
    mapped(office, FIRST, NUMBER)
    office.work()
    office.drop(SECOND, renamed(invoices(b=["2.00"])))
    office.work()
    office.execute("DELETE FROM raw.quickbooks_invoices")
    dataset, loader = dataset_named("invoices"), office.pipeline.loader
    with office.engine.connect() as connection:
        assert verify(connection, loader, dataset, office.at)["rows_differing"] == 2
        with connection.begin():
            fold_anew(connection, loader, dataset, office.at)
        assert verify(connection, loader, dataset, office.at)["equal"] is True
    assert numbers(office) == [("a", "N-a"), ("b", "N-b")]


def test_to_revert_the_file_takes_its_mapping_back(office: Office) -> None:
    office.drop(FIRST, renamed(invoices(a=["1.00"])))
    mapped(office, FIRST, NUMBER)
    office.work()
    with office.engine.connect() as connection:
        revert(connection, office.pipeline.loader, FIRST, office.at)
    office.drop(SECOND, renamed(invoices(b=["2.00"])))
    assert office.states()[-1] == (SECOND, "quarantined")


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ({"invoice_no": "Nonsense"}, "has no column 'Nonsense'|can't be read either"),
        ({"customer": "Document Ref"}, "can't be read either: .* without: invoice_no"),
        ({"invoice_no": "Document Ref", "nonsense": "Product/Service"}, "quickbooks.invoices has no column nonsense$"),
    ],
)
def test_a_wrong_mapping_is_refused_with_a_hint(office: Office, mapping: dict[str, str], reason: str) -> None:
    office.drop(FIRST, renamed(invoices(a=["1.00"])))
    with pytest.raises(QbwatchError, match=reason) as caught:
        mapped(office, FIRST, mapping)
    assert caught.value.hint
    assert office.query("SELECT answers, state FROM qbwatch.work_items") == [({}, "quarantined")]


def test_a_column_that_no_dataset_has_is_no_mapping(office: Office) -> None:
    content = invoices(a=["1.00"]).replace(b"Customer,", b"Customer,Colour,", 1).replace(b"Acme,", b"Acme,red,")
    office.drop(FIRST, content)
    with pytest.raises(QbwatchError, match="has no column hue"):
        mapped(office, FIRST, {"hue": "Colour"})
    with pytest.raises(QbwatchError, match="has a column 'customer' of its own"):
        mapped(office, FIRST, {"customer": "Colour"})


def test_a_mapping_of_one_dataset_says_nothing_of_another(office: Office) -> None:
    office.drop(FIRST, renamed(invoices(a=["1.00"])))
    mapped(office, FIRST, NUMBER)
    office.drop("Customer_04_01_2025_2_00_00.csv", b"QuickBooks Internal Id,Customer Name,Document Ref\r\nc,Acme,9\r\n")
    office.work()
    assert office.query("SELECT _extra FROM raw.quickbooks_customers") == [({"document_ref": "9"},)]


def test_a_report_s_column_can_be_mapped_too(office: Office) -> None:
    name = "Acme_Sales by Customer Detail 2025-04-14.csv"
    text = sales_report(section("Odell"), sale("01/06/2025", "1.00"), total("TOTAL", "1.00"))
    office.drop(name, text.replace(",Amount,", ",Worth,").encode())
    assert office.states() == [(name, "quarantined")]
    mapped(office, name, {"amount": "Worth"})
    office.work()
    assert office.query("SELECT amount::text FROM raw.quickbooks_sales_detail") == [("1.00",)]


def test_a_check_reads_by_the_mapping_and_says_so(office: Office, tmp_path: Path) -> None:
    file = tmp_path / SECOND
    file.write_bytes(renamed(invoices(b=["2.00"])))
    checker = Checker(NEW_YORK, DateOrder.MDY, (), office.engine)
    (refused,) = checker.check(file)["parts"]
    assert refused["verdict"] == "quarantine"
    assert "--map" in refused["hint"] or "columns" in refused["hint"]

    office.drop(FIRST, renamed(invoices(a=["1.00"])))
    mapped(office, FIRST, NUMBER)
    (read,) = checker.check(file)["parts"]
    assert (read["verdict"], read["dataset"]) == ("load", "quickbooks.invoices")
    assert "columns that were renamed, as a person said: invoice_no from 'Document Ref'" in read["notes"]
