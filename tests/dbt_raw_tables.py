"""Raw tables for the tests of the dbt project: made from the declarations, filled by hand or from the corpus.

The corpus is folded here by the few lines that its rule needs, not by the loader, so that the figures of the marts are
checked without trusting the code that normally fills the tables.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from qbwatch.datasets import ColumnType, Dataset, Kind, dataset_named, datasets, percent_twin, spelled_by_hand

LINEAGE = {
    "_key": "text not null",
    "_extra": "jsonb not null default '{}'",
    "_file_id": "bigint",
    "_row_number": "integer",
    "_as_of": "timestamptz",
    "_loaded_at": "timestamptz",
    "_row_hash": "bigint",
}
AS_OF = datetime.fromisoformat("2025-04-17T14:00:01-04:00")

Row = dict[str, Any]


def create_raw_tables(connection: psycopg.Connection) -> None:
    """All raw tables, empty."""
    connection.execute("create schema if not exists raw")
    for dataset in datasets().values():
        columns = {**dataset.stored, **LINEAGE}
        if dataset.kind is Kind.LIST:
            columns["_removed_at"] = "timestamptz"
            key = sql.SQL("_key")
        else:
            columns["_line"] = "integer not null"
            key = sql.SQL("_key, _line")
        declared = [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns.items()]
        connection.execute(
            sql.SQL("create table raw.{} ({}, primary key ({}))").format(
                sql.Identifier(dataset.table), sql.SQL(", ").join(declared), key
            )
        )

    connection.execute(
        "create table raw.quickbooks_item_prices (_key text not null, _as_of timestamptz not null, sales_price numeric,"
        " sales_price_percent numeric, purchase_cost numeric, _file_id bigint, primary key (_key, _as_of))"
    )


def insert(connection: psycopg.Connection, dataset: str, *rows: Row) -> None:
    """Rows of one dataset as its raw table holds them; lineage is filled in where a row doesn't say it."""
    table = sql.Identifier(dataset_named(dataset).table)
    for row in rows:
        filled = {"_as_of": AS_OF, "_loaded_at": AS_OF, "_file_id": 1, "_row_number": 2, **row}
        connection.execute(
            sql.SQL("insert into raw.{} ({}) values ({})").format(
                table,
                sql.SQL(", ").join(map(sql.Identifier, filled)),
                sql.SQL(", ").join([sql.Placeholder()] * len(filled)),
            ),
            list(filled.values()),
        )


def asked(connection: psycopg.Connection, query: str) -> list[Row]:
    """The rows of a query, each by column name."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def by(key: str, rows: list[Row]) -> dict[str, Row]:
    """The rows by the value of one column."""
    return {row[key]: row for row in rows}


def load_corpus(connection: psycopg.Connection, folder: Path) -> None:
    """The end state of the exporter's CSV files in ``folder``, as the rule in its ``expected.json`` has it."""
    for name, stem in (("customers", "Customer"), ("items", "Item")):
        insert(connection, name, *_folded_list(dataset_named(name), folder, stem))
    for name, stem in (("invoices", "Invoice"), ("sales_receipts", "Sales_Receipt")):
        insert(connection, name, *_folded_documents(dataset_named(name), folder, stem))


def _folded_list(dataset: Dataset, folder: Path, stem: str) -> list[Row]:
    state: dict[str, Row] = {}
    for path in _in_time_order(folder, stem):
        for row in _rows(dataset, path):
            state.setdefault(row["_key"], {}).update(row)
    return list(state.values())


def _folded_documents(dataset: Dataset, folder: Path, stem: str) -> list[Row]:
    state: dict[str, list[Row]] = {}
    for path in _in_time_order(folder, stem):
        documents: dict[str, list[Row]] = {}
        for row in _rows(dataset, path):
            lines = documents.setdefault(row["_key"], [])
            lines.append({**row, "_line": len(lines) + 1})
        state.update(documents)
    return [row for lines in state.values() for row in lines]


def _in_time_order(folder: Path, stem: str) -> list[Path]:
    pattern = re.compile(rf"(01_BACKUP_)?{stem}_(\d+)_(\d+)_(\d{{4}})(?:_(\d+)_(\d+)_(\d+))?\.csv")
    found = []
    for path in folder.rglob("*.csv"):
        if match := pattern.fullmatch(path.name):
            month, day, year = (int(part) for part in match.group(2, 3, 4))
            time = tuple(int(part) for part in match.group(5, 6, 7)) if match.group(5) else (23, 59, 59)
            found.append(((year, month, day, *time), path))
    return [path for _, path in sorted(found)]


def _rows(dataset: Dataset, path: Path) -> list[Row]:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252")
    read = []
    for number, cells in enumerate(csv.DictReader(io.StringIO(text, newline="")), start=2):
        row: Row = {}
        for header, cell in cells.items():
            column = _column(header)
            if column in dataset.columns:
                row.update(_typed(column, dataset.columns[column], cell))
        if row["quickbooks_internal_id"]:
            read.append({**row, "_key": row["quickbooks_internal_id"], "_row_number": number})
    return read


def _column(header: str) -> str:
    if header.lower() in spelled_by_hand():
        return spelled_by_hand()[header.lower()]
    name = re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_")
    return re.sub(r"(address_line)(\d)", r"\1_\2", name)


def _typed(column: str, kind: ColumnType, cell: str) -> Row:
    text = cell.strip() or None
    match kind:
        case ColumnType.RATE:
            percent = text is not None and text.endswith("%")
            return {
                column: None if percent else _number(text),
                percent_twin(column): _number(text.rstrip("%")) if percent and text else None,
            }
        case ColumnType.MONEY | ColumnType.QUANTITY | ColumnType.NUMBER | ColumnType.PERCENT:
            return {column: _number(text.rstrip("%") if text else None)}
        case ColumnType.DATE:
            return {column: _date(text)}
        case ColumnType.BOOLEAN:
            return {column: None if text is None else text.lower() == "true"}
        case _:
            return {column: cell or None}


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text.replace(",", ""))


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    month, day, year = (int(part) for part in text.split("-"))
    return date(year, month, day)
