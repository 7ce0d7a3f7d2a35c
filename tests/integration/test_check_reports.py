"""What `check` says of a report: its period and basis, its classes of rows, and its printed totals."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from small_reports import sale, sales_report, section, total

from qbwatch.checking import Checker
from qbwatch.core.dates import DateOrder

FIFTH = "01/05/2025"


def checked(path: Path) -> dict[str, Any]:
    checker = Checker(ZoneInfo("America/New_York"), DateOrder.MDY, (), engine=None)
    (part,) = checker.check(path)["parts"]
    return part


def dropped(folder: Path, *rows: str) -> Path:
    file = folder / "Acme Ltd_Sales by Customer Detail.csv"
    file.write_text(sales_report(*rows))
    return file


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_report_is_told_with_period_basis_and_totals(corpus: Path, suffix: str) -> None:
    part = checked(corpus / f"qbo/Ostrand Lockworks Inc_General Ledger.{suffix}")
    assert (part["dataset"], part["verdict"], part["complete"]) == ("quickbooks.general_ledger", "load", True)
    assert part["period"] == {"from": "2025-01-01", "to": "2025-03-31"}
    assert part["basis"] == "cash"
    assert part["printed_totals"] == {"checked": 4, "wrong": 0}
    assert part["sums"] == {"amount": "1140.95"}
    assert part["row_classes"] == {
        "header": 1, "section": 5, "detail": 5, "subtotal": 5, "beginning_balance": 3, "blank": 2, "footer": 1,
    }  # fmt: skip
    assert part["rows"]["read"] == part["rows"]["structural"] + part["rows"]["inserted"]


def test_a_total_that_is_wrong_is_told_with_its_figures(tmp_path: Path) -> None:
    part = checked(dropped(tmp_path, section("Odell"), sale(FIFTH, "5.00"), total("Total for Odell", "6.00")))
    assert part["verdict"] == "quarantine"
    assert part["dataset"] == "quickbooks.sales_detail"
    assert (part["printed_totals"]["checked"], part["printed_totals"]["wrong"]) == (1, 1)
    (wrong,) = part["printed_totals"]["disagreements"]
    assert wrong == {"line": 8, "label": "Total for Odell", "column": "amount", "printed": "6.00", "computed": "5.00"}
    assert "6.00" not in part["reason"]


def test_rows_that_can_t_be_read_are_listed(tmp_path: Path) -> None:
    part = checked(dropped(tmp_path, section("Odell"), sale("soon", "5.00")))
    assert part["verdict"] == "quarantine"
    assert part["rejects"] == [{"line": 7, "column": "Date", "text": "soon", "reason": "not a date"}]


def test_a_report_that_breaks_off_is_told_to_be_incomplete(tmp_path: Path) -> None:
    rows = [
        section("Odell"),
        sale(FIFTH, "5.00"),
        total("Total for Odell", "5.00"),
        section("Zelda"),
        sale(FIFTH, "1.00"),
    ]
    part = checked(dropped(tmp_path, *rows))
    assert (part["verdict"], part["complete"]) == ("load", False)
    assert [note for note in part["notes"] if "breaks off" in note]
