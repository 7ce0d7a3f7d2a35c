"""Workbooks for tests, written by a spreadsheet library, or part by part where none would write such a thing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import openpyxl

from qbwatch.formats.table import Row, Unusable
from qbwatch.formats.workbook import open_workbook

_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def xlsx(**sheets: Iterable[Sequence[Any]]) -> bytes:
    """A workbook with these sheets, by openpyxl."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parts_of(sheet_xml: str, strings: str | None = None) -> dict[str, str]:
    """The parts of a workbook with one sheet, whose XML is given as it is to stand there."""
    kinds = ["worksheet"] + ["sharedStrings"] * (strings is not None)
    targets = ["worksheets/sheet1.xml", "sharedStrings.xml"]
    relations = "".join(
        f'<Relationship Id="r{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(zip(kinds, targets, strict=False), start=1)
    )
    return {
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r1" Type="{_RELATIONS}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
        '<sheet name="Data" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">{relations}</Relationships>',
        "xl/worksheets/sheet1.xml": sheet_xml,
    } | ({} if strings is None else {"xl/sharedStrings.xml": strings})


def packed(parts: Mapping[str, str | bytes], *, level: int = 6) -> bytes:
    """A zip of parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return out.getvalue()


def sheet_of(rows: str, before: str = "") -> str:
    """A sheet's XML around its rows."""
    return f'<?xml version="1.0"?>{before}<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def rows_in(data: bytes, sheet: int = 0) -> list[Row]:
    """All rows of a sheet, read in this process."""
    return list(open_workbook(lambda: io.BytesIO(data))[sheet].rows())


def cells_in(data: bytes, sheet: int = 0) -> list[list[str]]:
    return [row.cells for row in rows_in(data, sheet)]


def flaws_in(data: bytes, sheet: int = 0) -> list[tuple[int, int, str, str]]:
    """Line, position, text and reason of every cell without a value."""
    return [
        (row.line, position, str(cell), cell.reason)
        for row in rows_in(data, sheet)
        for position, cell in enumerate(row.cells)
        if isinstance(cell, Unusable)
    ]
