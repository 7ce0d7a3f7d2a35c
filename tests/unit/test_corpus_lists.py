"""Every flat export of the corpus reads as its description says: rows, documents, amounts and dates."""

from __future__ import annotations

import io
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import RowClass
from qbwatch.formats.part import Part, open_part
from qbwatch.formats.records import Record
from qbwatch.formats.tally import Tally, read_whole_documents

# file below saasant/ → rows, documents, sum of the amount column, first and last document date, encoding
DOCUMENTS = """
01_BACKUP_Invoice_04_03_2025.csv           1573 332 488138.40 2024-07-01 2025-04-02
Invoice_04_04_2025_2_00_03.csv              124  26  53439.47 2025-03-04 2025-04-03
Invoice_04_07_2025_2_00_03 (1).csv          152  33  69424.87 2024-08-08 2025-04-04
Invoice_04_07_2025_2_00_03.csv              152  33  69424.87 2024-08-08 2025-04-04
Invoice_04_08_2025_2_00_03.csv              131  25  57636.80 2024-08-08 2025-04-07
Invoice_04_09_2025_2_00_03.csv              136  27  43859.69 2024-08-08 2025-04-08
Invoice_04_10_2025_2_00_03.csv              125  25  28197.20 2025-02-09 2025-04-10
Invoice_04_11_2025_2_00_03.csv              165  33  39202.74 2025-02-09 2025-04-10
Invoice_04_14_2025_2_00_03.csv              125  26  33042.86 2025-03-03 2025-04-11
Invoice_04_15_2025_2_00_03.csv              135  28  43762.55 2024-10-08 2025-04-14
Invoice_04_16_2025_2_00_03.csv              124  26  39045.32 2024-10-08 2025-04-15
Invoice_04_17_2025_2_00_03.csv              121  27  34435.23 2024-10-08 2025-04-16
Invoice_04_17_2025_10_30_01.csv             123  28  35060.99 2024-10-08 2025-04-17
01_BACKUP_Sales_Receipt_04_03_2025.csv      785 240 136512.03 2024-09-01 2025-04-02
Sales_Receipt_04_04_2025_3_00_02.csv         27   8   9429.31 2025-03-30 2025-04-03
Sales_Receipt_04_07_2025_3_00_02.csv         45  15  12194.46 2025-04-02 2025-04-06
Sales_Receipt_04_08_2025_3_00_02.csv         45  17   8491.49 2025-04-03 2025-04-07
Sales_Receipt_04_09_2025_3_00_02.csv         38  15   4648.45 2025-04-03 2025-04-08
Sales_Receipt_04_10_2025_3_00_02.csv         43  15   5412.52 2025-04-03 2025-04-09
Sales_Receipt_04_11_2025_3_00_02.csv         55  18   6699.41 2025-04-03 2025-04-10
Sales_Receipt_04_14_2025_3_00_02.csv         85  21  43846.52 2025-04-04 2025-04-13
Sales_Receipt_04_15_2025_3_00_02.csv         82  19  42115.66 2025-04-10 2025-04-14
Sales_Receipt_04_16_2025_3_00_02.csv         83  20  42412.33 2025-04-11 2025-04-15
Sales_Receipt_04_17_2025_3_00_02.csv         70  18  20671.05 2025-04-12 2025-04-16
Sales_Receipt_04_17_2025_11_00_05.csv        69  18  20666.21 2025-04-12 2025-04-16
Sales_Receipt_04_17_2025_14_00_01.csv        70  18  20671.05 2025-04-12 2025-04-16
"""

# file below saasant/ → rows, encoding, undeclared columns
CUSTOMERS = """
01_BACKUP_Customer_04_03_2025.csv  402 utf-8
Customer_04_04_2025_1_00_02.csv     13 utf-8
Customer_04_07_2025_1_00_02.csv     16 utf-8-sig
Customer_04_08_2025_1_00_02.csv     26 utf-8
Customer_04_09_2025_1_00_02.csv     33 cp1252
Customer_04_10_2025_1_00_02.csv     39 utf-8-sig
Customer_04_11_2025_1_00_02.csv     47 utf-8
Customer_04_14_2025_1_00_02.csv     40 utf-8
Customer_04_15_2025_1_00_02.csv     39 utf-8-sig preferred_language
Customer_04_16_2025_1_00_02.csv     36 utf-8
Customer_04_17_2025_1_00_02.csv     35 utf-8
"""


def told(table: str) -> dict[str, list[str]]:
    """File name → its figures."""
    lines = [line.split(".csv", 1) for line in table.strip().splitlines()]
    return {f"{name}.csv": figures.split() for name, figures in lines}


