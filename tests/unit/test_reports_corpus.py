"""Every report of the corpus is read to exactly the figures that its README states."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from small_reports import ANY_DAY, ReportRead, read_whole

from qbwatch.core.dates import DateOrder
from qbwatch.formats.facts import Basis, Period
from qbwatch.formats.part import open_part
from qbwatch.formats.refusal import Refusal

FIRST_QUARTER = Period(date(2025, 1, 1), date(2025, 3, 31))
HALF_OF_APRIL = Period(date(2025, 4, 1), date(2025, 4, 14))


@dataclass(frozen=True)
class Stated:
    """What the README says of a file. ``amount`` is the sum of ``column``; ``checked`` the totals that have figures;
    ``days`` the range of the rows' dates."""

    dataset: str
    classes: dict[str, int]
    column: str
    amount: str
    checked: int
    period: Period | None = None
    all_dates: bool = False
    basis: Basis | None = None
    company: str | None = None
    title: str | None = None
    days: tuple[str, str] | None = None
    qty: str | None = None
    complete: bool = True


def classes(**counts: int) -> dict[str, int]:
    return counts


STATED = {
    "desktop/sales_by_customer_detail.csv": Stated(
        "sales_detail", classes(section=74, detail=21105, subtotal=73, blank=9179), "amount", "11584017.63", 73,
        days=("2020-03-17", "2024-01-30"), qty="21148", complete=False,
    ),
    "desktop/sales_by_customer_detail_small.csv": Stated(
        "sales_detail", classes(section=23, detail=258, subtotal=23, grand_total=1, blank=12), "amount", "197570.40",
        24, days=("2020-04-01", "2024-01-02"), qty="280",
    ),
    "desktop/sales_by_item_detail.CSV": Stated(
        "sales_detail", classes(section=98, detail=207, subtotal=98, grand_total=1), "amount", "117202.36", 99,
        days=("2025-07-21", "2025-07-25"), qty="9323",
    ),
    "qbo/Gull Ness Tree Care_Sales by Customer Detail.csv": Stated(
        "sales_detail", classes(section=2, detail=6, subtotal=2, grand_total=1), "amount", "2490.00", 3,
        all_dates=True, company="Gull Ness Tree Care", title="Sales by Customer Detail",
    ),
    "qbo/Ostrand Lockworks Inc_General Ledger.csv": Stated(
        "general_ledger",
        classes(section=5, detail=5, subtotal=5, beginning_balance=3, blank=2, footer=1), "amount", "1140.95", 4,
        period=FIRST_QUARTER, basis=Basis.CASH, company="Ostrand Lockworks Inc.", title="General Ledger",
    ),
    "qbo/Ostrand Lockworks Inc_Journal.csv": Stated(
        "journal", classes(detail=7, transaction_total=3, blank=2), "debit", "5829.45", 3,
        all_dates=True, company="Ostrand Lockworks Inc.", title="Journal",
    ),
    "qbo/Skerry Light LLC_Invoices and Received Payments.csv": Stated(
        "transactions", classes(section=3, detail=9, blank=3, footer=1), "amount", "4037.00", 0,
        all_dates=True, company="Skerry Light, LLC", title="Invoices and Received Payments",
    ),
    "qbo/Skerry Light LLC_Open Invoices.csv": Stated(
        "open_invoices", classes(section=2, detail=3, subtotal=2, grand_total=1), "open_balance", "2565.00", 3,
    ),
    "qbo/Skerry Light LLC_Sales by Product_Service Detail.csv": Stated(
        "sales_detail", classes(section=2, detail=8, subtotal=2, grand_total=1, blank=3, footer=1), "amount", "2190.00",
        3, period=FIRST_QUARTER, basis=Basis.ACCRUAL, company="Skerry Light, LLC",
        title="Sales by Product/Service Detail",
    ),
    "qbo/Tarn Fell Boatworks_Sales and Account Detail.csv": Stated(
        "sales_detail", classes(section=1, detail=2, subtotal=1, grand_total=1, blank=3, footer=1), "amount", "3560.00",
        2, period=HALF_OF_APRIL, basis=Basis.ACCRUAL, company="Tarn Fell Boatworks", title="Sales and Account Detail",
    ),
    "qbo/Tarn Fell Boatworks_Transaction List by Date.csv": Stated(
        "transactions", classes(detail=5, blank=2, footer=1), "amount", "10528.65", 0,
        period=HALF_OF_APRIL, basis=Basis.CASH, company="Tarn Fell Boatworks", title="Transaction List by Date",
    ),
}  # fmt: skip


