"""Bytes in a known encoding → rows of cells: delimiter and quotes of a delimited text file.

Quotes have one meaning: a quote that is opened and never closed is an error that names the line it was opened on; it
never swallows the rest of the file.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from typing import BinaryIO

from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Row

_BLOCK = 1 << 18
_LONGEST_CELL = 1_000_000  # characters; more is a runaway quote or no text at all
_DELIMITERS = ",;\t|"
_SNIFFED_LINES, _SNIFFED_CHARACTERS = 30, 1 << 16
_END_OF_TEXT = "\x1a"  # Ctrl-Z, which programs of old put behind the last row


def sniff_delimiter(head: str) -> str:
    """The delimiter by which most of the first lines fall into the same number of cells; a comma when none does.

    Not the first line alone: a title may stand above the header.
    """
    best, score = ",", 0
    for delimiter in _DELIMITERS:
        rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        common = max(((width - 1) * count for width, count in Counter(map(len, rows)).items()), default=0)
        if common > score:
            best, score = delimiter, common
    return best


def read_rows(stream: BinaryIO, encoding: str, delimiter: str) -> Generator[Row, None, None]:
    """All rows of the stream, header and blank rows included, streaming.

    Line breaks inside quotes belong to the cell, and only CR, LF and CRLF end a line (a U+2028 in a memo doesn't).
    Byte order marks at the beginning, however many, and a Ctrl-Z at the end are no part of any cell.
    Raises `Refusal` for an unbalanced quote, naming the line its row began on.
    """
    text = _text_of(stream, encoding)
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(_without_end_mark(text), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield Row(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise _malformed(line, error) from None
    finally:
        if not stream.closed:  # a reader that stops half-way may have closed it already
            text.detach()


def _malformed(line: int, error: csv.Error) -> Refusal:
    hint = "the file looks damaged or cut off: export it again, then drop it into the folder"
    if "field limit" in str(error):
        reason = f"a cell of the row on line {line} has more than {_LONGEST_CELL} characters: a quote left open?"
        return Refusal("cell_too_long", reason, hint)
    return Refusal("unbalanced_quote", f"a quote that is opened on line {line} is not closed properly ({error})", hint)


def _text_of(stream: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """The stream as text, behind all byte order marks."""
    stream.seek(0)
    head = stream.read(64)
    codec = _codec_of(head, encoding)
    mark, start = "\ufeff".encode(codec, "ignore"), 0
    if mark:  # cp1252 has no such letter
        while head.startswith(mark, start):
            start += len(mark)
    stream.seek(start)
    return io.TextIOWrapper(stream, encoding=codec, newline="")


def _codec_of(head: bytes, encoding: str) -> str:
    """The codec for what stands behind a byte order mark."""
    if encoding in ("utf-16", "utf-32"):
        is_little = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF32_LE))
        return f"{encoding}-{'le' if is_little else 'be'}"
    return "utf-8" if encoding == "utf-8-sig" else encoding


def _without_end_mark(text: Iterable[str]) -> Iterator[str]:
    """The lines of a text without the Ctrl-Z behind the last of them."""
    before = ""
    for line in text:
        if before:
            yield before
        before = line
    if (bare := before.rstrip("\x00\r\n \t")).endswith(_END_OF_TEXT):
        before = bare.rstrip(_END_OF_TEXT)
    if before:
        yield before


def head_of(stream: BinaryIO, encoding: str) -> str:
    """The first lines that aren't blank, for sniffing; the stream is rewound."""
    text = _text_of(stream, encoding)
    lines: list[str] = []
    size = 0
    try:
        for _ in range(_SNIFFED_LINES * 2):
            line = text.readline(_SNIFFED_CHARACTERS)
            if line.strip():
                lines.append(line)
            size += len(line)
            if not line or len(lines) == _SNIFFED_LINES or size > _SNIFFED_CHARACTERS:
                break
        return "".join(lines)
    finally:
        text.detach()
        stream.seek(0)


def looks_complete(stream: BinaryIO) -> bool:
    """False when the bytes end like a file that is still arriving: an open quote, or no line end after the last row.

    A doubt, not a verdict: some writers never end their last line, so the file is only waited for a while longer.
    """
    stream.seek(0)
    quotes, last = 0, b""
    while block := stream.read(_BLOCK):
        quotes += block.count(b'"')
        last = (last + block)[-4:]
    stream.seek(0)
    last = last.rstrip(b"\x1a")
    return quotes % 2 == 0 and (not last or last.endswith((b"\n", b"\r", b"\x00")))
