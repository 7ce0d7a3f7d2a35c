"""Sheets of an .xls (BIFF in an OLE container), through xlrd.

Not through python-calamine, which reads it faster: it gives an empty text for an error cell and doesn't say so, and a
bare number for a percentage. An .xls has 65,536 rows at most, so speed matters less here.
"""

from __future__ import annotations

import io
from collections.abc import Generator
from typing import Any, BinaryIO

import xlrd

from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Row, Unusable
from qbwatch.formats.workbook_cells import MOMENT, PLAIN, Shown, error_in, serial_text, shown_by
from qbwatch.formats.workbook_package import damaged, protected

_LARGEST = 64 << 20  # bytes; xlrd holds the file in memory
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_STREAMS = ("Workbook".encode("utf-16-le"), "Book".encode("utf-16-le"))


def open_xls(stream: BinaryIO) -> Any:
    """xlrd's book. Raises `Refusal` when it is none, is damaged, or needs a password.

    xlrd trusts what it reads: any exception may come of a damaged file, here and below.
    """
    data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise Refusal("workbook_too_large", f"an .xls of more than {_LARGEST >> 20} MB", "save it as .xlsx or CSV")
    if _ENCRYPTED in data:
        raise protected()
    if not any(name in data for name in _STREAMS):
        raise Refusal("not_a_workbook", "an Office document, and no Excel workbook", "export the data as CSV or Excel")
    try:
        return xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), on_demand=True, formatting_info=True)
    except xlrd.XLRDError as error:
        if "encrypted" in str(error).lower():
            raise protected() from None
        raise damaged(str(error)) from None


def sheets_of(book: Any) -> list[tuple[str, str | None]]:
    """Name of each sheet, and why it isn't to be seen, if so."""
    found = []
    for place, name in enumerate(book.sheet_names()):
        found.append((name.replace("\x00", ""), "it is hidden" if _sheet(book, place).visibility else None))
        book.unload_sheet(place)
    return found


def read_xls(book: Any, place: int) -> Generator[Row, None, None]:
    """Rows with content of one sheet, in order. Raises `Refusal`."""
    sheet = _sheet(book, place)
    shown: dict[int, Shown] = {}
    for row in range(sheet.nrows):
        cells = []
        for column, cell in enumerate(sheet.row(row)):
            cells.append(_text(book, sheet, cell, shown, row, column))
        if any(cell or type(cell) is Unusable for cell in cells):
            yield Row(row + 1, cells)


def _sheet(book: Any, place: int) -> Any:
    try:
        return book.sheet_by_index(place)
    except xlrd.XLRDError as error:
        raise damaged(str(error)) from None


def _text(book: Any, sheet: Any, cell: Any, shown: dict[int, Shown], row: int, column: int) -> str:
    match cell.ctype:
        case xlrd.XL_CELL_TEXT:
            return "" if cell.value.isspace() else str(cell.value)
        case xlrd.XL_CELL_NUMBER | xlrd.XL_CELL_DATE:
            how = shown.get(cell.xf_index)
            if how is None:
                how = shown[cell.xf_index] = _shown(book, cell)
            return serial_text(cell.value, how, is_1904=book.datemode == 1)
        case xlrd.XL_CELL_BOOLEAN:
            return "true" if cell.value else "false"
        case xlrd.XL_CELL_ERROR:
            return error_in(sheet.name, row + 1, column + 1, xlrd.error_text_from_code.get(cell.value, "#N/A"))
        case _:
            return ""


def _shown(book: Any, cell: Any) -> Shown:
    if cell.xf_index is None or cell.xf_index >= len(book.xf_list):
        return MOMENT if cell.ctype == xlrd.XL_CELL_DATE else PLAIN
    number = book.xf_list[cell.xf_index].format_key
    known = book.format_map.get(number)
    return shown_by(number, known.format_str if known else None)
