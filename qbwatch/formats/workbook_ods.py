"""Sheets of an .ods, row by row, straight from its XML: exact, and in memory that doesn't grow with the sheet."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO, cast

from qbwatch.formats.table import Row, Unusable
from qbwatch.formats.workbook_cells import (
    elapsed_text,
    error_in,
    moment_text,
    number_text,
    percent_text,
    unworked_formula_in,
)
from qbwatch.formats.workbook_package import Attributes, damaged, local, parse

MIME_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
_TIME = re.compile(r"(-?)P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?")
_MOST_REPEATS = 16384  # columns; a repeated value beyond that is no data


def is_ods(package: zipfile.ZipFile) -> bool:
    """True for a package that says it is an OpenDocument spreadsheet."""
    names = package.namelist()
    if "content.xml" not in names or "mimetype" not in names:
        return False
    with package.open("mimetype") as stream:
        return stream.read(200).startswith(MIME_TYPE)


@dataclass(slots=True)
class _Cells:
    """Takes the events of the content's XML, and collects sheets, or the rows of one of them."""

    wanted: str | None
    sheets: list[str] = field(default_factory=list)
    done: list[Row] = field(default_factory=list)
    sheet: str = ""
    is_wanted: bool = False
    row: int = 0
    row_repeats: int = 1
    cells: list[str] = field(default_factory=list)
    cell: Attributes | None = None
    paragraphs: list[list[str]] = field(default_factory=list)
    is_taking: bool = False
    within_note: int = 0

    def start(self, tag: str, attributes: Attributes) -> None:
        tag = local(tag)
        if tag == "table":
            self.sheet = _get(attributes, "name")
            self.sheets.append(self.sheet)
            self.is_wanted, self.row = self.sheet == self.wanted, 0
        elif not self.is_wanted:
            return
        elif tag == "table-row":
            self.cells, self.row_repeats = [], _repeats(attributes, "number-rows-repeated")
        elif tag in ("table-cell", "covered-table-cell"):
            self.cell, self.paragraphs = attributes, []
        elif tag in ("annotation", "shape"):
            self.within_note += 1
        elif self.within_note or self.cell is None:
            return
        elif tag == "p":
            self.paragraphs.append([])
            self.is_taking = True
        elif self.is_taking and tag == "s":
            self.paragraphs[-1].append(" " * _repeats(attributes, "c"))
        elif self.is_taking and tag in ("tab", "line-break"):
            self.paragraphs[-1].append("\t" if tag == "tab" else "\n")

    def end(self, tag: str) -> None:
        tag = local(tag)
        if tag == "table":
            self.is_wanted = False
        elif not self.is_wanted:
            return
        elif tag in ("annotation", "shape"):
            self.within_note -= 1
        elif tag == "p" and not self.within_note:
            self.is_taking = False
        elif tag in ("table-cell", "covered-table-cell"):
            self._end_cell()
        elif tag == "table-row":
            self._end_row()

    def text(self, data: str) -> None:
        if self.is_taking and not self.within_note:
            self.paragraphs[-1].append(data)

    def _end_cell(self) -> None:
        assert self.cell is not None
        text = self._value(self.cell)
        if text.isspace():
            text = ""
        repeats = _repeats(self.cell, "number-columns-repeated")
        has_content = bool(text) or type(text) is Unusable
        if len(self.cells) + repeats > _MOST_REPEATS and has_content:
            raise damaged(f"sheet {self.sheet!r} repeats a value beyond column {_MOST_REPEATS}")
        self.cells.extend([text] * min(repeats, _MOST_REPEATS + 1))
        self.cell = None

    def _value(self, cell: Attributes) -> str:
        shown = "\n".join("".join(pieces) for pieces in self.paragraphs)
        kind = _get(cell, "value-type")
        row, column = self.row + 1, len(self.cells) + 1
        if any(key.startswith("calcext:") and value == "error" for key, value in cell.items()):
            return error_in(self.sheet, row, column, shown or "#N/A")
        try:
            match kind:
                case "float" | "currency":
                    return number_text(float(_get(cell, "value")))
                case "percentage":
                    return percent_text(float(_get(cell, "value")))
                case "date":
                    return moment_text(datetime.fromisoformat(_get(cell, "date-value")))
                case "time":
                    return elapsed_text(_elapsed(_get(cell, "time-value")))
                case "boolean":
                    return "true" if _get(cell, "boolean-value") == "true" else "false"
                case "":
                    return shown or (unworked_formula_in(self.sheet, row, column) if _get(cell, "formula") else "")
                case _:
                    return shown or _get(cell, "string-value")
        except ValueError:
            raise damaged(f"a cell in row {row} of sheet {self.sheet!r} can't be read") from None

    def _end_row(self) -> None:
        while self.cells and not self.cells[-1] and type(self.cells[-1]) is not Unusable:
            self.cells.pop()
        if self.cells:
            if self.row_repeats > _MOST_REPEATS:
                raise damaged(f"sheet {self.sheet!r} repeats a row {self.row_repeats:,} times")
            self.done += [Row(self.row + number, self.cells) for number in range(1, self.row_repeats + 1)]
        self.row += self.row_repeats


def _get(attributes: Attributes, name: str) -> str:
    """An attribute by its local name, in the order of the vocabulary: ``office:`` before ``calcext:``."""
    for key in (f"office:{name}", f"table:{name}", f"text:{name}"):
        if key in attributes:
            return attributes[key]
    return ""


def _repeats(attributes: Attributes, name: str) -> int:
    given = _get(attributes, name)
    return max(int(given), 1) if given.isdecimal() else 1


def _elapsed(text: str) -> timedelta:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    days, hours, minutes, seconds = (float(match[group] or 0) for group in (2, 3, 4, 5))
    return (-1 if match[1] else 1) * timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _parsed(package: zipfile.ZipFile, cells: _Cells) -> Iterator[None]:
    with package.open("content.xml") as stream:
        yield from parse(cast("BinaryIO", stream), cells.start, cells.end, cells.text)


def sheets_of(package: zipfile.ZipFile) -> list[tuple[str, str | None]]:
    """Name of each sheet; an .ods says in its styles alone that one is hidden, so none is taken for that."""
    cells = _Cells(None)
    for _ in _parsed(package, cells):
        pass
    return [(name, None) for name in cells.sheets]


def read_ods(package: zipfile.ZipFile, sheet: str) -> Generator[Row, None, None]:
    """Rows with content of one sheet, in order. Raises `Refusal`."""
    cells = _Cells(sheet)
    for _ in _parsed(package, cells):
        yield from cells.done
        cells.done.clear()
