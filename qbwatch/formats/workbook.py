"""Workbooks → a table of rows for each sheet.

Three containers are read, told apart by their bytes: .xlsx (and .xlsm), .xls and .ods. An .xlsb isn't: no reader at
hand tells an error in it from a blank. What a reader gives are rows with content; blank rows between them are put back
here, and each row is as wide as the widest before it, so that a sheet's table looks as its CSV would.

Readers that are others' libraries are imported where a workbook wants them: the daemon, whose workbooks are read in a
child, would hold 2 MB of them for ever.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from functools import partial
from itertools import islice
from typing import BinaryIO

from qbwatch.formats import workbook_ods
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Opener, Row, Table
from qbwatch.formats.workbook_package import damaged, opened, read_book
from qbwatch.formats.workbook_sheet import Scratch, SharedStrings, read_exactly

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WIDEST = 1024  # cells that rows are filled up to; a stray cell far to the right doesn't make all others as wide
_HEAD = 64  # rows that are read exactly, so that a glance at a large sheet doesn't load all of it

Sheet = tuple[str, str, str | None]  # its name, the workbook's format, and why it is hidden, if so


def is_workbook(head: bytes) -> bool:
    """True when the first bytes are those of a zip or of an OLE container."""
    return head.startswith((ZIP, OLE))


def sheets_of(stream: BinaryIO) -> list[Sheet]:
    """The sheets in the order of the workbook. Raises `Refusal`."""
    if _is_ole(stream):
        from qbwatch.formats import workbook_xls

        return [(name, "xls", hidden) for name, hidden in workbook_xls.sheets_of(workbook_xls.open_xls(stream))]
    with opened(stream) as package:
        if workbook_ods.is_ods(package):
            return [(name, "ods", hidden) for name, hidden in workbook_ods.sheets_of(package)]
        if any(name.lower() == "xl/workbook.bin" for name in package.namelist()):
            raise Refusal(
                "xlsb", "a binary Excel workbook (.xlsb), which can't be read exactly", "save it as .xlsx or CSV"
            )
        return [(sheet.name, "xlsx", sheet.hidden) for sheet in read_book(package).sheets]


def read_sheet(
    stream: BinaryIO, place: int, source: str | None = None, scratch: Scratch = io.BytesIO, *, fast: bool = True
) -> Generator[Row, None, None]:
    """All rows of the ``place``-th sheet. Raises `Refusal`.

    ``source`` is a path to the same bytes, so that the fast reader needs no copy of them; without ``fast`` it isn't
    used. ``scratch`` gives an empty file for what would be too large for the memory.
    """
    if _is_ole(stream):
        from qbwatch.formats import workbook_xls

        return (yield from _filled(workbook_xls.read_xls(workbook_xls.open_xls(stream), place)))
    from qbwatch.formats.workbook_fast import is_plain, read_fast

    with opened(stream) as package:
        if workbook_ods.is_ods(package):
            return (yield from _filled(workbook_ods.read_ods(package, workbook_ods.sheets_of(package)[place][0])))
        book = read_book(package)
        sheet = book.sheets[place]
        if sheet.part is None:
            if sheet.hidden is None:
                raise damaged(f"its sheet {sheet.name!r} is missing")
            return
        strings = SharedStrings(package, book.strings, scratch)
        with closing(read_exactly(package, book, sheet, strings)) as exactly:
            yield from _filled(
                _read(
                    exactly,
                    lambda: fast and is_plain(package, book, sheet),
                    lambda: read_fast(source or stream, sheet, place),
                )
            )


def _read(
    exactly: Generator[Row, None, None], is_fast: Callable[[], bool], fast: Callable[[], Generator[Row, None, None]]
) -> Generator[Row, None, None]:
    """The first rows exactly; the rest by the fast reader, where there is enough left for it to matter."""
    last = 0
    for row in islice(exactly, _HEAD):
        last = row.line
        yield row
    if last and is_fast():
        exactly.close()
        with closing(fast()) as rows:
            yield from (row for row in rows if row.line > last)
    else:
        yield from exactly


def _filled(rows: Iterable[Row]) -> Generator[Row, None, None]:
    line, width = 0, 0
    for row in rows:
        for blank in range(line + 1, row.line):
            yield Row(blank, [""] * width)
        line, width = row.line, max(width, min(len(row.cells), _WIDEST))
        yield Row(line, row.cells + [""] * (width - len(row.cells)))


def open_workbook(open_stream: Opener) -> tuple[Table, ...]:
    """The workbook's sheets, read in this process. Raises `Refusal`."""
    with open_stream() as stream:
        sheets = sheets_of(stream)
    return tables_of(sheets, lambda place: _rows_of(open_stream, place))


def _rows_of(open_stream: Opener, place: int) -> Generator[Row, None, None]:
    with open_stream() as stream:
        yield from read_sheet(stream, place)


def tables_of(sheets: Iterable[Sheet], rows_of: Callable[[int], Generator[Row, None, None]]) -> tuple[Table, ...]:
    """A table for each sheet; ``rows_of`` reads the one at a place. Raises `Refusal` when there is none."""
    tables = tuple(
        Table(name, form, None, None, partial(rows_of, place), hidden)
        for place, (name, form, hidden) in enumerate(sheets)
    )
    if not tables:
        raise damaged("it has no sheet")
    return tables


def _is_ole(stream: BinaryIO) -> bool:
    stream.seek(0)
    head = stream.read(8)
    stream.seek(0)
    return head == OLE
