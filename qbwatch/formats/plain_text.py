"""Is this delimited text written so plainly that Postgres' COPY and Python's strict csv reader read the same cells?

COPY is many times faster than any reader in Python, but it isn't the same reader: it takes a quote inside a cell, text
after a closing quote and ``\\.`` on a line of its own for something else, and refuses a mixture of line ends and empty
lines. Here the bytes are looked at, block by block and without reading cells, for everything in which the two could
differ. Whatever is in doubt isn't plain, and is read with care.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Table
from qbwatch.formats.text import read_rows

_BLOCK = 1 << 18
_LONGEST_ROW = 1 << 19  # bytes: far below the longest cell that the careful reader takes
_CODECS = {"utf-8": "UTF8", "utf-8-sig": "UTF8", "cp1252": "WIN1252"}
_ALL_BUT_LINE_ENDS = bytes(set(range(256)) - set(b"\r\n"))
_ALL_BUT_CONTROLS = bytes(range(32, 256))
_BLANKS = frozenset(bytes([each]) for each in range(33))
_SCIENTIFIC = re.compile(rb"[0-9]E\+[0-9]")
_LEFT_OVER = re.compile(rb"#(?:##|REF!|VALUE!|DIV/0!|NUM!|NULL!|NAME\?|N/A)")
# What Python counts as white space beyond ASCII, at the beginning of a cell.
_WIDE_BLANKS = {
    "UTF8": rb"\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80",
    "WIN1252": rb"\xa0",
}


class NotPlain(Exception):
    """The text is to be read with care; the message says what was met."""


@dataclass(slots=True)
class PlainText:
    """The rows below the header as bytes, and how COPY is to read them.

    ``codec`` is Postgres' name of the encoding. Once `blocks` has come to its end, ``has_blanks`` says that some cell
    may begin with a blank or a control character, ``has_wide_blanks`` with a blank that isn't ASCII.
    """

    codec: str
    delimiter: bytes
    has_blanks: bool = False
    has_wide_blanks: bool = False
    _stream: BinaryIO = field(repr=False, kw_only=True)
    _newline: bytes = b""
    _wide: re.Pattern[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._wide = re.compile(rb'["\n' + re.escape(self.delimiter) + rb"](?:" + _WIDE_BLANKS[self.codec] + rb")")

    def blocks(self) -> Iterator[bytes]:
        """Whole rows, each block proven to be plain before it is given. Raises `NotPlain`."""
        rest = b""
        while block := self._stream.read(_BLOCK):
            rows, rest = _cut(rest + block)
            if rows:
                self._prove(rows)
                yield rows
            if len(rest) > _LONGEST_ROW:
                raise NotPlain("a very long row")
        if rest:
            rest += self._newline or b"\n"
            self._prove(rest)
            yield rest

    def _prove(self, rows: bytes) -> None:
        bare = self._without_quoted(rows) if b'"' in rows else rows
        if b"\x00" in rows:
            raise NotPlain("a NUL character")
        self._prove_line_ends(bare)
        if rows.startswith(b"\\.") or b"\n\\." in rows:
            raise NotPlain("a line that begins like an end of data")
        self._prove_undamaged(rows)
        # The only word that the way back doesn't tell from a number: NaN and Infinity don't begin like one.
        if b"-Infinity" in rows:
            raise NotPlain("the word Infinity behind a minus")
        if not self.has_wide_blanks and not rows.isascii():
            self.has_wide_blanks = self._wide.search(b"\n" + rows) is not None

    def _prove_undamaged(self, rows: bytes) -> None:
        """What a spreadsheet damaged is told with its line, which only the careful lane knows."""
        if (b"E+" in rows and _SCIENTIFIC.search(rows)) or (b"#" in rows and _LEFT_OVER.search(rows)):
            raise NotPlain("what a spreadsheet leaves of a cell that it damaged")
        if b"\x1a" in rows:
            raise NotPlain("a mark of the end of the text")

    def _without_quoted(self, rows: bytes) -> bytes:
        """The rows without their quoted cells. Raises `NotPlain` when a quote stands elsewhere than around a cell."""
        pieces = rows.split(b'"')
        outside = pieces[::2]
        # An empty piece stands between the two halves of a doubled quote.
        if {each[:1] for each in outside[1:]} - {self.delimiter, b"\r", b"\n", b""}:
            raise NotPlain("text behind a closing quote")
        if {each[-1:] for each in outside[:-1]} - {self.delimiter, b"\n", b""}:
            raise NotPlain("a quote inside of a cell")
        if not self.has_blanks:
            self.has_blanks = not _BLANKS.isdisjoint({each[:1] for each in pieces[1::2]})
        return b"".join(outside)

    def _prove_line_ends(self, bare: bytes) -> None:
        ends = bare.translate(None, _ALL_BUT_CONTROLS)
        if not self._newline:
            self._newline = b"\r\n" if b"\r\n" in ends else b"\n"
        if ends != self._newline * (len(ends) // len(self._newline)):
            self.has_blanks = True  # or the delimiter is a tab
            ends = ends.translate(None, _ALL_BUT_LINE_ENDS)
            if ends != self._newline * (len(ends) // len(self._newline)):
                raise NotPlain("a mixture of line ends")
        if bare.startswith((b"\n", b"\r")) or self._newline * 2 in bare:
            raise NotPlain("an empty line")
        if not self.has_blanks:
            self.has_blanks = self.delimiter + b" " in bare or b"\n " in bare or bare.startswith(b" ")


def _cut(data: bytes) -> tuple[bytes, bytes]:
    """Whole rows, and what follows them: the last line end that isn't inside of quotes parts the two."""
    end = data.rfind(b"\n") + 1
    while end and data.count(b'"', 0, end) % 2:
        end = data.rfind(b"\n", 0, end - 1) + 1
    return data[:end], data[end:]


def open_plain(stream: BinaryIO, table: Table, header_line: int, header: tuple[str, ...]) -> PlainText:
    """The rows below the header, from a stream at its beginning. Raises `NotPlain`."""
    codec = _CODECS.get(table.encoding or "")
    if table.format != "csv" or codec is None or table.delimiter is None or table.encoding is None:
        raise NotPlain("no text that COPY can read")
    head = b"".join(islice(iter(lambda: stream.readline(_LONGEST_ROW), b""), header_line))
    _check_head(head, table, header_line, header)
    return PlainText(codec, table.delimiter.encode("ascii"), _stream=stream)


def _check_head(head: bytes, table: Table, header_line: int, header: tuple[str, ...]) -> None:
    """The header must be the last row of the bytes above the data, and end where its line ends."""
    try:
        rows = list(read_rows(io.BytesIO(head), table.encoding or "", table.delimiter or ""))
    except Refusal as refusal:
        raise NotPlain(refusal.failure.reason) from None
    if not rows or not head.endswith(b"\n") or rows[-1].line != header_line or tuple(rows[-1].cells) != header:
        raise NotPlain("a header that isn't one line")
    if head.rstrip(b"\r\n").count(b"\r") != head.rstrip(b"\r\n").count(b"\r\n"):
        raise NotPlain("a mixture of line ends")
