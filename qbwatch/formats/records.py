"""Rows of cells → records of a dataset, each row ending as a record, as structure, or as a reject with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from qbwatch.core.dates import WrongOrder
from qbwatch.core.model import Reject, RowClass
from qbwatch.datasets import Kind
from qbwatch.formats.cells import DAMAGED_ID, is_damaged_id
from qbwatch.formats.layout import Layout
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Row

_SHOWN = 80  # characters of an offending cell that are kept
_LONGEST_KEY = 500  # characters; a longer one is no identifier, and no index could hold it


@dataclass(frozen=True, slots=True)
class Record:
    """One readable row: ``row_number`` counts the file's data rows from 1, ``ordinal`` the lines of its document.

    ``values`` stand in the order of `Layout.cells`, as text for COPY; ``extra`` is JSON of the undeclared columns.
    """

    row_number: int
    line: int
    key: str
    ordinal: int
    values: list[str | None]
    extra: str


@dataclass(frozen=True, slots=True)
class Structure:
    """A row that is no record."""

    line: int
    row_class: RowClass = RowClass.BLANK


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be read, and the key of its document where that could be read."""

    key: str | None
    reject: Reject


Reading = Record | Structure | Rejected


def read_records(rows: Iterator[Row], layout: Layout) -> Iterator[Reading]:
    """Read the rows below the header. Raises `Refusal` when a date contradicts the configured order.

    A row of blanks is structure. A row shorter than the header, or one with content beyond it, is rejected: its
    values might stand under the wrong columns. A list that states one key twice contradicts itself: the later row is
    rejected, naming the line of the first.
    """
    is_list = layout.dataset.kind is Kind.LIST
    seen: dict[str, int] = {}
    for row_number, row in enumerate(rows, start=1):
        reading = read_row(row, row_number, layout)
        if isinstance(reading, Record):
            earlier = seen.get(reading.key, 0)
            if is_list and earlier:
                yield _rejected(row, layout, None, f"its key stands already on line {earlier}")
                continue
            seen[reading.key] = row.line if is_list else earlier + 1
            reading = _numbered(reading, 1 if is_list else earlier + 1)
        yield reading


def _numbered(record: Record, ordinal: int) -> Record:
    return Record(record.row_number, record.line, record.key, ordinal, record.values, record.extra)


def read_row(row: Row, row_number: int, layout: Layout) -> Reading:
    """One row by itself: as if it were the first line of its document, and no other row had its key.

    Raises `Refusal` when a date contradicts the configured order.
    """
    cells = row.cells
    if not any(cell and not cell.isspace() for cell in cells):
        return Structure(row.line)
    if len(cells) < layout.width:
        return _rejected(row, layout, None, f"{len(cells)} cells where the header has {layout.width}")
    if any(cell and not cell.isspace() for cell in cells[layout.width :]):
        return _rejected(row, layout, None, f"content beyond the header's {layout.width} columns")
    key = _key(row, layout)
    if key is None:
        return _rejected(row, layout, layout.key[0], _why_no_key(row, layout))
    values: list[str | None] = []
    for cell in layout.cells:
        try:
            values.append(cell.read(cells[cell.position]))
        except WrongOrder as error:
            raise _wrong_order(row, layout, cell.position, str(error)) from None
        except ValueError as error:
            return _rejected(row, layout, cell.position, str(error))
    return Record(row_number, row.line, key, 0, values, _extra(row, layout))


def _key(row: Row, layout: Layout) -> str | None:
    """The record's key, also of a row that is too short as long as its key's cells are there; None without one."""
    parts = [row.cells[position].strip() if position < len(row.cells) else "" for position in layout.key]
    readable = all(part and "\x00" not in part and not is_damaged_id(part) for part in parts)
    key = " | ".join(parts)
    return key if readable and len(key) <= _LONGEST_KEY else None


def _why_no_key(row: Row, layout: Layout) -> str:
    parts = [row.cells[position].strip() for position in layout.key]
    if not all(parts):
        return "no key: the cell is blank"
    if any(is_damaged_id(part) for part in parts):
        return DAMAGED_ID
    return "no key: the cell holds a NUL character" if "\x00" in "".join(parts) else "the key is too long to be one"


def _extra(row: Row, layout: Layout) -> str:
    """Undeclared columns as JSON, blanks as null so that a blank takes back an earlier value."""
    if not layout.extra:
        return "{}"
    found = {name: row.cells[position].replace("\x00", "") or None for position, name in layout.extra}
    return json.dumps(found, ensure_ascii=False)


def _rejected(row: Row, layout: Layout, position: int | None, reason: str) -> Rejected:
    column = layout.header.written[position] if position is not None else None
    text = row.cells[position][:_SHOWN] if position is not None else ""
    # Postgres keeps no NUL, and this text is for a person.
    return Rejected(_key(row, layout), Reject(row.line, column, text.replace("\x00", "␀"), reason))


def _wrong_order(row: Row, layout: Layout, position: int, reason: str) -> Refusal:
    column = layout.header.written[position]
    return Refusal(
        "date_order",
        f"line {row.line}, column {column!r}: {row.cells[position][:_SHOWN]!r}: {reason}",
        "if the office changed its regional settings, set date_order in [quickbooks]; else export the file again",
    )
