"""Is this delimited text written so plainly that Arrow's reader and Python's strict csv reader read the same cells?

Arrow's reader is many times faster than any in Python, but it isn't the same reader: it takes a mixture of line ends,
and a quote inside of a cell or text behind a closing one for something else. Here the bytes are looked at, block by
block and without reading cells, for everything in which the two could differ. Whatever is in doubt isn't plain, and is
read with care.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import BinaryIO

from qbwatch.formats.recognise import Header
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Table
from qbwatch.formats.text import read_rows

_BLOCK = 1 << 20
_LONGEST_ROW = 1 << 19  # bytes: far below the longest cell that the careful reader takes
_CODECS = frozenset({"utf-8", "utf-8-sig", "cp1252"})
_ALL_BUT_LINE_ENDS = bytes(set(range(256)) - set(b"\r\n"))
_ALL_BUT_MARKS = bytes(set(range(32, 256)) - set(b'"'))
_FIRST, _LAST = itemgetter(slice(0, 1)), itemgetter(slice(-1, None))
_SCIENTIFIC = re.compile(rb"[0-9]E\+[0-9]")
_LEFT_OVER = re.compile(rb"#(?:##|REF!|VALUE!|DIV/0!|NUM!|NULL!|NAME\?|N/A)")


class NotPlain(Exception):
    """The text is to be read with care; the message says what was met, and never what stands there: it is logged."""


@dataclass(frozen=True, slots=True)
class Block:
    """``count`` whole rows in UTF-8. ``is_bare``: no cell holds a backslash, a tab or a line end.

    That the halves of a line end stand together is for the reader to prove, to whom each by itself ends a row: it must
    count as many.
    """

    rows: bytes
    count: int
    is_bare: bool


@dataclass(slots=True)
class PlainText:
    """The rows below the header. ``codec`` reads them, ``delimiter`` parts their cells."""

    codec: str
    delimiter: bytes
    _stream: BinaryIO = field(repr=False, kw_only=True)
    _newline: bytes = b""

    def blocks(self) -> Iterator[Block]:
        """All rows, each block proven to be plain before it is given. Raises `NotPlain`."""
        rest = b""
        while read := self._stream.read(_BLOCK):
            rows, rest, marks = _cut(rest + read)
            if rows:
                yield self._proven(rows, marks)
            if len(rest) > _LONGEST_ROW:
                raise NotPlain("a very long row")
        if rest:
            rows = rest + (self._newline or b"\n")
            yield self._proven(rows, _marks_of(rows))

    def _proven(self, rows: bytes, marks: bytes) -> Block:
        if b"\x00" in marks:
            raise NotPlain("a NUL character")
        if b"\x1a" in marks:
            raise NotPlain("a mark of the end of the text")
        if rows.startswith(codecs.BOM_UTF8):  # Arrow would drop it from the cell
            raise NotPlain("a byte order mark below the header")
        # What a spreadsheet damaged is told with its line, which only the careful lane knows.
        if (b"+" in rows and _SCIENTIFIC.search(rows)) or (b"#" in rows and _LEFT_OVER.search(rows)):
            raise NotPlain("what a spreadsheet leaves of a cell that it damaged")
        if b'"' in marks:
            self._prove_quotes(rows)
        pieces = marks.split(b'"')
        within, outside = b"".join(pieces[1::2]), b"".join(pieces[::2])
        is_tab_parted = self.delimiter == b"\t"
        is_bare = not within and b"\\" not in rows and (is_tab_parted or b"\t" not in outside)
        ends = outside.replace(b"\t", b"") if is_tab_parted else outside
        count = self._line_ends(ends)
        return Block(rows if self.codec == "utf-8" else rows.decode(self.codec).encode(), count, is_bare)

    def _prove_quotes(self, rows: bytes) -> None:
        """Raises `NotPlain` when a quote stands elsewhere than around a cell."""
        pieces = rows.split(b'"')
        if len(pieces) % 2 == 0:
            raise NotPlain("a quote that isn't closed")
        outside = pieces[::2]
        # An empty piece stands between the two halves of a doubled quote.
        if set(map(_FIRST, outside[1:])) - {self.delimiter, b"\r", b"\n", b""}:
            raise NotPlain("text behind a closing quote")
        if set(map(_LAST, outside[:-1])) - {self.delimiter, b"\n", b""}:
            raise NotPlain("a quote inside of a cell")

    def _line_ends(self, controls: bytes) -> int:
        """How many there are outside of quotes; all of them must be alike."""
        if not self._newline:
            self._newline = b"\r\n" if b"\r" in controls else b"\n"
        count = controls.count(b"\n")
        if controls != self._newline * count:
            ends = controls.translate(None, _ALL_BUT_LINE_ENDS)
            if ends != self._newline * count:
                raise NotPlain("a mixture of line ends")
        return count


def _cut(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Whole rows, what follows the last line end outside of quotes, and the marks of the rows."""
    end = data.rfind(b"\n") + 1
    marks = _marks_of(data[:end])
    is_open = marks.count(b'"') % 2
    if not is_open:
        return data[:end], data[end:], marks
    while end and is_open:
        before = data.rfind(b"\n", 0, end - 1) + 1
        is_open ^= data.count(b'"', before, end) % 2
        end = before
    return data[:end], data[end:], _marks_of(data[:end])


def _marks_of(rows: bytes) -> bytes:
    """Their control characters and quotes, in their order."""
    return rows.translate(None, _ALL_BUT_MARKS)


def prove_common(table: Table) -> tuple[str, str]:
    """The encoding and the delimiter of a table that may be plain. Raises `NotPlain`."""
    if table.format != "csv" or table.encoding not in _CODECS or table.delimiter is None:
        raise NotPlain("no text in a common encoding")
    return table.encoding, table.delimiter


def open_plain(stream: BinaryIO, encoding: str, delimiter: str, header: Header) -> PlainText:
    """The rows below the header, from a stream at its beginning. Raises `NotPlain`."""
    head = b"".join(islice(iter(lambda: stream.readline(_LONGEST_ROW), b""), header.line))
    _check_head(head, encoding, delimiter, header)
    return PlainText("cp1252" if encoding == "cp1252" else "utf-8", delimiter.encode("ascii"), _stream=stream)


def _check_head(head: bytes, encoding: str, delimiter: str, header: Header) -> None:
    """The header must be the last row of the bytes above the data, and end where its line ends."""
    try:
        rows = list(read_rows(io.BytesIO(head), encoding, delimiter))
    except Refusal as refusal:
        raise NotPlain(refusal.failure.reason) from None
    if not rows or not head.endswith(b"\n") or rows[-1].line != header.line or tuple(rows[-1].cells) != header.written:
        raise NotPlain("a header that isn't one line")
    if head.rstrip(b"\r\n").count(b"\r") != head.rstrip(b"\r\n").count(b"\r\n"):
        raise NotPlain("a mixture of line ends")