def read(corpus: Path, name: str) -> ReportRead:
    file = corpus / name
    return read_whole(open_part(lambda: file.open("rb"), file.name, DateOrder.MDY).on(ANY_DAY))


@pytest.mark.parametrize("name", STATED)
def test_a_report_is_read_to_the_figures_that_are_stated(corpus: Path, name: str) -> None:
    stated, found = STATED[name], read(corpus, name)
    facts, tally = found.part.facts, found.tally
    assert found.part.layout.dataset.name == stated.dataset
    assert found.classes == stated.classes
    assert tally.accepted == stated.classes["detail"]
    assert tally.read == tally.structural + tally.accepted
    assert tally.rejected == 0
    assert tally.sums[stated.column] == Decimal(stated.amount)
    assert stated.qty is None or tally.sums["qty"] == Decimal(stated.qty)
    assert tally.totals_checked == stated.checked
    assert (facts.period, facts.is_all_dates, facts.basis) == (stated.period, stated.all_dates, stated.basis)
    assert (facts.company, facts.title) == (stated.company, stated.title)
    assert found.part.is_complete == stated.complete
    if stated.days:
        keys = [record.key for record in found.records]
        assert (min(keys), max(keys)) == stated.days


@pytest.mark.parametrize("name", STATED)
def test_the_rows_of_a_day_are_numbered_in_the_file_s_order(corpus: Path, name: str) -> None:
    seen: dict[str, int] = {}
    for record in read(corpus, name).records:
        seen[record.key] = seen.get(record.key, 0) + 1
        assert record.ordinal == seen[record.key]


def test_the_large_report_s_voids_and_credits_are_all_there(corpus: Path) -> None:
    found = read(corpus, "desktop/sales_by_customer_detail.csv")
    voids = [(memo or "").startswith("VOID") for memo in found.column("memo")]
    assert sum(voids) == 1109
    assert all(Decimal(amount or "0") == 0 for amount, void in zip(found.column("amount"), voids, strict=True) if void)
    assert len({num for num, void in zip(found.column("num"), voids, strict=True) if void}) == 49
    assert found.column("type").count("Credit Memo") == 258
    assert found.column("sales_price").count(None) == 3
    assert len(set(zip(*map(found.column, ("num", "type", "date", "customer")), strict=True))) == 735
    assert any("’" in (memo or "") for memo in found.column("memo"))
    assert found.column("section") == found.column("customer")


def test_the_large_report_is_said_to_break_off(corpus: Path) -> None:
    part = read(corpus, "desktop/sales_by_customer_detail.csv").part
    assert [note for note in part.notes if "breaks off" in note]
    assert read(corpus, "desktop/sales_by_customer_detail_small.csv").part.notes == ()


def test_made_whole_the_large_report_has_all_its_totals(corpus: Path, tmp_path: Path) -> None:
    whole = tmp_path / "sales_by_customer_detail.csv"
    end = b"Total NOZ,,,,,,,113,,,30574,30574\r\nTOTAL,,,,,,,21148,,,11584017.63,11584017.63\r\n"
    whole.write_bytes((corpus / "desktop/sales_by_customer_detail.csv").read_bytes() + end)
    found = read(tmp_path, whole.name)
    assert found.part.is_complete
    assert found.tally.totals_checked == 75


def test_a_large_report_is_read_in_about_a_second(corpus: Path) -> None:
    begun = time.process_time()
    read(corpus, "desktop/sales_by_customer_detail.csv")
    assert time.process_time() - begun < 3.0  # 0.6 s on the machine it was written on; the bound is for slow ones


def test_items_stand_in_groups_that_are_no_part_of_their_names(corpus: Path) -> None:
    found = read(corpus, "desktop/sales_by_item_detail.CSV")
    assert {(section or "").split(":")[0] for section in found.column("section")} == {
        "Parts",
        "Service",
        "Other Charges",
    }
    assert found.column("item")[0] == "V00102 (FOOTPATH JJ DUSK Rainfall 81/3.3 bb.)"
    assert found.column("section")[-1] == "Other Charges:Puffin Buoy Beacon"
    assert found.column("amount").count(None) == 1


