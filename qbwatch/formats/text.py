"""Bytes → rows of cells: encoding, delimiter and quotes of a delimited text file.

The encoding is decided over the whole file (BOM, then strict UTF-8, then Windows-1252), because the first telling
byte may stand in the last row. Quotes have one meaning: a quote that is opened and never closed is an error that
names the line it was opened on; it never swallows the rest of the file.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Generator
from typing import BinaryIO

from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Row

_BLOCK = 1 << 18
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LONGEST_CELL = 1_000_000  # characters; more is a runaway quote or no text at all
_DELIMITERS = ",;\t|"


def detect_encoding(stream: BinaryIO) -> str:
    """Name of the codec that reads the whole stream; the stream is rewound.

    Raises `Refusal` with byte offset and line when neither UTF-8 nor Windows-1252 can read it, and when it is UTF-8
    with damaged letters (cut off in the middle of one, say): Windows-1252 would read nearly any bytes, as nonsense.
    """
    stream.seek(0)
    head = stream.read(64)
    for bom, name in _BOMS:
        if head.startswith(bom):
            return _proven(stream, name)
    if name_without_bom := _utf_16_of(head):
        return _proven(stream, name_without_bom)
    try:
        return _proven(stream, "utf-8")
    except Refusal:
        if _is_mostly_utf_8(stream):
            raise
        return _proven(stream, "cp1252")


def _utf_16_of(head: bytes) -> str | None:
    """UTF-16 without its byte order mark shows by its NULs: every other byte of a header's plain letters."""
    first, second = head[0::2], head[1 : len(head) // 2 * 2 : 2]
    if second and not any(second) and all(first):
        return "utf-16-le"
    return "utf-16-be" if second and not any(first) and all(second) else None


def _is_mostly_utf_8(stream: BinaryIO) -> bool:
    """True when at least as many letters outside ASCII are proper UTF-8 as aren't.

    Two Windows-1252 letters in a row can look like one of UTF-8 by chance, but not as often as single ones don't.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    stream.seek(0)
    proper = damaged = 0
    while True:
        block = stream.read(_BLOCK)
        text = decoder.decode(block, final=not block)
        wide = len(text) - len(text.encode("ascii", "ignore"))
        broken = text.count("\ufffd")
        proper, damaged = proper + wide - broken, damaged + broken
        if not block:
            return proper >= damaged


def _proven(stream: BinaryIO, encoding: str) -> str:
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    stream.seek(0)
    read = lines = 0
    while True:
        block = stream.read(_BLOCK)
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            pending = len(error.object) - len(block)  # bytes of a letter that began in the block before
            offset = read - pending + error.start
            line = lines + block.count(b"\n", 0, max(error.start - pending, 0)) + 1
            raise Refusal(
                "undecodable",
                f"byte 0x{error.object[error.start]:02x} at offset {offset} (line {line}) is not {encoding}",
                "export the file again as CSV with UTF-8 or Windows encoding",
            ) from None
        if not block:
            stream.seek(0)
            return encoding
        read += len(block)
        lines += block.count(b"\n")


def sniff_delimiter(line: str) -> str:
    """The delimiter that splits a header line into most columns; a comma when none does."""
    counts = {delimiter: len(next(csv.reader([line], delimiter=delimiter))) for delimiter in _DELIMITERS}
    best = max(counts, key=lambda delimiter: counts[delimiter])
    return best if counts[best] > 1 else ","


def read_rows(stream: BinaryIO, encoding: str, delimiter: str) -> Generator[Row, None, None]:
    """All rows of the stream, header and blank rows included, streaming.

    Line breaks inside quotes belong to the cell, and only CR, LF and CRLF end a line (a U+2028 in a memo doesn't).
    Raises `Refusal` for an unbalanced quote, naming the line its row began on.
    """
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
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


def first_line(stream: BinaryIO, encoding: str) -> str:
    """The first line of text that isn't blank, for sniffing; the stream is rewound."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        for _ in range(30):
            line = text.readline(_LONGEST_CELL)
            if line.strip() or not line:
                return line
        return ""
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
        last = block[-2:]
    stream.seek(0)
    return quotes % 2 == 0 and (not last or last.endswith((b"\n", b"\r", b"\x00")))
