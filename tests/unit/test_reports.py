"""Sectioned reports: which rows are records, whose they are, and whether the printed totals agree with them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from small_reports import ONLINE, SALES, open_report, read_report, read_whole, sale, sales_report, section, total
from workbooks import packed, parts_of, sheet_of

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import RowClass
from qbwatch.formats.records import Structure
from qbwatch.formats.refusal import Refusal

FIFTH, SIXTH = "01/05/2025", "01/06/2025"


def refused(text: str, name: str = "report.csv", order: DateOrder = DateOrder.MDY) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_whole(open_report(text, name, order))
    assert caught.value.hint
    return caught.value


BY_ACCOUNT = """\
,Type,Date,Num,Name,Amount
5013 · Rent,,,,,
,Bill,01/01/2024,123,Landlord,100.00
,Bill,01/02/2024,124,Landlord,200.00
Total 5013 · Rent,,,,,300.00
TOTAL,,,,,300.00
"Wednesday, January 31, 2024 05:12 PM GMT-08:00 - Accrual Basis",,,,,
"""
THREE_LINES = "Acme LLC,,,,,\nTransaction Detail by Account,,,,,\nJanuary 2024,,,,,\n"
SEVEN_LINES = (
    "Acme LLC,,,,,\nDate,Num,,,,\n,,,,,\nTransaction Detail by Account,,,,,\nType,,,,,\nJanuary 2024,,,,,\n,,,,,\n"
)


@pytest.mark.parametrize("above", ["", THREE_LINES, THREE_LINES + ",,,,,\n", SEVEN_LINES], ids=["0", "3", "4", "7"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-8-sig", "utf-16"])
def test_a_report_is_read_whatever_stands_above_its_header(above: str, encoding: str) -> None:
    data = (above + BY_ACCOUNT).replace("\n", "\r\n").encode(encoding)
    found = read_report(data)
    assert found.part.layout.dataset.name == "transactions"
    assert found.sum_of("amount") == Decimal("300.00")
    assert found.column("account") == ["5013 · Rent", "5013 · Rent"]
    assert found.tally.totals_checked == 2
    assert found.classes == {"section": 1, "detail": 2, "subtotal": 1, "grand_total": 1, "footer": 1}


def test_a_total_that_isn_t_what_its_rows_come_to_condemns_the_report() -> None:
    refusal = refused(THREE_LINES + BY_ACCOUNT.replace("Rent,,,,,300.00", "Rent,,,,,301.00"))
    assert refusal.failure.code == "totals_disagree"
    assert "line 8, column 'amount'" in refusal.message
    assert "300" not in refusal.message
    assert "301" not in refusal.message + refusal.hint
    assert refusal.told["printed_totals"] == {
        "checked": 2,
        "wrong": 1,
        "disagreements": [
            {"line": 8, "label": "Total 5013 · Rent", "column": "amount", "printed": "301.00", "computed": "300.00"}
        ],
    }


def test_a_row_that_is_lost_or_doubled_or_a_cent_off_is_noticed() -> None:
    rows = [section("Odell"), sale(FIFTH, "5.00"), sale(SIXTH, "0.10"), total("Total for Odell", "5.10")]
    assert read_report(sales_report(*rows)).sum_of("amount") == Decimal("5.10")
    for changed in (
        [rows[0], rows[1], rows[3]],
        [*rows[:2], rows[1], *rows[2:]],
        [*rows[:2], sale(SIXTH, "0.11"), rows[3]],
    ):
        assert refused(sales_report(*changed)).failure.code == "totals_disagree"


def test_the_grand_total_is_checked_too() -> None:
    rows = [section("Odell"), sale(FIFTH, "5.00"), total("Total for Odell", "5.00"), total("TOTAL", "$6.00")]
    assert "line 9" in refused(sales_report(*rows)).message


def test_customers_whose_names_begin_with_total_are_kept() -> None:
    found = read_report(
        sales_report(
            section("Total Wine"), sale(FIFTH, "5.00"), total("Total Total Wine", "5.00"),
            section("Wine"), sale(SIXTH, "7.00"), total("Total Wine", "7.00"),
            section("Total Gas"), sale(SIXTH, "1.00"), total("Total Total Gas", "1.00"),
            total("TOTAL", "13.00"),
        )
    )  # fmt: skip
    assert found.column("customer") == ["Total Wine", "Wine", "Total Gas"]
    assert found.tally.totals_checked == 4


def test_nested_sections_give_their_rows_the_whole_path() -> None:
    found = read_report(
        sales_report(
            section("Acme"), sale(FIFTH, "5.00"),
            section("Job1"), sale(FIFTH, "7.00"), total("Total for Job1", "7.00"),
            section("Acme:Job2"), sale(FIFTH, "1.00"), total("Total for Acme:Job2", "1.00"),
            total("Total for Acme with sub-customers", "13.00"),
            section("Beta"), section("Job1"), sale(SIXTH, "2.00"), total("Total for Job1", "2.00"),
            total("Total for Beta", "2.00"), total("TOTAL", "15.00"),
        )
    )  # fmt: skip
    assert found.column("customer") == ["Acme", "Acme:Job1", "Acme:Job2", "Beta:Job1"]
    assert found.column("section") == ["Acme", "Acme:Job1", "Acme:Acme:Job2", "Beta:Job1"]
    assert found.tally.totals_checked == 6


def test_a_parent_s_own_total_comes_before_its_sub_accounts() -> None:
    rows = [
        section("Acme"), sale(FIFTH, "5.00"), total("Total for Acme", "5.00"),
        section("Job1"), sale(FIFTH, "7.00"), total("Total for Job1", "7.00"),
        total("Total for Acme with sub-customers", "12.00"), total("TOTAL", "12.00"),
    ]  # fmt: skip
    found = read_report(sales_report(*rows))
    assert found.column("customer") == ["Acme", "Acme:Job1"]
    assert found.tally.totals_checked == 4
    rows[2] = total("Total for Acme", "12.00")
    assert refused(sales_report(*rows)).failure.code == "totals_disagree"


def test_names_with_a_colon_and_a_comma_stay_as_they_are() -> None:
    names = ["A:B Supply", "Smith, LLC:Kitchen", "Acme", "Acme:Job1:Phase 2", "Beta:Job1"]
    rows = [row for name in names for row in (section(name), sale(FIFTH, "1.00"), total(f"Total for {name}", "1.00"))]
    assert read_report(sales_report(*rows)).column("customer") == names


@pytest.mark.parametrize(
    ("label", "printed"),
    [
        ("Odell Quimby & Daughters of the Old Harbour", "Total 'Odell Quimby & Daughters of the Old Harbour"),
        ("Odell Quimby & Daughters of the Old Harbour", "Total Odell Quimby & Daughters of the Old"),
        ("Odell  Quimby", "Total Odell Quimby"),
        ("Odell", "Total for Somebody Else"),
    ],
)
def test_a_total_whose_label_is_off_is_the_open_section_s_if_it_ties(label: str, printed: str) -> None:
    rows = [section(label), sale(FIFTH, "5.00"), total(printed, "5.00"), section("Zelda"), sale(SIXTH, "1.00")]
    found = read_report(sales_report(*rows, total("Total Zelda", "1.00"), total("TOTAL", "6.00")))
    assert found.column("customer") == [label, "Zelda"]
    assert found.tally.totals_checked == 3
    rows[2] = total(printed, "5.01")
    assert refused(sales_report(*rows)).failure.code == "totals_disagree"


def test_a_total_is_found_where_another_column_s_stands() -> None:
    odd = "Total for Odell,,,,,,$5.00,,,\n"
    found = read_report(sales_report(section("Odell"), sale(FIFTH, "5.00"), odd))
    assert found.tally.totals_checked == 1
    wrong = odd.replace("5.00", "5.50")
    assert refused(sales_report(section("Odell"), sale(FIFTH, "5.00"), wrong)).failure.code == "totals_disagree"


def test_a_total_without_figures_is_not_checked() -> None:
    rows = [section("Odell"), sale(FIFTH, "5.00"), section("Total for Odell"), section("Zelda"), sale(SIXTH, "1.00")]
    found = read_report(sales_report(*rows, section("Total for Zelda"), section("TOTAL")))
    assert found.column("customer") == ["Odell", "Zelda"]
    assert found.tally.totals_checked == 0
    assert found.classes == {"section": 2, "detail": 2, "subtotal": 2, "grand_total": 1}


def test_sections_without_any_totals_each_end_where_the_next_begins() -> None:
    found = read_report(sales_report(section("Odell"), sale(FIFTH, "5.00"), section("Zelda"), sale(SIXTH, "1.00")))
    assert found.column("section") == ["Odell", "Zelda"]
    assert found.part.is_complete


def test_figures_beside_a_section_s_label_state_its_sum() -> None:
    rows = [
        total("Odell", "12.00"),
        sale(FIFTH, "5.00"),
        sale(SIXTH, "7.00"),
        total("Zelda", "1.00"),
        sale(FIFTH, "1.00"),
    ]
    found = read_report(sales_report(*rows, total("TOTAL", "13.00")))
    assert found.sum_of("amount") == Decimal(13)
    assert found.column("customer") == ["Odell", "Odell", "Zelda"]
    assert refused(sales_report(rows[0], rows[1])).failure.code == "totals_disagree"


def test_a_report_that_breaks_off_is_loaded_and_said_to_be_incomplete() -> None:
    rows = [section("Odell"), sale(FIFTH, "5.00"), total("Total Odell", "5.00"), section("Zelda"), sale(SIXTH, "1.00")]
    found = read_report(sales_report(*rows))
    assert found.tally.accepted == 2
    assert not found.part.is_complete
    assert found.part.notes
    assert read_report(sales_report(*rows, total("Total Zelda", "1.00"))).part.is_complete


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (sale(FIFTH, "5.00", label="Odell"), "a label and the values of a record"),
        (",,,,,,,,5.00,\n", "figures and nothing that says whose"),
        (total("Total for Nobody", "5.00"), "no section is open"),
        (total("TOTAL", "0.00") + sale(FIFTH, "5.00"), "below the report's end"),
    ],
)
def test_a_row_that_fits_no_class_is_named(row: str, why: str) -> None:
    refusal = refused(sales_report(row))
    assert refusal.failure.code == "unclear_row"
    assert "line " in refusal.message
    assert why in refusal.message


def test_content_in_a_column_without_a_name_is_never_cut_off() -> None:
    refusal = refused(sales_report(section("Odell"), sale(FIFTH, "5.00").rstrip("\n") + ",beyond\n"))
    assert refusal.failure.code == "unclear_row"
    assert "line 7" in refusal.message


def test_one_row_that_can_t_be_read_condemns_the_report_and_is_named() -> None:
    rows = [section("Odell"), sale("somewhen", "5.00"), sale("", "6.00"), sale(FIFTH, "7,0,0"), sale(FIFTH, "1.00")]
    refusal = refused(sales_report(*rows))
    assert refusal.failure.code == "unreadable_rows"
    assert "3 of its rows" in refusal.message
    assert [(each["line"], each["column"]) for each in refusal.told["rejects"]] == [
        (7, "Date"),
        (8, "Date"),
        (9, "Amount"),
    ]


def test_dates_are_checked_over_the_whole_report() -> None:
    rows = [section("Odell"), *[sale("03/04/2024", "1.00")] * 50, sale("31/12/2023", "1.00")]
    refusal = refused(sales_report(*rows))
    assert refusal.failure.code == "date_order"
    assert "line 57" in refusal.message
    text = sales_report(*rows)
    assert read_whole(open_report(text, order=DateOrder.DMY)).records[0].key == "2024-04-03"
    assert refused(sales_report(section("Odell"), sale("02/30/2024", "1.00"))).failure.code == "unreadable_rows"


def test_a_day_outside_of_the_printed_period_condemns_the_report() -> None:
    above = "Acme Ltd\nSales by Customer Detail\nJanuary 6-31, 2025\n\n"
    refusal = refused(sales_report(section("Odell"), sale(FIFTH, "1.00"), above=above))
    assert refusal.failure.code == "outside_period"
    assert "line 7" in refusal.message
    assert read_report(sales_report(section("Odell"), sale(SIXTH, "1.00"), above=above)).tally.accepted == 1


def test_equal_rows_are_all_kept_and_numbered() -> None:
    found = read_report(sales_report(section("Odell"), *[sale(FIFTH, "1.00")] * 3, total("Total for Odell", "3.00")))
    assert [(record.key, record.ordinal) for record in found.records] == [("2025-01-05", n) for n in (1, 2, 3)]


def test_a_void_keeps_its_number_and_its_nothing() -> None:
    void = ',01/05/2025,Invoice,9,Rope,"VOID: torn, sent back",0,85.00,0.00,\n'
    found = read_report(sales_report(section("Odell"), void, total("Total for Odell", "0.00")))
    assert (found.column("num"), found.column("amount"), found.column("sales_price")) == (["9"], ["0.00"], ["85.00"])


@pytest.mark.parametrize("end", ["", "TOTAL,,,,,,,,0.00,\n", "\n\n\n", "TOTAL,,,,,,,,,\n"])
def test_a_report_without_a_record_has_no_rows_and_is_read(end: str) -> None:
    found = read_report(sales_report() + end)
    assert found.tally.accepted == 0
    assert found.tally.read == found.structural


def test_a_column_may_move_be_added_be_lost_or_be_called_something_else() -> None:
    text = SALES + (
        ",Transaction type,Transaction date,No.,Amount,Quantity,Sales price,Product/Service full name,Tide\n"
        "Odell,,,,,,,,\n,Invoice,01/05/2025,7,2.00,1,2.00,Rope,ebb\nTotal for Odell,,,,$2.00,,,,\n"
    )
    found = read_report(text)
    assert (found.column("num"), found.column("qty"), found.column("item")) == (["7"], ["1"], ["Rope"])
    assert found.part.layout.new == ("tide",)
    assert "memo" in found.part.layout.lost
    assert '"ebb"' in found.records[0].extra


def test_without_its_figures_a_titled_report_is_missing_columns() -> None:
    refusal = refused(SALES + ",Date,Transaction type,Num\nOdell,,,\n,01/05/2025,Invoice,7\n")
    assert refusal.failure.code == "missing_columns"
    assert "quickbooks.sales_detail" in refusal.message


def test_a_name_of_another_report_is_a_question() -> None:
    text = sales_report(section("Odell"), sale(FIFTH, "1.00"))
    assert refused(text, "Acme Ltd_General Ledger.csv").failure.code == "name_disagrees"
    assert refused(text, "Invoice_04_04_2025_2_00_03.csv").failure.code == "name_disagrees"
    for name in ("Acme Ltd_Sales by Customer Detail (1).csv", "Sales by customer wk 4.csv", "Customer Co_x.csv"):
        assert open_report(text, name).layout.dataset.name == "sales_detail"


@pytest.mark.parametrize(
    "title", ["Estimates by Customer", "A/P Aging Summary", "Profit and Loss", "EMPLOYEE CONTACT LIST"]
)
def test_a_report_that_isn_t_loaded_is_said_to_be_what_it_is(title: str) -> None:
    refusal = refused(sales_report(section("Odell"), sale(FIFTH, "1.00"), above=f"Acme Ltd\n{title}\nAll Dates\n\n"))
    assert refusal.failure.code == "unknown_layout"
    assert "qbwatch doesn't load it" in refusal.message


LEDGER = """\
,Type,Date,Num,Adj,Name,Memo,Split,Debit,Credit,Balance
1010 · Bank,,,,,,,,,,"1,000.00"
,Deposit,1/2/2025,,,A,m,4000 · Sales,50.00,,"1,050.00"
,Check,1/3/2025,7,,B,m,-SPLIT-,,30.00,"1,020.00"
Total 1010 · Bank,,,,,,,,50.00,30.00,"1,020.00"
1500 · Fixed,,,,,,,,,,
1510 · Trucks,,,,,,,,,,5.00
,Check,1/3/2025,7,,B,m,1010 · Bank,10.00,,15.00
Total 1510 · Trucks,,,,,,,,10.00,,15.00
1500 · Fixed - Other,,,,,,,,,,0.00
,Check,1/3/2025,7,,B,m,1010 · Bank,1.00,,1.00
Total 1500 · Fixed - Other,,,,,,,,1.00,,1.00
Total 1500 · Fixed,,,,,,,,11.00,,16.00
TOTAL,,,,,,,,61.00,30.00,"1,036.00"
"""


def test_a_desktop_ledger_begins_its_accounts_with_what_they_held() -> None:
    found = read_report(LEDGER.encode("cp1252"))
    assert found.part.layout.dataset.name == "general_ledger"
    assert (found.sum_of("debit"), found.sum_of("credit")) == (Decimal(61), Decimal(30))
    assert found.column("account") == ["1010 · Bank", "1010 · Bank", "1500 · Fixed:1510 · Trucks", "1500 · Fixed"]
    assert found.tally.totals_checked == 5
    assert "balance" not in found.tally.sums
    assert refused(LEDGER.replace("TOTAL,,,,,,,,61.00", "TOTAL,,,,,,,,61.01")).failure.code == "totals_disagree"


def test_a_total_that_prints_only_a_balance_is_checked_against_it() -> None:
    text = LEDGER.replace("Bank,,,,,,,,50.00,30.00,", "Bank,,,,,,,,,,")
    assert read_report(text).tally.totals_checked == 5
    wrong = text.replace('Bank,,,,,,,,,,"1,020.00"', 'Bank,,,,,,,,,,"1,021.00"')
    assert refused(wrong).failure.code == "totals_disagree"


JOURNAL = """\
Trans #,Type,Date,Num,Adj,Name,Memo,Account,Debit,Credit
"1,234",Deposit,1/2/2025,5,,A,m,Bank,50.00,
,,,,,A,,Sales,,50.00
,,,,,,,,50.00,50.00
"1,235",Check,1/3/2025,,,A,m,Bank,,20.00
,,,,,A,memo only,Rent,20.00,
,,,,,A,a line of text,,,
,,,,,,,,20.00,20.00
TOTAL,,,,,,,,70.00,70.00
"""


def test_a_journal_s_first_rows_speak_for_the_others_of_their_transaction() -> None:
    found = read_report(JOURNAL)
    assert found.part.layout.dataset.name == "journal"
    assert found.column("trans_no") == ["1234", "1234", "1235", "1235", "1235"]
    assert found.column("num") == ["5", "5", None, None, None]
    assert found.column("date") == ["2025-01-02"] * 2 + ["2025-01-03"] * 3
    assert found.sum_of("debit") == found.sum_of("credit") == Decimal(70)
    assert found.classes == {"detail": 5, "transaction_total": 2, "grand_total": 1}
    assert found.tally.totals_checked == 3


def test_a_journal_s_transactions_are_each_checked() -> None:
    refusal = refused(JOURNAL.replace(",Rent,20.00,", ",Rent,19.00,"))
    assert refusal.failure.code == "totals_disagree"
    assert "line 8, column 'debit'" in refusal.message


def test_a_journal_that_ends_inside_of_a_transaction_breaks_off() -> None:
    assert read_report(JOURNAL).part.is_complete
    assert not read_report("\n".join(JOURNAL.splitlines()[:6]) + "\n").part.is_complete


def test_a_row_between_two_transactions_belongs_to_none() -> None:
    text = JOURNAL.replace('"1,235",Check,1/3/2025', ",,")
    refusal = refused(text)
    assert refusal.failure.code == "unreadable_rows"
    assert "line 5" in refusal.message


def test_the_new_journal_tells_quickbooks_own_ids() -> None:
    text = (
        'Acme Ltd,,,\nJournal,,,\n"January 1-31, 2025",,,\n,,,\n'
        ",Transaction date,Transaction type,Num,Name,Memo/Description,Account full name,Debit,Credit\n"
        "4711,,,,,,,,\n,01/02/2025,Deposit,5,A,m,Bank,50.00,\n,,,,A,m,Sales,,50.00\n"
        "Total for 4711,,,,,,,$50.00,$50.00\n"
        "4712,,,,,,,,\n,01/03/2025,Check,6,A,m,Bank,,5.00\n,01/03/2025,Check,6,A,m,Rent,5.00,\n"
        "Total for 4712,,,,,,,$5.00,$5.00\n"
    )
    found = read_report(text)
    assert found.column("trans_no") == ["4711", "4711", "4712", "4712"]
    assert found.column("num") == ["5", "5", "6", "6"]
    assert found.tally.totals_checked == 2


def workbook(rows: Sequence[Sequence[str]]) -> bytes:
    """A sheet of texts, and of formulas with their stored values where a cell begins with ``=``."""
    text = '<c t="inlineStr"><is><t>{}</t></is></c>'
    formula = "<c><f>SUM(I1:I9)</f><v>{}</v></c>"
    cells = [[formula.format(each[1:]) if each[:1] == "=" else text.format(each) for each in row] for row in rows]
    return packed(parts_of(sheet_of("".join(f"<row>{''.join(row)}</row>" for row in cells))))


def test_a_total_that_was_worked_out_in_binary_is_told_as_a_spreadsheet_shows_it() -> None:
    """0.1 and 0.2 are 0.30000000000000004 to a program that adds them in binary, and 0.3 in every cell."""
    odell = [[each, *[""] * 9] for each in ("Sales by Customer Detail", "All Dates", "Odell")]
    odell[2:2] = [list(ONLINE)]
    sales = [["", SIXTH, "Invoice", "7", "Rope", "", "1", "", amount, ""] for amount in ("=0.1", "=0.2")]
    ended = ["Total for Odell", *[""] * 7]
    right, wrong = ([*odell, *sales, [*ended, f"={amount}", ""]] for amount in ("0.30000000000000004", "0.31"))
    assert read_report(workbook(right), "report.xlsx").tally.totals_checked == 1
    with pytest.raises(Refusal, match="don't agree"):
        read_report(workbook(wrong), "report.xlsx")


def test_the_columns_between_which_a_desktop_workbook_leaves_gaps_are_found() -> None:
    text = """\
