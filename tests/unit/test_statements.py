"""Reports of labels and figures: groups are no records, and a parent's own balance is one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from small_reports import open_report, read_report, read_whole

from qbwatch.formats.refusal import Refusal

ABOVE = """\
Acme Ltd,,,,,,
A/R Aging Summary,,,,,,
"As of March 31, 2025",,,,,,
,,,,,,
,Current,1 - 30,31 - 60,61 - 90,91 and over,Total
"""


def aging(*rows: str) -> str:
    return ABOVE + "".join(f"{row}\n" for row in rows)


def current(label: str, amount: str) -> str:
    return f"{label},{amount},,,,,{amount}"


def refused(text: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_whole(open_report(text))
    return caught.value


def test_a_group_is_counted_once() -> None:
    rows = [current("Acme", "500.00"), current("Acme:Job1", "200.00"), current("Acme:Job2", "300.00")]
    found = read_report(aging(*rows, current("Total Acme", "500.00"), current("TOTAL", "$500.00")))
    assert found.sum_of("total") == Decimal(500)
    assert found.column("customer") == ["Acme:Job1", "Acme:Job2"]
    assert found.column("section") == ["Acme", "Acme"]
    assert found.classes == {"section": 1, "detail": 2, "subtotal": 1, "grand_total": 1}
    assert {record.key for record in found.records} == {"2025-03-31"}


@pytest.mark.parametrize("group", ["Acme,,,,,,", current("Acme", "550.00")])
def test_a_parent_s_own_balance_inside_of_its_group_is_kept(group: str) -> None:
    rows = [group, current("Job1", "200.00"), current("Job2", "300.00"), current("Acme - Other", "50.00")]
    found = read_report(aging(*rows, current("Total Acme", "550.00"), current("TOTAL", "550.00")))
    assert found.sum_of("total") == Decimal(550)
    assert found.column("customer") == ["Acme:Job1", "Acme:Job2", "Acme"]


def test_a_parent_s_own_balance_on_its_own_row_is_kept() -> None:
    rows = [current("Acme", "50.00"), current("Acme:Job1", "200.00"), current("Acme:Job2", "300.00")]
    found = read_report(aging(*rows, current("Total Acme", "550.00"), current("TOTAL", "550.00")))
    assert found.sum_of("total") == Decimal(550)
    assert found.column("customer") == ["Acme", "Acme:Job1", "Acme:Job2"]


def test_a_group_without_a_total_of_its_own_shows_by_the_last_one() -> None:
    rows = [current("Acme", "500.00"), current("Acme:Job1", "200.00"), current("Acme:Job2", "300.00")]
    assert read_report(aging(*rows, current("TOTAL", "500.00"))).sum_of("total") == Decimal(500)
    assert read_report(aging(*rows, current("TOTAL", "1000.00"))).sum_of("total") == Decimal(1000)
    assert refused(aging(*rows, current("TOTAL", "900.00"))).failure.code == "totals_disagree"


def test_a_group_that_ties_with_nothing_is_refused() -> None:
    rows = [current("Acme", "499.00"), current("Acme:Job1", "500.00"), current("Total Acme", "500.00")]
    refusal = refused(aging(*rows, current("TOTAL", "500.00")))
    assert refusal.failure.code == "totals_disagree"
    assert "line 8" in refusal.message


def test_groups_stand_in_groups() -> None:
    rows = [
        "Acme,,,,,,",
        "Job1,,,,,,",
        current("Phase 1", "1.00"),
        current("Phase 2", "2.00"),
        current("Total Job1", "3.00"),
    ]
    found = read_report(
        aging(*rows, current("Total Acme", "3.00"), current("Total Wine", "4.00"), current("TOTAL", "7.00"))
    )
    assert found.column("customer") == ["Acme:Job1:Phase 1", "Acme:Job1:Phase 2", "Total Wine"]
    assert found.column("section") == ["Acme:Job1", "Acme:Job1", None]


def test_a_trial_balance_is_read_by_account() -> None:
    text = (
        'Acme Ltd,,\nTrial Balance,,\n"As of March 31, 2025",,\n,,\n,Debit,Credit\n'
        "1010 Bank,100.00,\n4000 Income,,100.00\nTOTAL,$100.00,$100.00\n"
        '"Accrual Basis Monday, April 14, 2025 09:12 AM GMT-04:00",,\n'
    )
    found = read_report(text)
    assert found.part.layout.dataset.name == "trial_balance"
    assert found.column("account") == ["1010 Bank", "4000 Income"]
    assert found.sum_of("debit") == found.sum_of("credit") == Decimal(100)
    assert found.column("basis") == ["accrual", "accrual"]
    assert found.part.facts.printed_at is not None


def test_a_position_speaks_for_its_file_s_day_where_it_states_none() -> None:
    text = ",Debit,Credit\nBank,1.00,\nIncome,,1.00\nTOTAL,1.00,1.00\n"
    assert read_report(text, "Trial Balance 2025-01-31.csv").records[0].key == "2025-01-31"
    assert read_report(text).records[0].key == "2025-04-14"


@pytest.mark.parametrize("row", [",5.00,,,,,5.00", "Acme,x,,,,,"])
def test_a_row_that_fits_no_class_is_named(row: str) -> None:
    refusal = refused(aging(row))
    assert refusal.failure.code == "unclear_row"
    assert "line 6" in refusal.message
