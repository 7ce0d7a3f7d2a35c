"""The demo's files differ from one another as real exports do: in encoding, columns, windows, and one in its dates."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest

from qbwatch.demo.desk import Scene
from qbwatch.demo.exports import ExportFile
from qbwatch.demo.history import Scale
from qbwatch.demo.story import Story, story

FIRST, SECOND = "Invoice_11_23_2026_2_00_03.csv", "Invoice_11_24_2026_2_00_03.csv"
AFTERNOON, THIRD = "Invoice_11_24_2026_14_30_05.csv", "Invoice_11_25_2026_2_00_03.csv"


@pytest.fixture(scope="module")
def told() -> Story:
    return story(date(2026, 11, 25))


def file_of(told: Story, name: str) -> ExportFile:
    dropped = [*told.seed, *(file for wave in told.waves for file in wave.files), told.mended]
    return next(file for file in dropped if file.name == name)


def rows_of(file: ExportFile, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.content.decode(encoding), newline=""), strict=True))


def day_of(text: str) -> date:
    month, day, year = text.split("-")
    return date(int(year), int(month), int(day))


def test_the_second_nights_customers_have_lost_their_status(told: Story) -> None:
    lost = rows_of(file_of(told, "Customer_11_24_2026_1_00_02.csv"))
    later = rows_of(file_of(told, "Customer_11_25_2026_1_00_02.csv"))
    assert len(lost[0]) == 60
    assert "Status" not in lost[0]
    assert told.scenes[Scene.INACTIVE] in {row["QuickBooks Internal Id"] for row in lost}
    assert [row["Status"] for row in later if row["QuickBooks Internal Id"] == told.scenes[Scene.INACTIVE]] == ["false"]


def test_the_third_nights_customers_have_a_new_column(told: Story) -> None:
    rows = rows_of(file_of(told, "Customer_11_25_2026_1_00_02.csv"))
    assert len(rows[0]) == 62
    assert all(row["Route"] for row in rows)


def test_one_file_is_cp1252_with_names_beyond_ascii(told: Story) -> None:
    content = file_of(told, FIRST).content
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    customers = {row["Customer"] for row in rows_of(file_of(told, FIRST), "cp1252")}
    assert any(not name.isascii() for name in customers)
    assert b"\x92" in content


def test_some_files_begin_with_a_byte_order_mark_and_some_do_not(told: Story) -> None:
    dropped = [*told.seed, *(file for wave in told.waves for file in wave.files)]
    marked = [file.name for file in dropped if file.content.startswith(b"\xef\xbb\xbf")]
    assert "01_BACKUP_Sales_Receipt_11_20_2026.csv" in marked
    assert SECOND in marked
    assert 3 <= len(marked) < len(dropped) - 5


@pytest.mark.parametrize("name", ["01_BACKUP_Customer_11_20_2026.csv", AFTERNOON])
def test_cells_hold_line_breaks_and_quotes(told: Story, name: str) -> None:
    cells = [cell for row in rows_of(file_of(told, name)) for cell in row.values()]
    assert any("\n" in cell for cell in cells)
    assert any('"' in cell for cell in cells)
    assert file_of(told, name).content.count(b"\n") > file_of(told, name).content.count(b"\r\n")


@pytest.mark.parametrize(
    ("name", "days"), [(FIRST, 5), (AFTERNOON, 5), (THIRD, 5), ("Customer_11_25_2026_1_00_02.csv", 7)]
)
def test_a_daily_file_holds_only_what_changed_lately(told: Story, name: str, days: int) -> None:
    rows = rows_of(file_of(told, name), "cp1252" if name == FIRST else "utf-8-sig")
    month, day = name.split("_")[1:3]
    at = date(2026, int(month), int(day))
    changed = {day_of(row["Modified Date"]) for row in rows}
    assert 0 <= (at - max(changed)).days <= (at - min(changed)).days <= days
    assert len(rows) < 300


def test_receipts_of_one_night_are_not_in_the_next(told: Story) -> None:
    nights = [
        {row["QuickBooks Internal Id"] for row in rows_of(file)}
        for file in (file_of(told, "Sales_Receipt_11_23_2026_3_00_02.csv"), told.damaged)
    ]
    assert nights[0]
    assert not nights[0] & nights[1]


def test_the_same_bytes_are_dropped_again_as_a_copy(told: Story) -> None:
    copy = file_of(told, "Invoice_11_23_2026_2_00_03 (1).csv")
    assert copy.content == file_of(told, FIRST).content


@pytest.mark.parametrize("last_day", [date(2026, month, day) for month in range(1, 13) for day in (5, 28)])
def test_the_damaged_file_can_never_pass_as_month_first(last_day: date) -> None:
    told = story(last_day, scale=Scale(customers=20, items=20, invoices=20, receipts=10, a_day=2))
    columns = ("Sales Receipt Date", "Due Date", "Product/Service Service Date", "Modified Date")
    months = [int(row[column].split("-")[0]) for row in rows_of(told.damaged) for column in columns if row[column]]
    assert max(months) > 12
    mended = [int(row[column].split("-")[0]) for row in rows_of(told.mended) for column in columns if row[column]]
    assert max(mended) <= 12
