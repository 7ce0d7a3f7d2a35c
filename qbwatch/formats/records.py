"""Rows of cells → records of a dataset, each row ending as a record, as structure, or as a reject with its reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qbwatch.core.dates import WrongOrder
from qbwatch.core.model import Reject, RowClass
from qbwatch.datasets import Kind
from qbwatch.formats.keys import KeyReader
from qbwatch.formats.layout import Cell, Layout
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.report_text import read_footer
from qbwatch.formats.table import Row, Unusable
from qbwatch.formats.torn import why_torn

_SHOWN = 80  # characters of an offending cell that are kept
_NUMERIC = re.compile(r"[-$(0-9., )]+")


@dataclass(frozen=True, slots=True)
class Record:
    """One readable row: ``row_number`` counts the part's data rows from 1, ``ordinal`` the lines of its document.

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
    """A row that is no record; ``is_checked_total`` when its printed figures were found to tie."""

    line: int
    row_class: RowClass = RowClass.BLANK
    is_checked_total: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be read, and the key of its document where that could be read."""

    key: str | None
    reject: Reject


Reading = Record | Structure | Rejected


def read_records(rows: Iterator[Row], layout: Layout) -> Iterator[Reading]:
    """Read the rows below the header. Raises `Refusal` when a date contradicts the configured order.

    A row of blanks is structure, and so is what closes a printed list. A row shorter than the header, or one with
    content beyond it, is rejected: its values might stand under the wrong columns. A list that states one key twice
    contradicts itself: the later row is rejected, naming the line of the first.
    """
    is_list = layout.dataset.kind is Kind.LIST
    keys = KeyReader(layout)
    seen: dict[str, int] = {}
    for row_number, row in enumerate(rows, start=1):
        reading = read_row(row, row_number, layout, keys)
        if isinstance(reading, Record):
            earlier = seen.get(reading.key, 0)
            if is_list and earlier:
                reason = f"its key stands already on line {earlier}"
                yield Rejected(reading.key, Reject(row.line, None, "", reason))
                continue
            seen[reading.key] = row.line if is_list else earlier + 1
            if not is_list:
                reading = _numbered(reading, earlier + 1)
        yield reading


def structure_of(cells: Sequence[str], *, is_list: bool) -> RowClass | None:
    """What a row is that is no record: blank, or (in a printed list) its total or its footer."""
    filled = (cell for cell in cells if cell and not cell.isspace())
    first = next(filled, None)
    if first is None:
        return RowClass.BLANK
    if is_list and first.strip() == "TOTAL" and all(_NUMERIC.fullmatch(cell) for cell in filled):
        return RowClass.GRAND_TOTAL
    if is_list and read_footer(cells) is not None:
        return RowClass.FOOTER
    return None


def _numbered(record: Record, ordinal: int) -> Record:
    return Record(record.row_number, record.line, record.key, ordinal, record.values, record.extra)


def read_row(row: Row, row_number: int, layout: Layout, keys: KeyReader) -> Reading:
    """One row by itself: as if it were the first line of its document, and no other row had its key.

    Raises `Refusal` when a date contradicts the configured order.
    """
    structure = row.row_class or structure_of(row.cells, is_list=layout.dataset.kind is Kind.LIST)
    if structure is not None and not (structure is RowClass.BLANK and _unusable_in(row)):
        keys.forget()
        return Structure(row.line, structure)
    cells, key = row.cells, keys.read(row.cells)
    if len(cells) < layout.width:
        reason = f"{len(cells)} cells where the header has {layout.width}"
        return Rejected(key, Reject(row.line, None, "", reason))
    if len(cells) > layout.width and (beyond := _beyond(cells, layout)):
        return Rejected(key, Reject(row.line, None, "", beyond))
    if (unusable := _unusable_in(row, layout.width)) is not None:
        return _rejected(row, layout, key, *unusable)
    if key is None:
        return _without_key(row, layout, keys)
    values: list[str | None] = []
    for cell in layout.cells:
        try:
            values.append(cell.read(cells[cell.position]))
        except WrongOrder as error:
            raise wrong_order(row, layout, cell.position, str(error)) from None
        except ValueError as error:
            return _rejected(row, layout, key, cell.position, str(error))
    return Record(row_number, row.line, key, 1, values, extra_of(row, layout))


def _unusable_in(row: Row, width: int | None = None) -> tuple[int, str] | None:
    """Position and reason of the first cell that a spreadsheet gave no value."""
    for position, cell in enumerate(row.cells[:width]):
        if isinstance(cell, Unusable):
            return position, cell.reason
    return None


def _beyond(cells: Sequence[str], layout: Layout) -> str | None:
    """Why a row that is longer than the header can't be trusted; None for one that blanks alone make longer."""
    if any(cell and not cell.isspace() for cell in cells[layout.width :]):
        return f"content beyond the header's {layout.width} columns"
    written = len(layout.header.written)
    if layout.habit is None or len(cells) <= written:
        return None
    return why_torn(cells, written, layout.readers, layout.habit)


def _without_key(row: Row, layout: Layout, keys: KeyReader) -> Rejected:
    try:
        position, why = keys.why_not(row.cells)
    except WrongOrder as error:
        wrong = next(cell.position for cell in layout.key if _is_wrong(cell, row.cells))
        raise wrong_order(row, layout, wrong, str(error)) from None
    return _rejected(row, layout, None, position, why)


def _is_wrong(cell: Cell, cells: Sequence[str]) -> bool:
    try:
        cell.read(cells[cell.position])
    except WrongOrder:
        return True
    except ValueError:
        return False
    return False


def extra_of(row: Row, layout: Layout) -> str:
    """The row's undeclared columns as JSON."""
    return extra_json([row.cells[position].replace("\x00", "") for position, _ in layout.extra], layout)


def extra_json(texts: Sequence[str | None], layout: Layout) -> str:
    """Undeclared columns as JSON, from their texts in the order of `Layout.extra`.

    In a list a blank is null, which takes back an earlier value. Documents and reports state all that they have:
    there a blank is left out.
    """
    if not layout.extra:
        return "{}"
    found = {name: text or None for (_, name), text in zip(layout.extra, texts, strict=True)}
    if layout.dataset.kind is not Kind.LIST:
        found = {name: text for name, text in found.items() if text is not None}
    return json.dumps(found, ensure_ascii=False)


def _rejected(row: Row, layout: Layout, key: str | None, position: int, reason: str) -> Rejected:
    text = row.cells[position][:_SHOWN] if position < len(row.cells) else ""
    # Postgres keeps no NUL, and this text is for a person.
    return Rejected(key, Reject(row.line, layout.header.written[position], text.replace("\x00", "␀"), reason))


def wrong_order(row: Row, layout: Layout, position: int, reason: str) -> Refusal:
    """A date that contradicts the configured order condemns the file: its other dates were read the wrong way too."""
    column = layout.header.written[position]
    return Refusal(
        "date_order",
        f"line {row.line}, column {column!r}: {row.cells[position][:_SHOWN]!r}: {reason}",
        "if the office changed its regional settings, set date_order in [quickbooks]; else export the file again",
    )
