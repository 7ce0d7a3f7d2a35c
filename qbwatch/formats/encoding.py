"""Bytes → the name of the codec that reads them: BOM, then strict UTF-8, then Windows-1252.

Decided over the whole file, because the first telling byte may stand in the last row.
"""

from __future__ import annotations

import codecs
from typing import BinaryIO

from qbwatch.formats.refusal import Refusal

_BLOCK = 1 << 18
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SURMISED = 1 << 20  # bytes
_WITHOUT_MARK = 4096  # bytes, among whose letters NULs tell UTF-16
_MOST = 0.5  # of the letters


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
