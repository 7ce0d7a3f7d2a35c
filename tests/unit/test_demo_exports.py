"""The generated files have the exporter's layout, and cells the declarations can type."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, time
from itertools import pairwise

import pytest

from qbwatch.datasets import ColumnType, dataset_named, spelled_by_hand
from qbwatch.demo import columns
from qbwatch.demo.exports import Dataset, Export, ExportFile, Layout
from qbwatch.demo.story import Story, story

HEADERS = {
    "customers": (columns.CUSTOMER, 61),
    "items": (columns.ITEM, 29),
    "invoices": (columns.INVOICE, 73),
    "sales_receipts": (columns.SALES_RECEIPT, 58),
}
SHAPES = {
    ColumnType.DATE: r"\d\d-\d\d-\d{4}",
    ColumnType.MONEY: r"-?\d{1,3}(,\d{3})+\.\d\d|-?\d+\.\d\d",
    ColumnType.QUANTITY: r"-?\d+(\.\d+)?",
    ColumnType.NUMBER: r"\d+(\.\d+)?",
    ColumnType.PERCENT: r"\d+(\.\d+)?",
    ColumnType.RATE: r"\d+\.\d\d|-?\d+(\.\d+)?%",
    ColumnType.BOOLEAN: r"true|false",
    ColumnType.ID: r"\d{1,3}(,\d{3})*",
}


@pytest.fixture(scope="module")
def told() -> Story:
    return story(date(2026, 11, 25))


def rows_of(file: ExportFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline=""), strict=True))


def column_of(header: str) -> str:
    """The column name of a header: snake case, a space before the number of an address line, three by hand."""
    if header.lower() in spelled_by_hand():
        return spelled_by_hand()[header.lower()]
    return re.sub(r"line(\d)", r"line_\1", re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_"))


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_names_declared_columns_alone(name: str) -> None:
    header, count = HEADERS[name]
    dataset = dataset_named(name)
    assert len(header) == count
    assert header[0] == "S.No"
    assert {column_of(column) for column in header} <= {*dataset.columns, *dataset.ignored}


def test_the_exporters_own_spelling_is_kept() -> None:
    assert {"Trans #", "Product/Service  Amount", "Tax Persentage", "Billing Address Line1"} < {*columns.INVOICE}
    assert {"Product/Service Amount", "Billing Address Line 1"} < {*columns.SALES_RECEIPT}
    assert {"U/M", "Manufacturer's Part Number", "Unit Weight (kg)"} < {*columns.ITEM}


@pytest.mark.parametrize("position", range(4))
def test_every_cell_has_the_shape_of_its_columns_type(told: Story, position: int) -> None:
    dataset = dataset_named(list(HEADERS)[position])
    filled = set()
    for row in rows_of(told.seed[position]):
        assert None not in row
        for header, cell in row.items():
            shape = SHAPES.get(dataset.columns.get(column_of(header), ColumnType.TEXT))
            if cell and shape:
                assert re.fullmatch(shape, cell), (header, cell)
                filled.add(header)
    assert len(filled) >= 4


@pytest.mark.parametrize("position", range(4))
def test_internal_ids_have_quickbooks_shape_and_tell_records_apart(told: Story, position: int) -> None:
    ids = [row["QuickBooks Internal Id"] for row in rows_of(told.seed[position])]
    assert all(re.fullmatch(r"[0-9A-F]{5,8}-\d{9,10}", found) for found in ids)
    if position < 2:
        assert len(set(ids)) == len(ids)
        assert all(found.startswith("8000") for found in ids)


def test_the_lines_of_a_document_stand_together(told: Story) -> None:
    ids = [row["QuickBooks Internal Id"] for row in rows_of(told.seed[2])]
    changes = sum(before != after for before, after in pairwise(ids))
    assert changes + 1 == len(set(ids))


def test_rows_are_numbered_and_end_in_carriage_return_and_line_feed(told: Story) -> None:
    file = told.seed[2]
    rows = rows_of(file)
    assert [row["S.No"] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
    assert file.content.endswith(b"\r\n")
    assert file.content.count(b"\r\n") == len(rows) + 1


def test_a_serial_number_has_a_thousands_comma(told: Story) -> None:
    assert all(re.fullmatch(r"\d+,\d{3}", row["Trans #"]) for row in rows_of(told.seed[2]))


def test_every_product_on_a_line_is_an_item(told: Story) -> None:
    items = {row["Item Name"] for row in rows_of(told.seed[1])}
    sold = {row["Product/Service"] for file in told.seed[2:] for row in rows_of(file)} - {""}
    assert sold <= items
    assert len(sold) > 40


def test_customers_have_branches_and_some_names_beyond_ascii(told: Story) -> None:
    names = [row["Customer Name"] for row in rows_of(told.seed[0])]
    assert len(set(names)) == len(names)
    assert sum(":" in name for name in names) >= 10
    assert sum(not name.isascii() for name in names) >= 8
    assert all(name.partition(":")[0] in names for name in names)


def test_addresses_and_telephones_are_invented(told: Story) -> None:
    for row in rows_of(told.seed[0]):
        assert re.fullmatch(r"\(908\) 555-01\d\d", row["Main Phone"])
        for mail in row["Main Email"].split("; "):
            assert re.fullmatch(r"[a-z0-9.-]+@[a-z0-9-]+\.example", mail)


def test_an_empty_window_is_a_header_alone() -> None:
    file = Export(Dataset.ITEMS, date(2026, 3, 9), time(1, 30, 2), (), {}).write()
    assert file.name == "Item_03_09_2026_1_30_02.csv"
    assert file.content.decode() == ",".join(columns.ITEM) + "\r\n"


def test_a_layout_loses_and_gains_columns() -> None:
    layout = Layout(lost="Status", gained="Route")
    file = Export(Dataset.CUSTOMERS, date(2026, 3, 9), None, (), {}, layout).write()
    header = file.content.decode().strip().split(",")
    assert (file.name, file.folder) == ("01_BACKUP_Customer_03_09_2026.csv", "seed")
    assert {*header} == {*columns.CUSTOMER} - {"Status"} | {"Route"}


@pytest.mark.parametrize("seed", range(5))
def test_any_file_can_be_written_in_cp1252(seed: int) -> None:
    told = story(date(2026, 6, 12), seed)
    for file in told.seed:
        assert file.content.decode("utf-8-sig").encode("cp1252")
