"""Bytes → rows of cells: encoding, delimiter and quotes of a delimited text file.

The encoding is decided over the whole file (BOM, then strict UTF-8, then Windows-1252), because the first telling
byte may stand in the last row. Quotes have one meaning: a quote that is opened and never closed is an error that
names the line it was opened on; it never swallows the rest of the file.
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
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LONGEST_CELL = 1_000_000  # characters; more is a runaway quote or no text at all
_DELIMITERS = ",;\t|"
_SNIFFED_LINES, _SNIFFED_CHARACTERS = 30, 1 << 16
_SURMISED = 1 << 20  # bytes
_WITHOUT_MARK = 4096  # bytes, among whose letters NULs tell UTF-16
_MOST = 0.5  # of the letters
_END_OF_TEXT = "\x1a"  # Ctrl-Z, which programs of old put behind the last row


def detect_encoding(stream: BinaryIO) -> str:
    """Name of the codec that reads the whole stream; the stream is rewound.

    Raises `Refusal` with byte offset and line when neither UTF-8 nor Windows-1252 can read it, and when it is UTF-8
    with damaged letters (cut off in the middle of one, say): Windows-1252 would read nearly any bytes, as nonsense.
    """
    stream.seek(0)
    head = stream.read(_WITHOUT_MARK)
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


def surmise_encoding(stream: BinaryIO) -> str | None:
    """What `detect_encoding` says of a stream whose rest is as its beginning; None where that doesn't tell.

    Whoever reads the stream by it must prove that all of it is UTF-8. It is rewound.
    """
    stream.seek(0)
    head = stream.read(_SURMISED)
    stream.seek(0)
    mark = next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
    if mark not in ("utf-8", "utf-8-sig") or _utf_16_of(head[:_WITHOUT_MARK]):
        return None
    try:
        codecs.getincrementaldecoder("utf-8")(errors="strict").decode(head)
    except UnicodeDecodeError:
        return None
    return mark


def _utf_16_of(head: bytes) -> str | None:
    """UTF-16 without its byte order mark shows by its NULs: one in most letters, always in the same of its two bytes.

    Letters beyond Latin ones have none, so a title may stand above the header in any language.
    """
    first, second = (half.count(0) / max(len(half), 1) for half in (head[0::2], head[1::2]))
    if second > _MOST and not first:
        return "utf-16-le"
    return "utf-16-be" if first > _MOST and not second else None


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
    read = 0
    while True:
        block = stream.read(_BLOCK)
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            pending = len(error.object) - len(block)  # bytes of a letter that began in the block before
            offset = read - pending + error.start
            raise Refusal(
                "undecodable",
                f"byte 0x{error.object[error.start]:02x} at offset {offset} (line {_line_at(stream, offset)}) is not "
                f"{encoding}",
                "export the file again as CSV with UTF-8 or Windows encoding",
            ) from None
        if not block:
            stream.seek(0)
            return encoding
        read += len(block)


def _line_at(stream: BinaryIO, offset: int) -> int:
    """The number of the line in which a byte stands."""
    stream.seek(0)
    lines = 1
    while offset > 0 and (block := stream.read(min(_BLOCK, offset))):
        lines += _line_ends(block)
        offset -= len(block)
    return lines


def _line_ends(block: bytes) -> int:
    return block.count(b"\n") or block.count(b"\r")


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