def part_of(path: Path, order: DateOrder = DateOrder.MDY) -> Part:
    data = path.read_bytes()
    return open_part(lambda: io.BytesIO(data), path.name, order)


def counted(part: Part) -> Tally:
    def read(tally: Tally) -> None:
        for reading in part.readings():
            tally.take(reading)

    tally = read_whole_documents(part.layout, read)
    assert tally.read == tally.structural + tally.accepted
    assert tally.rejects == []
    return tally


def column(part: Part, name: str) -> list[str | None]:
    place = part.layout.columns.index(name)
    return [reading.values[place] for reading in part.readings() if isinstance(reading, Record)]


@pytest.mark.parametrize(("name", "figures"), told(DOCUMENTS).items())
def test_documents_of_the_exporter(name: str, figures: list[str], corpus: Path) -> None:
    part = part_of(corpus / "saasant" / name)
    tally = counted(part)
    keys = [reading.key for reading in part.readings() if isinstance(reading, Record)]
    kind = part.layout.dataset.name.removesuffix("s")
    days = [day for day in column(part, f"{kind}_date") if day]
    found = (len(keys), len(set(keys)), tally.sums["product_service_amount"], min(days), max(days))
    assert found == (int(figures[0]), int(figures[1]), Decimal(figures[2]), figures[3], figures[4])
    assert part.layout.key_columns == ("quickbooks_internal_id",)
    assert part.layout.new == part.layout.withheld == ()


@pytest.mark.parametrize(("name", "figures"), told(CUSTOMERS).items())
def test_customers_of_the_exporter(name: str, figures: list[str], corpus: Path) -> None:
    part = part_of(corpus / "saasant" / name)
    assert counted(part).accepted == int(figures[0])
    assert part.table.encoding == figures[1]
    assert list(part.layout.new) == figures[2:]
    assert ("status" in part.layout.lost) == (name == "Customer_04_10_2025_1_00_02.csv")
    assert part.layout.withheld == ()


def test_every_export_of_items(corpus: Path) -> None:
    files = sorted((corpus / "saasant" / "items").glob("*.csv"))
    assert len(files) == 53
    for file in files:
        part = part_of(file)
        assert (part.layout.dataset.name, part.layout.key_columns) == ("items", ("quickbooks_internal_id",))
        tally = counted(part)
        assert tally.row_classes[RowClass.BLANK] == (1 if "BACKUP" in file.name else 0)
    backup = counted(part_of(files[0]))
    assert (backup.accepted, backup.sums["quantity_on_hand"]) == (206, Decimal("33094.43"))
    last = counted(part_of(corpus / "saasant" / "items" / "Item_06_27_2025_1_30_02.csv"))
    assert (last.accepted, last.sums["quantity_on_hand"]) == (25, Decimal("11024.22"))


def test_contact_lists(corpus: Path) -> None:
    plain = part_of(corpus / "qbo" / "Fathom Row Tutors_Customer Contact List.csv")
    assert counted(plain).row_classes == {RowClass.DETAIL: 2}
    assert column(plain, "customer_name")[1] == 'Cosmo "Bosun" Ekstrand'
    assert column(plain, "billing_address")[0] == "77 Oakum Row\nLoft 3\nNetherwick NJ 08002"

    printed = part_of(corpus / "qbo" / "Skerry Light LLC_Customer Contact List.csv")
    assert printed.layout.header.line == 4
    assert counted(printed).row_classes == {RowClass.DETAIL: 5, RowClass.BLANK: 3, RowClass.FOOTER: 1}
    names = column(printed, "customer_name")
    assert names[1:3] == ["Farhaven Guild:Juniors", "Voss\u00a0& Kin"]
    assert names[4] == "Old Slip Tutors (deleted)"
    keys = [reading.key for reading in printed.readings() if isinstance(reading, Record)]
    assert keys[2] == "Voss & Kin"


def test_an_import_template_of_another_region(corpus: Path) -> None:
    part = part_of(corpus / "qbo" / "invoice_import_uk.csv", DateOrder.DMY)
    tally = counted(part)
    assert (tally.accepted, tally.sums["product_service_amount"]) == (5, Decimal("1442.50"))
    assert column(part, "invoice_date") == ["2025-03-16", None, None, "2025-04-03", "2025-04-05"]
    assert column(part, "product_service_sales_tax") == ["20.0% S"] * 3 + ["0.0% Z", "20.0% S"]
    keys = Counter(reading.key for reading in part.readings() if isinstance(reading, Record))
    assert sorted(keys.values()) == [1, 1, 3]
