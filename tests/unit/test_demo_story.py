"""Every difficulty the demo promises is in the files it drops."""

from __future__ import annotations

import csv
import io
import time
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from qbwatch.demo.desk import Scene
from qbwatch.demo.exports import ExportFile
from qbwatch.demo.history import Scale, business_days_until
from qbwatch.demo.story import Story, story

Row = dict[str, str]
LAST_DAY = date(2026, 11, 25)
AMOUNT = "Product/Service  Amount"
CELLS = ("Product/Service", "Product/Service Description", "Product/Service Quantity", "Product/Service Rate", AMOUNT)


@pytest.fixture(scope="module")
def told() -> Story:
    return story(LAST_DAY)


def file_of(told: Story, name: str) -> ExportFile:
    dropped = [*told.seed, *(file for wave in told.waves for file in wave.files), told.mended]
    return next(file for file in dropped if file.name == name)


def rows_of(file: ExportFile, encoding: str = "utf-8-sig") -> list[Row]:
    return list(csv.DictReader(io.StringIO(file.content.decode(encoding), newline=""), strict=True))


def lines_of(told: Story, name: str, scene: Scene, encoding: str = "utf-8-sig") -> list[Row]:
    """The lines of the document that plays a scene, as one file has them."""
    rows = rows_of(file_of(told, name), encoding)
    return [row for row in rows if row["QuickBooks Internal Id"] == told.scenes[scene]]


SEED, FIRST = "01_BACKUP_Invoice_11_20_2026.csv", "Invoice_11_23_2026_2_00_03.csv"
SECOND, AFTERNOON = "Invoice_11_24_2026_2_00_03.csv", "Invoice_11_24_2026_14_30_05.csv"
THIRD = "Invoice_11_25_2026_2_00_03.csv"


def test_the_files_arrive_as_the_scheduler_names_them(told: Story) -> None:
    assert [file.name for file in told.seed] == [
        "01_BACKUP_Customer_11_20_2026.csv",
        "01_BACKUP_Item_11_20_2026.csv",
        SEED,
        "01_BACKUP_Sales_Receipt_11_20_2026.csv",
    ]
    assert [[file.name for file in wave.files] for wave in told.waves] == [
        [
            "Customer_11_23_2026_1_00_02.csv",
            "Item_11_23_2026_1_30_02.csv",
            FIRST,
            "Sales_Receipt_11_23_2026_3_00_02.csv",
        ],
        [
            "Customer_11_24_2026_1_00_02.csv",
            "Item_11_24_2026_1_30_02.csv",
            SECOND,
            "Sales_Receipt_11_24_2026_3_00_02.csv",
        ],
        ["Invoice_11_23_2026_2_00_03 (1).csv", AFTERNOON],
        [
            "Customer_11_25_2026_1_00_02.csv",
            "Item_11_25_2026_1_30_02.csv",
            THIRD,
            "Sales_Receipt_11_25_2026_3_00_02.csv",
        ],
    ]
    assert [day.day for day in told.days] == [date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)]
    assert (told.damaged.name, told.mended.name) == (
        "Sales_Receipt_11_24_2026_3_00_02.csv",
        "Sales_Receipt_11_24_2026_9_40_17.csv",
    )


def test_only_full_exports_go_to_the_seed_folder(told: Story) -> None:
    assert {file.folder for file in told.seed} == {"seed"}
    assert {file.folder for wave in told.waves for file in wave.files} | {told.mended.folder} == {"input"}


def test_a_plain_sort_by_name_would_read_the_afternoon_before_the_night() -> None:
    assert sorted([SECOND, AFTERNOON]) == [AFTERNOON, SECOND]


def test_the_firm_has_the_size_of_a_small_one(told: Story) -> None:
    after = told.expected_after_seed
    assert (after.customers, after.items, after.invoices.documents, after.receipts.documents) == (120, 60, 220, 120)
    assert 800 <= after.invoices.lines <= 1000


def test_one_product_stands_on_three_lines_two_of_them_identical(told: Story) -> None:
    lines = lines_of(told, FIRST, Scene.REPEATED_LINES, "cp1252")
    repeated, _ = Counter(line["Product/Service"] for line in lines).most_common(1)[0]
    alike = Counter(tuple(line[cell] for cell in CELLS) for line in lines if line["Product/Service"] == repeated)
    assert sorted(alike.values()) == [1, 2]
    assert len({tuple(v for k, v in line.items() if k != "S.No") for line in lines}) == len(lines) - 1


def test_an_edited_invoice_has_a_line_less_in_a_later_file(told: Story) -> None:
    before, after = (lines_of(told, name, Scene.LOSES_A_LINE) for name in (SEED, SECOND))
    assert len(after) == len(before) - 1
    gone = {line["Product/Service"] for line in before} - {line["Product/Service"] for line in after}
    assert len(gone) == 1
    assert Decimal(after[0]["Total Amount"]) < Decimal(before[0]["Total Amount"])