def test_a_journal_s_rows_all_have_date_type_and_number(corpus: Path) -> None:
    found = read(corpus, "qbo/Ostrand Lockworks Inc_Journal.csv")
    assert found.column("type") == ["Deposit"] * 2 + ["Journal Entry"] * 3 + ["Bill Payment"] * 2
    assert found.column("num") == [None, None, "JE-19", "JE-19", "JE-19", "2203", "2203"]
    assert found.tally.sums["credit"] == Decimal("5829.45")


def test_a_ledger_s_accounts_stand_on_every_row(corpus: Path) -> None:
    found = read(corpus, "qbo/Ostrand Lockworks Inc_General Ledger.csv")
    assert found.column("account") == ["1015 Harbour Bank - Current"] * 3 + [
        "1021 Slip fund:Winter",
        "1022 Slip fund:Summer",
    ]
    assert found.column("section")[3] == "1020 Slip fund:1021 Slip fund:Winter"
    assert found.column("amount")[1] == "-3250.40"


def test_a_header_that_comes_twice_is_kept_apart(corpus: Path) -> None:
    part = read(corpus, "qbo/Tarn Fell Boatworks_Sales and Account Detail.csv").part
    assert part.layout.header.written.count("Transaction type") == 2
    assert part.layout.new == ("transaction_type", "customer_vendor_message", "subject")
    assert part.layout.columns.count("type") == 1


def test_open_invoices_speak_for_the_day_of_the_report(corpus: Path) -> None:
    found = read(corpus, "qbo/Skerry Light LLC_Open Invoices.csv")
    assert {record.key for record in found.records} == {ANY_DAY.isoformat()}
    assert found.column("customer") == ["Voss & Kin", "Voss & Kin", "Farhaven Guild:Juniors"]
    assert found.column("date") == ["2025-03-05", "2025-03-30", "2025-04-01"]


def test_the_moment_of_printing_is_read_with_its_offset(corpus: Path) -> None:
    printed = read(corpus, "qbo/Tarn Fell Boatworks_Transaction List by Date.csv").part.facts.printed_at
    assert printed == datetime(2025, 4, 14, 8, 36, 9, tzinfo=timezone(-timedelta(hours=4)))


def test_estimates_are_no_sales(corpus: Path) -> None:
    with pytest.raises(Refusal, match="a report of estimates, which are no sales; qbwatch doesn't load it") as caught:
        read(corpus, "qbo/Gull Ness Tree Care_Estimates by Customer.csv")
    assert caught.value.failure.code == "unknown_layout"


def test_a_printed_list_says_of_itself_what_a_report_does(corpus: Path) -> None:
    found = read(corpus, "qbo/Skerry Light LLC_Customer Contact List.csv")
    facts = found.part.facts
    assert (facts.title, facts.company) == ("Customer Contact List", "Skerry Light, LLC")
    assert (facts.period, facts.basis) == (None, None)
    assert facts.printed_at == datetime(2025, 4, 14, 9, 15, tzinfo=timezone(-timedelta(hours=4)))
    assert found.classes == {"detail": 5, "blank": 3, "footer": 1}


WORKBOOKS = {
    "qbo/Gull Ness Tree Care_Sales by Customer Detail": 0,  # its totals are formulas that nobody worked out
    "qbo/Ostrand Lockworks Inc_General Ledger": 4,
    "qbo/Skerry Light LLC_Sales by Product_Service Detail": 3,
}


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_workbook_holds_the_same_report_as_the_text(corpus: Path, name: str) -> None:
    text, sheet = read(corpus, f"{name}.csv"), read(corpus, f"{name}.xlsx")
    assert sheet.tally.totals_checked == WORKBOOKS[name]
    assert sheet.classes == text.classes
    assert sheet.tally.sums == text.tally.sums
    assert sheet.part.facts == text.part.facts
    assert [record.key for record in sheet.records] == [record.key for record in text.records]
    for column in ("section", "num", "memo", "type"):
        assert sheet.column(column) == text.column(column)
