"""Does a file end as a whole one does? A doubt, no verdict: what looks unfinished is only waited for a while longer."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

from qbwatch.formats import text
from qbwatch.formats.containers import is_text
from qbwatch.formats.workbook import OLE, ZIP

_END_OF_ZIP = b"PK\x05\x06"
_LONGEST_ZIP_END = 22 + 65_535  # the record, and the comment behind it


def looks_complete(stream: BinaryIO) -> bool:
    """False when the bytes end like a file that is still arriving. The stream is rewound."""
    stream.seek(0)
    head = stream.read(512)
    try:
        if head.startswith(ZIP):
            return _has_end_of_zip(stream)
        if head.startswith(OLE):
            return _holds_its_directory(stream, head)
        return not is_text(head) or text.looks_complete(stream)
    finally:
        stream.seek(0)


def _has_end_of_zip(stream: BinaryIO) -> bool:
    """A zip ends in the list of what it holds, and that list in a record of its own."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - _LONGEST_ZIP_END))
    return _END_OF_ZIP in stream.read()


def _holds_its_directory(stream: BinaryIO, head: bytes) -> bool:
    """An OLE container names the sector of its directory, which stands near its end as a rule."""
    if len(head) < 512:
        return False
    shift, sector = struct.unpack_from("<H", head, 30)[0], struct.unpack_from("<I", head, 48)[0]
    size = stream.seek(0, io.SEEK_END)
    return bool(shift > 16 or (sector + 2) << shift <= size)