def test_a_void_invoice_keeps_its_lines_at_zero_and_reads_paid(told: Story) -> None:
    before, after = (lines_of(told, name, Scene.VOIDED) for name in (SECOND, THIRD))
    assert before[0]["Status"] == "Open"
    assert len(after) == len(before)
    assert {line["Status"] for line in after} == {"Paid"}
    assert all(line["Memo"].startswith("VOID:") for line in after)
    assert {line[AMOUNT] for line in after} <= {"0.00", ""}
    assert {line["Product/Service Quantity"] for line in after} == {"0", ""}
    assert {after[0][column] for column in ("Total Amount", "Total Tax", "Balance Due")} == {"0.00"}
    assert [line["Product/Service Rate"] for line in after] == [line["Product/Service Rate"] for line in before]


def test_a_sales_receipt_becomes_void_too(told: Story) -> None:
    before = lines_of(told, "Sales_Receipt_11_23_2026_3_00_02.csv", Scene.RECEIPT_VOIDED)
    after = lines_of(told, "Sales_Receipt_11_25_2026_3_00_02.csv", Scene.RECEIPT_VOIDED)
    assert Decimal(before[0]["Total Amount"]) > 0
    assert (after[0]["Total Amount"], after[0]["Memo"][:5]) == ("0.00", "VOID:")


def test_statuses_change_from_file_to_file(told: Story) -> None:
    def history(scene: Scene, *names: str) -> list[str]:
        return [lines_of(told, name, scene, "cp1252" if name == FIRST else "utf-8-sig")[0]["Status"] for name in names]

    assert history(Scene.PAID, SEED, FIRST) == ["Open", "Paid"]
    assert history(Scene.PAID_IN_PARTS, FIRST, SECOND, AFTERNOON) == ["Open", "Partially Paid", "Paid"]
    assert history(Scene.REOPENED, SECOND, THIRD) == ["Paid", "Open"]


def test_what_is_owed_fits_the_status(told: Story) -> None:
    for row in rows_of(file_of(told, AFTERNOON)) + rows_of(file_of(told, SEED)):
        owed, total = Decimal(row["Balance Due"]), Decimal(row["Total Amount"])
        assert row["Status"] == ("Paid" if not owed else "Open" if owed == total else "Partially Paid")


def test_an_invoice_comes_a_day_before_its_customer(told: Story) -> None:
    late = told.scenes[Scene.LATE_CUSTOMER]
    files = ("01_BACKUP_Customer_11_20_2026", *(f"Customer_11_{day}_2026_1_00_02" for day in (23, 24, 25)))
    known = [late in {row["QuickBooks Internal Id"] for row in rows_of(file_of(told, f"{name}.csv"))} for name in files]
    assert known == [False, False, False, True]
    assert lines_of(told, AFTERNOON, Scene.LATE_CUSTOMERS_INVOICE)
    assert not lines_of(told, SECOND, Scene.LATE_CUSTOMERS_INVOICE)
    assert [wave.expected.orphans for wave in told.waves] == [0, 0, 1, 0]


def test_two_invoices_share_a_number(told: Story) -> None:
    first, second = lines_of(told, SEED, Scene.NUMBER_FIRST)[0], lines_of(told, SECOND, Scene.NUMBER_SECOND)[0]
    assert first["Invoice No"] == second["Invoice No"]
    assert first["QuickBooks Internal Id"] != second["QuickBooks Internal Id"]
    assert first["Customer"] != second["Customer"]


def test_an_invoice_has_text_subtotal_discount_shipping_and_tax(told: Story) -> None:
    lines = lines_of(told, SEED, Scene.VOIDED)
    by_product = {line["Product/Service"]: line for line in lines}
    assert by_product[""]["Product/Service Description"] == "Pack with care"
    assert by_product[""][AMOUNT] == ""
    assert by_product["Trade Discount"]["Product/Service Rate"] == "-10%"
    assert by_product["NJ Sales Tax"]["Product/Service Rate"] == "6.625%"
    assert by_product["Shipping"]["Product/Service Quantity"] == ""
    goods = sum(Decimal(line[AMOUNT]) for line in lines[1:4])
    assert Decimal(by_product["Subtotal"][AMOUNT]) == goods
    taxed = goods + Decimal(by_product["Trade Discount"][AMOUNT])
    assert abs(Decimal(by_product["NJ Sales Tax"][AMOUNT]) - taxed * Decimal("0.06625")) <= Decimal("0.01")


def test_a_later_file_corrects_a_receipt_of_the_damaged_one(told: Story) -> None:
    mended = lines_of(told, told.mended.name, Scene.RECEIPT_CORRECTED)
    corrected = lines_of(told, "Sales_Receipt_11_25_2026_3_00_02.csv", Scene.RECEIPT_CORRECTED)
    assert len(corrected) == len(mended) - 1


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert story(LAST_DAY, 7) == story(LAST_DAY, 7)
    assert story(LAST_DAY, 7).seed != story(LAST_DAY, 8).seed


def test_a_weekend_falls_back_to_the_friday_before_it() -> None:
    assert business_days_until(date(2026, 11, 29), 4) == tuple(date(2026, 11, day) for day in (24, 25, 26, 27))


def test_telling_the_story_takes_less_than_a_second() -> None:
    began = time.process_time()
    story(LAST_DAY)
    assert time.process_time() - began < 1


def test_a_firm_too_small_for_the_scenes_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 8 customers, 20 items"):
        Scale(customers=3)