,,,,Type,,Date,,Num,,Name,,Qty,,Sales Price,,Amount,,Balance
Parts,,,,,,,,,,,,,,,,,,
,Bolt,,,,,,,,,,,,,,,,,
,,,,Invoice,,2025-01-02,,7,,Acme,,1,,5,,5,,5
,Total Bolt,,,,,,,,,,,1,,,,5,,5
Total Parts,,,,,,,,,,,,1,,,,5,,5
TOTAL,,,,,,,,,,,,1,,,,5,,5
"""
    found = read_report(text)
    assert (found.column("item"), found.column("section")) == (["Bolt"], ["Parts:Bolt"])
    assert found.tally.totals_checked == 3
    assert found.part.layout.new == ()


def test_every_row_below_the_header_is_told_with_its_line() -> None:
    part = open_report(sales_report(section("Odell"), sale(FIFTH, "5.00"), "\n", total("Total for Odell", "5.00")))
    lines = [(r.line, r.row_class) if isinstance(r, Structure) else (r.line, None) for r in part.readings()]  # type: ignore[union-attr]
    assert lines == [(6, RowClass.SECTION), (7, None), (8, RowClass.BLANK), (9, RowClass.SUBTOTAL)]


def test_a_custom_transaction_detail_is_told_from_a_journal_and_a_ledger() -> None:
    text = (
        '"Trans #",Type,Date,Num,Adj,"P. O. #",Name,"Source Name",Memo,"Due Date",Item,Account,Class,Clr,Split,Qty,'
        "Debit,Credit,Amount,Balance,Account Type\n"
        '"364,134",Invoice,1/2/2025,7,,,Acme,Acme,,,,1200 · AR,,,-SPLIT-,,5.00,,5.00,5.00,Accounts Receivable\n'
        '"364,134",Invoice,1/2/2025,7,,,Acme,Acme,x,,Bolt,4000 · Sales,,Ö,1200 · AR,-1,,5.00,-5.00,0.00,Income\n'
        "TOTAL,,,,,,,,,,,,,,,,5.00,5.00,0.00,0.00,\n"
    )
    found = read_report(text)
    assert found.part.layout.dataset.name == "transactions"
    assert found.column("trans_no") == ["364134", "364134"]
    assert found.sum_of("amount") == 0
    assert found.part.layout.new == ()


def test_numbers_of_banks_and_cards_are_withheld_from_reports_too() -> None:
    text = sales_report().replace("Balance", "Credit card no") + section("Odell") + sale(FIFTH, "5.00")
    found = read_report(text)
    assert found.part.layout.withheld == ("credit_card_no",)
    assert found.part.layout.new == ()
