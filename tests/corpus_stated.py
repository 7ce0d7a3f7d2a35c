"""What every file of the corpus is and comes to, part by part; the figures were computed by another reader."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

# file | sheet | dataset | encoding | rows by class, without the header | sums | days | basis, and what else is told:
# a full export or "All Dates" (full), a report that breaks off (broken-off), days before months (dmy), rows of totals
# without a figure (bare-totals:…)
_TABLE = """
desktop/sales_by_customer_detail.csv | - | sales_detail | cp1252 | section 74, detail 21105, subtotal 73, blank 9179 | amount 11584017.63, qty 21148 | 2020-03-17 2024-01-30 | - broken-off
desktop/sales_by_customer_detail_small.csv | - | sales_detail | utf-8 | section 23, detail 258, subtotal 23, grand_total 1, blank 12 | amount 197570.40, qty 280 | 2020-04-01 2024-01-02 | -
desktop/sales_by_item_detail.CSV | - | sales_detail | cp1252 | section 98, detail 207, subtotal 98, grand_total 1 | amount 117202.36, qty 9323 | 2025-07-21 2025-07-25 | -
qbo/Fathom Row Tutors_Customer Contact List.csv | - | customers | utf-8 | detail 2 | - | - | -
qbo/Gull Ness Tree Care_Sales by Customer Detail.csv | - | sales_detail | utf-8 | section 2, detail 6, subtotal 2, grand_total 1 | amount 2490.00 | - | - full
qbo/Ostrand Lockworks Inc_General Ledger.csv | - | general_ledger | utf-8 | section 5, detail 5, subtotal 5, beginning_balance 3, blank 2, footer 1 | amount 1140.95 | 2025-01-01 2025-03-31 | cash bare-totals:1
qbo/Ostrand Lockworks Inc_Journal.csv | - | journal | utf-8 | detail 7, transaction_total 3, blank 2 | debit 5829.45, credit 5829.45 | - | - full
qbo/Skerry Light LLC_Customer Contact List.csv | - | customers | utf-8-sig | detail 5, blank 3, footer 1 | - | - | -
qbo/Skerry Light LLC_Invoices and Received Payments.csv | - | transactions | utf-8 | section 3, detail 9, blank 3, footer 1 | amount 4037.00 | - | - full
qbo/Skerry Light LLC_Open Invoices.csv | - | open_invoices | utf-8 | section 2, detail 3, subtotal 2, grand_total 1 | open_balance 2565.00 | - | -
qbo/Skerry Light LLC_Sales by Product_Service Detail.csv | - | sales_detail | utf-8 | section 2, detail 8, subtotal 2, grand_total 1, blank 3, footer 1 | amount 2190.00 | 2025-01-01 2025-03-31 | accrual
qbo/Tarn Fell Boatworks_Sales and Account Detail.csv | - | sales_detail | utf-8 | section 1, detail 2, subtotal 1, grand_total 1, blank 3, footer 1 | amount 3560.00 | 2025-04-01 2025-04-14 | accrual
qbo/Tarn Fell Boatworks_Transaction List by Date.csv | - | transactions | utf-8 | detail 5, blank 2, footer 1 | amount 10528.65 | 2025-04-01 2025-04-14 | cash
qbo/invoice_import_uk.csv | - | invoices | utf-8 | detail 5 | product_service_amount 1442.50 | - | - dmy
qbo/Gull Ness Tree Care_Sales by Customer Detail.xlsx | Sheet1 | sales_detail | - | section 2, detail 6, subtotal 2, grand_total 1 | amount 2490.00 | - | - full bare-totals:3
qbo/Ostrand Lockworks Inc_General Ledger.xlsx | Sheet1 | general_ledger | - | section 5, detail 5, subtotal 5, beginning_balance 3, blank 2, footer 1 | amount 1140.95 | 2025-01-01 2025-03-31 | cash bare-totals:1
qbo/Skerry Light LLC_Sales by Product_Service Detail.xlsx | Sheet1 | sales_detail | - | section 2, detail 8, subtotal 2, grand_total 1, blank 3, footer 1 | amount 2190.00 | 2025-01-01 2025-03-31 | accrual
saasant/All Lists_04_14_2025_1_00_05.xlsx | Customer | customers | - | detail 413 | - | - | -
saasant/All Lists_04_14_2025_1_00_05.xlsx | Item | items | - | detail 206 | - | - | -
saasant/All Lists_04_14_2025_1_00_05.xlsx | Vendor | vendors | - | detail 22 | - | - | -
saasant/All Lists_04_14_2025_1_00_05.xlsx | Account | accounts | - | detail 32 | - | - | -
saasant/All Transactions_04_14_2025_2_00_09.xlsx | Invoice | invoices | - | detail 1772 | product_service_amount 556124.41 | - | -
saasant/All Transactions_04_14_2025_2_00_09.xlsx | Sales Receipt | sales_receipts | - | detail 926 | product_service_amount 189863.93 | - | -
saasant/All Transactions_04_14_2025_2_00_09.xlsx | Credit Memo | credit_memos | - | detail 7 | product_service_amount 1380.92 | - | -
iif/all_lists_mac_2019.iif | ACCNT | accounts | utf-8 | detail 5, preamble 1, other_kind 3 | - | - | -
iif/all_lists_mac_2019.iif | INVITEM | items | utf-8 | detail 4, member 3 | - | - | -
iif/all_lists_mac_2019.iif | CUST | customers | utf-8 | detail 2 | - | - | -
iif/all_lists_mac_2019.iif | TERMS | terms | utf-8 | detail 2 | - | - | -
iif/all_lists_mac_6.iif | ACCNT | accounts | utf-8 | detail 4, preamble 1, other_kind 3 | - | - | -
iif/all_lists_mac_6.iif | INVITEM | items | utf-8 | detail 0 | - | - | -
iif/all_lists_mac_6.iif | CUST | customers | utf-8 | detail 2 | - | - | -
iif/all_lists_windows_34.IIF | ACCNT | accounts | utf-8 | detail 16, preamble 1, other_kind 12 | - | - | -
iif/all_lists_windows_34.IIF | INVITEM | items | utf-8 | detail 13, member 6 | - | - | -
iif/all_lists_windows_34.IIF | CUST | customers | utf-8 | detail 4 | - | - | -
iif/all_lists_windows_34.IIF | VEND | vendors | utf-8 | detail 2 | - | - | -
iif/all_lists_windows_34.IIF | TERMS | terms | utf-8 | detail 3 | - | - | -
saasant/items/01_BACKUP_Item_04_03_2025.csv | - | items | utf-8 | detail 206, blank 1 | quantity_on_hand 33094.43 | - | - full
saasant/items/Item_04_04_2025_1_30_04.csv | - | items | utf-8 | detail 31 | quantity_on_hand 15018.31 | - | -
saasant/items/Item_04_05_2025_1_30_02.csv | - | items | utf-8 | detail 31 | quantity_on_hand 14981.31 | - | -
saasant/items/Item_04_06_2025_1_30_02.csv | - | items | utf-8 | detail 31 | quantity_on_hand 14981.31 | - | -
saasant/items/Item_04_07_2025_1_30_02.csv | - | items | utf-8 | detail 24 | quantity_on_hand 13215.31 | - | -
saasant/items/Item_04_08_2025_1_30_03.csv | - | items | utf-8 | detail 24 | quantity_on_hand 13234.31 | - | -
saasant/items/Item_04_17_2025_1_30_02.csv | - | items | utf-8-sig | detail 28 | quantity_on_hand 10259.92 | - | -
saasant/items/Item_04_18_2025_1_30_02.csv | - | items | utf-8 | detail 28 | quantity_on_hand 9879.92 | - | -
saasant/items/Item_04_19_2025_1_30_02.csv | - | items | utf-8-sig | detail 25 | quantity_on_hand 8744 | - | -
saasant/items/Item_04_20_2025_1_30_03.csv | - | items | utf-8-sig | detail 25 | quantity_on_hand 8744 | - | -
saasant/items/Item_04_21_2025_1_30_02.csv | - | items | utf-8-sig | detail 26 | quantity_on_hand 8797 | - | -
saasant/items/Item_04_24_2025_1_30_02.csv | - | items | utf-8-sig | detail 23 | quantity_on_hand 9260 | - | -
saasant/items/Item_04_25_2025_1_30_02.csv | - | items | utf-8 | detail 21 | quantity_on_hand 9165 | - | -
saasant/items/Item_04_26_2025_1_30_02.csv | - | items | utf-8-sig | detail 21 | quantity_on_hand 9141 | - | -
saasant/items/Item_04_27_2025_1_30_02.csv | - | items | utf-8-sig | detail 21 | quantity_on_hand 9141 | - | -
saasant/items/Item_04_28_2025_1_30_03.csv | - | items | utf-8 | detail 21 | quantity_on_hand 9141 | - | -
saasant/items/Item_04_29_2025_1_30_02.csv | - | items | utf-8 | detail 16 | quantity_on_hand 6982 | - | -
saasant/items/Item_04_30_2025_1_30_02.csv | - | items | utf-8 | detail 19 | quantity_on_hand 9420 | - | -
saasant/items/Item_05_01_2025_1_30_02.csv | - | items | utf-8 | detail 21 | quantity_on_hand 9239 | - | -
saasant/items/Item_05_02_2025_1_30_02.csv | - | items | utf-8 | detail 24 | quantity_on_hand 9675.21 | - | -
saasant/items/Item_05_09_2025_1_30_02.csv | - | items | utf-8-sig | detail 39 | quantity_on_hand 10953.01 | - | -
saasant/items/Item_05_10_2025_1_30_03.csv | - | items | utf-8-sig | detail 38 | quantity_on_hand 10835.01 | - | -
saasant/items/Item_05_11_2025_1_30_02.csv | - | items | utf-8 | detail 42 | quantity_on_hand 10913.01 | - | -
saasant/items/Item_05_12_2025_1_30_02.csv | - | items | utf-8 | detail 43 | quantity_on_hand 10913.01 | - | -
saasant/items/Item_05_13_2025_1_30_02.csv | - | items | utf-8 | detail 47 | quantity_on_hand 12055.58 | - | -
saasant/items/Item_05_15_2025_1_30_04.csv | - | items | utf-8 | detail 46 | quantity_on_hand 51951.27 | - | -
saasant/items/Item_05_16_2025_1_30_02.csv | - | items | utf-8 | detail 44 | quantity_on_hand 51945.27 | - | -
saasant/items/Item_05_17_2025_1_30_02.csv | - | items | utf-8 | detail 41 | quantity_on_hand 51984.27 | - | -
saasant/items/Item_05_28_2025_1_30_03.csv | - | items | utf-8 | detail 35 | quantity_on_hand 14051.99 | - | -
saasant/items/Item_05_29_2025_1_30_02.csv | - | items | utf-8-sig | detail 33 | quantity_on_hand 13668.39 | - | -
saasant/items/Item_05_30_2025_1_30_02.csv | - | items | utf-8-sig | detail 33 | quantity_on_hand 12047.69 | - | -
saasant/items/Item_06_05_2025_1_30_02.csv | - | items | utf-8 | detail 41 | quantity_on_hand 43590.29 | - | -
saasant/items/Item_06_06_2025_1_30_04.csv | - | items | utf-8-sig | detail 40 | quantity_on_hand 43562.19 | - | -
saasant/items/Item_06_07_2025_1_30_02.csv | - | items | utf-8 | detail 38 | quantity_on_hand 29288.52 | - | -
saasant/items/Item_06_08_2025_1_30_03.csv | - | items | utf-8 | detail 38 | quantity_on_hand 29288.52 | - | -
saasant/items/Item_06_09_2025_1_30_02.csv | - | items | utf-8-sig | detail 38 | quantity_on_hand 29288.52 | - | -
saasant/items/Item_06_10_2025_1_30_02.csv | - | items | utf-8 | detail 36 | quantity_on_hand 29521.21 | - | -
saasant/items/Item_06_11_2025_1_30_03.csv | - | items | utf-8 | detail 36 | quantity_on_hand 27812.91 | - | -
saasant/items/Item_06_13_2025_1_30_02.csv | - | items | utf-8 | detail 32 | quantity_on_hand 23441.97 | - | -
saasant/items/Item_06_14_2025_1_30_02.csv | - | items | utf-8-sig | detail 37 | quantity_on_hand 24279.97 | - | -
saasant/items/Item_06_15_2025_1_30_02.csv | - | items | utf-8 | detail 37 | quantity_on_hand 24279.97 | - | -
saasant/items/Item_06_16_2025_1_30_02.csv | - | items | utf-8-sig | detail 37 | quantity_on_hand 24279.97 | - | -
saasant/items/Item_06_17_2025_1_30_04.csv | - | items | utf-8-sig | detail 31 | quantity_on_hand 23888.97 | - | -
saasant/items/Item_06_18_2025_1_30_03.csv | - | items | utf-8 | detail 30 | quantity_on_hand 23523.29 | - | -
saasant/items/Item_06_19_2025_1_30_04.csv | - | items | utf-8 | detail 27 | quantity_on_hand 22874.69 | - | -
saasant/items/Item_06_20_2025_1_30_03.csv | - | items | utf-8 | detail 21 | quantity_on_hand 9600.3 | - | -
saasant/items/Item_06_21_2025_1_30_02.csv | - | items | utf-8-sig | detail 18 | quantity_on_hand 9118.8 | - | -
saasant/items/Item_06_22_2025_1_30_03.csv | - | items | utf-8 | detail 18 | quantity_on_hand 9118.8 | - | -
saasant/items/Item_06_23_2025_1_30_02.csv | - | items | utf-8 | detail 19 | quantity_on_hand 9324.9 | - | -
saasant/items/Item_06_24_2025_1_30_03.csv | - | items | utf-8 | detail 21 | quantity_on_hand 9940.6 | - | -
saasant/items/Item_06_25_2025_1_30_02.csv | - | items | utf-8-sig | detail 22 | quantity_on_hand 10316.7 | - | -
saasant/items/Item_06_26_2025_1_30_04.csv | - | items | utf-8 | detail 22 | quantity_on_hand 10117.7 | - | -
saasant/items/Item_06_27_2025_1_30_02.csv | - | items | utf-8-sig | detail 25 | quantity_on_hand 11024.22 | - | -
saasant/01_BACKUP_Customer_04_03_2025.csv | - | customers | utf-8 | detail 402 | - | - | - full
saasant/Customer_04_04_2025_1_00_02.csv | - | customers | utf-8 | detail 13 | - | - | -
saasant/Customer_04_07_2025_1_00_02.csv | - | customers | utf-8-sig | detail 16 | - | - | -
saasant/Customer_04_08_2025_1_00_02.csv | - | customers | utf-8 | detail 26 | - | - | -
saasant/Customer_04_09_2025_1_00_02.csv | - | customers | cp1252 | detail 33 | - | - | -
saasant/Customer_04_10_2025_1_00_02.csv | - | customers | utf-8-sig | detail 39 | - | - | -
saasant/Customer_04_11_2025_1_00_02.csv | - | customers | utf-8 | detail 47 | - | - | -
saasant/Customer_04_14_2025_1_00_02.csv | - | customers | utf-8 | detail 40 | - | - | -
saasant/Customer_04_15_2025_1_00_02.csv | - | customers | utf-8-sig | detail 39 | - | - | -
saasant/Customer_04_16_2025_1_00_02.csv | - | customers | utf-8 | detail 36 | - | - | -
saasant/Customer_04_17_2025_1_00_02.csv | - | customers | utf-8 | detail 35 | - | - | -
saasant/01_BACKUP_Invoice_04_03_2025.csv | - | invoices | utf-8 | detail 1573 | product_service_amount 488138.40 | - | - full
saasant/Invoice_04_04_2025_2_00_03.csv | - | invoices | utf-8 | detail 124 | product_service_amount 53439.47 | - | -
saasant/Invoice_04_07_2025_2_00_03 (1).csv | - | invoices | utf-8 | detail 152 | product_service_amount 69424.87 | - | -
saasant/Invoice_04_07_2025_2_00_03.csv | - | invoices | utf-8 | detail 152 | product_service_amount 69424.87 | - | -
saasant/Invoice_04_08_2025_2_00_03.csv | - | invoices | utf-8-sig | detail 131 | product_service_amount 57636.80 | - | -
saasant/Invoice_04_09_2025_2_00_03.csv | - | invoices | utf-8 | detail 136 | product_service_amount 43859.69 | - | -
saasant/Invoice_04_10_2025_2_00_03.csv | - | invoices | utf-8 | detail 125 | product_service_amount 28197.20 | - | -
saasant/Invoice_04_11_2025_2_00_03.csv | - | invoices | utf-8 | detail 165 | product_service_amount 39202.74 | - | -
saasant/Invoice_04_14_2025_2_00_03.csv | - | invoices | utf-8-sig | detail 125 | product_service_amount 33042.86 | - | -
saasant/Invoice_04_15_2025_2_00_03.csv | - | invoices | utf-8 | detail 135 | product_service_amount 43762.55 | - | -
saasant/Invoice_04_16_2025_2_00_03.csv | - | invoices | utf-8 | detail 124 | product_service_amount 39045.32 | - | -
saasant/Invoice_04_17_2025_2_00_03.csv | - | invoices | utf-8 | detail 121 | product_service_amount 34435.23 | - | -
saasant/Invoice_04_17_2025_10_30_01.csv | - | invoices | utf-8 | detail 123 | product_service_amount 35060.99 | - | -
saasant/01_BACKUP_Sales_Receipt_04_03_2025.csv | - | sales_receipts | utf-8-sig | detail 785 | product_service_amount 136512.03 | - | - full
saasant/Sales_Receipt_04_04_2025_3_00_02.csv | - | sales_receipts | utf-8-sig | detail 27 | product_service_amount 9429.31 | - | -
saasant/Sales_Receipt_04_07_2025_3_00_02.csv | - | sales_receipts | utf-8 | detail 45 | product_service_amount 12194.46 | - | -
saasant/Sales_Receipt_04_08_2025_3_00_02.csv | - | sales_receipts | utf-8-sig | detail 45 | product_service_amount 8491.49 | - | -
saasant/Sales_Receipt_04_09_2025_3_00_02.csv | - | sales_receipts | utf-8 | detail 38 | product_service_amount 4648.45 | - | -
saasant/Sales_Receipt_04_10_2025_3_00_02.csv | - | sales_receipts | utf-8-sig | detail 43 | product_service_amount 5412.52 | - | -
saasant/Sales_Receipt_04_11_2025_3_00_02.csv | - | sales_receipts | utf-8 | detail 55 | product_service_amount 6699.41 | - | -
saasant/Sales_Receipt_04_14_2025_3_00_02.csv | - | sales_receipts | utf-8-sig | detail 85 | product_service_amount 43846.52 | - | -
saasant/Sales_Receipt_04_15_2025_3_00_02.csv | - | sales_receipts | utf-8 | detail 82 | product_service_amount 42115.66 | - | -
saasant/Sales_Receipt_04_16_2025_3_00_02.csv | - | sales_receipts | utf-8-sig | detail 83 | product_service_amount 42412.33 | - | -
saasant/Sales_Receipt_04_17_2025_3_00_02.csv | - | sales_receipts | utf-8 | detail 70 | product_service_amount 20671.05 | - | -
saasant/Sales_Receipt_04_17_2025_11_00_05.csv | - | sales_receipts | utf-8 | detail 69 | product_service_amount 20666.21 | - | -
saasant/Sales_Receipt_04_17_2025_14_00_01.csv | - | sales_receipts | utf-8 | detail 70 | product_service_amount 20671.05 | - | -
"""  # noqa: E501

SET_ASIDE = {
    "qbo/Gull Ness Tree Care_Estimates by Customer.csv": (
        None, "quarantine", "'Estimates by Customer' is a report of estimates, which are no sales"
    ),
    "saasant/All Transactions_04_14_2025_2_00_09.xlsx": ("Payment", "ignore", "an empty sheet"),
}  # fmt: skip
"""Parts that are not loaded, by file: the sheet, the verdict, and how its reason begins."""


@dataclass(frozen=True)
class Stated:
    """What is stated of one part; ``days`` is None for a report of all dates and for what is no report."""

    sheet: str | None
    dataset: str
    encoding: str | None
    classes: dict[str, int]
    sums: dict[str, Decimal]
    days: tuple[str, str] | None
    basis: str | None
    told: frozenset[str]

    @property
    def totals_with_figures(self) -> int:
        """Rows of totals that print something to check."""
        totals = sum(self.classes.get(each, 0) for each in ("subtotal", "grand_total", "transaction_total"))
        bare = [int(each.removeprefix("bare-totals:")) for each in self.told if each.startswith("bare-totals:")]
        return totals - sum(bare)


def stated() -> dict[str, list[Stated]]:
    """The parts of each file, in the order of the table."""
    found: dict[str, list[Stated]] = {}
    for line in _TABLE.strip().splitlines():
        name, sheet, dataset, encoding, classes, sums, days, rest = line.split(" | ")
        first, *last = days.split()
        basis, *told = rest.split()
        part = Stated(
            _given(sheet),
            f"quickbooks.{dataset}",
            _given(encoding),
            {key: int(value) for key, value in _pairs(classes)},
            {key: Decimal(value) for key, value in _pairs(sums)},
            (first, last[0]) if last else None,
            _given(basis),
            frozenset(told),
        )
        found.setdefault(name, []).append(part)
    return found


def _given(text: str) -> str | None:
    return None if text == "-" else text


def _pairs(text: str) -> list[list[str]]:
    return [] if text == "-" else [pair.split() for pair in text.split(", ")]
