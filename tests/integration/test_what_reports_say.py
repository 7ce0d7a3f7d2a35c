"""What the firm's figures are after reports came again, overlapped, lost rows, or were saved by a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence

import openpyxl
from small_exports import Office
from workbooks import saved

from qbwatch.edges import decisions
from qbwatch.edges.file_search import choose

HEADER = "Date,Transaction Type,Num,Name,Memo/Description,Amount"
RENT = "01/10/2024,Bill,,Landlord,,-20.00"


def listed(period: str, *rows: str) -> bytes:
    return "\n".join(["Acme Ltd", "Transaction List by Date", f'"{period}"', "", HEADER, *rows, ""]).encode()


def drop(office: Office, day: str, content: bytes) -> str:
    name = f"Transaction List by Date 2024-{day}.csv"
    office.drop(name, content)
    office.work()
    return name


def figures(office: Office) -> tuple[object, ...]:
    """Rows and their sum."""
    return office.query("SELECT count(*), sum(amount)::text FROM raw.quickbooks_transactions")[0]


def test_equal_rows_stay_two_and_exports_that_overlap_double_none(office: Office) -> None:
    first = listed("January 1-15, 2024", RENT, RENT)
    drop(office, "01-16", first)
    assert figures(office) == (2, "-40.00")
    drop(office, "01-17", first)
    assert figures(office) == (2, "-40.00")

    new = [f"01/{day}/2024,Bill,{day},Smith,,-1.00" for day in range(16, 21)]
    name = drop(office, "02-01", listed("January 8-31, 2024", RENT, RENT, *new))
    assert office.query("SELECT failure_code FROM qbwatch.work_items WHERE state = 'quarantined'") == [
        ("period_overlaps",)
    ]
    with office.engine.begin() as connection:
        (item,) = choose(connection, name, lambda _: True, "nothing")
        decisions.accept(connection, [item.item_id], office.at)
    office.work()
    assert figures(office) == (7, "-45.00")


def test_what_was_deleted_is_gone_what_was_voided_is_zero_and_another_month_is_untouched(office: Office) -> None:
    january = [f"01/{day:02}/2024,Invoice,{day},Acme,,10.00" for day in range(1, 11)]
    drop(office, "02-01", listed("January 2024", *january))
    drop(office, "03-01", listed("February 2024", "02/03/2024,Invoice,99,Acme,,7.00"))
    assert figures(office) == (11, "107.00")

    void = january[4].replace(",,10.00", ",VOID: by mistake,0.00")
    drop(office, "03-02", listed("January 2024", *january[:4], void, *january[6:]))

    assert figures(office) == (10, "87.00")
    assert office.query("SELECT amount::text, memo FROM raw.quickbooks_transactions WHERE num = '5'") == [
        ("0.00", "VOID: by mistake")
    ]
    assert office.query("SELECT count(*) FROM raw.quickbooks_transactions WHERE num = '6'") == [(0,)]
    drop(office, "03-03", listed("February 2024", "02/03/2024,Invoice,99,Acme,,8.00"))
    assert figures(office) == (10, "88.00")


def test_every_type_of_transaction_and_every_refund_is_loaded(office: Office) -> None:
    types = ["Bill Pmt -Check", "Paycheck", "Transfer", "Credit Card Refund", "Something New"]
    drop(office, "01-31", listed("January 2024", *(f"01/05/2024,{name},1,A,,-5.00" for name in types)))
    assert office.query("SELECT type FROM raw.quickbooks_transactions ORDER BY _line") == [(name,) for name in types]
    assert figures(office) == (5, "-25.00")


def test_amounts_that_moved_to_debit_and_credit_are_never_shifted(office: Office) -> None:
    office.drop(
        "General Ledger 2024-01-31.csv",
        b"Acme Ltd\nGeneral Ledger\nJanuary 2024\n\n,Date,Transaction Type,Num,Name,Split,Debit,Credit,Balance\n"
        b"Rent,,,,,,,,\n,01/05/2024,Bill,7,Landlord,A/P,100.00,,100.00\n,01/06/2024,Bill,8,Landlord,A/P,,30.00,70.00\n",
    )
    office.work()
    found = office.query("SELECT debit::text, credit::text, amount FROM raw.quickbooks_general_ledger ORDER BY _key")
    assert found == [("100.00", None, None), (None, "30.00", None)]


INVOICES = (
    ("QuickBooks Internal Id", "Invoice No", "Invoice Date", "Customer", "Product/Service", "Product/Service  Amount"),
    ("2B1C9-1", "00123", "04-01-2025", "Acme", "Rope", "1.00"),
    ("2B1C9-2", "1001", "04-01-2025", "Acme", "Rope", "2.00"),
    ("2B1C9-3", "219E01", "04-01-2025", "Acme", "Rope", "3.00"),
    ("2B1C9-4", "A-17", "04-01-2025", "Acme", "Rope", "4.00"),
)


def written(rows: Sequence[Sequence[str]]) -> bytes:
    return "".join(",".join(row) + "\r\n" for row in rows).encode()


def numbers(office: Office) -> Sequence[tuple[object, ...]]:
    return office.query("SELECT _key, invoice_no, product_service_amount FROM raw.quickbooks_invoices ORDER BY 1")


def test_text_and_workbook_of_the_same_documents_agree_in_every_number(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", written(INVOICES))
    office.work()
    from_text = numbers(office)
    assert [number for _, number, _ in from_text] == ["00123", "1001", "219E01", "A-17"]

    book = openpyxl.Workbook()
    for row in INVOICES:
        book.active.append([1001.0 if cell == "1001" else float(cell) if "." in cell else cell for cell in row])
    office.drop("Invoice_04_02_2025_2_00_00.xlsx", saved(book))
    office.work()
    assert [state for _, state in office.states()] == ["loaded", "loaded"]
    assert numbers(office) == from_text


def test_a_number_that_a_spreadsheet_damaged_is_told(office: Office) -> None:
    rows = [INVOICES[0], ("2B1C9-9", "1.91431E+18", *INVOICES[1][2:])]
    office.drop("Invoice_04_01_2025_2_00_00.csv", written(rows))
    office.work()
    (notes,) = office.query("SELECT notes FROM qbwatch.work_items")[0]
    assert [note for note in notes if "a spreadsheet damaged" in note and "invoice_no (line 2)" in note]  # type: ignore[attr-defined]


def test_one_bad_date_in_a_thousand_rows_is_set_aside_with_its_line(office: Office) -> None:
    rows = [(f"k{number}", f"N{number}", *INVOICES[1][2:]) for number in range(1000)]
    rows[500] = (*rows[500][:2], "02-30-2025", *rows[500][3:])
    office.drop("Invoice_04_01_2025_2_00_00.csv", written([INVOICES[0], *rows]))
    office.work()
    counts = "SELECT rows_read, rows_inserted, rows_rejected, rows_structural FROM qbwatch.work_items"
    assert office.query(counts) == [(1000, 999, 1, 0)]
    (reject,) = office.query("SELECT line, column_name, text FROM qbwatch.rejected_rows")
    assert reject == (502, "Invoice Date", "02-30-2025")
