"""Open one part of a file: what it is, and a way to read its records from the beginning as often as needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from qbwatch.core.dates import DateOrder
from qbwatch.core.naming import read_file_name
from qbwatch.formats.layout import Layout, lay_out
from qbwatch.formats.recognise import HEADER_WITHIN, Header, matching, read_header, recognise
from qbwatch.formats.records import Reading, read_records
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.text import Row, detect_encoding, first_line, read_rows, sniff_delimiter

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # zip (.xlsx, .ods) and OLE (.xls)

Opener = Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Part:
    """What a file holds for one dataset: how it is written, where its columns go, and the way back to its bytes."""

    layout: Layout
    encoding: str
    delimiter: str
    open: Opener

    def readings(self) -> Iterator[Reading]:
        """Every row below the header, from the beginning. Raises `Refusal`."""
        with self.open() as stream, closing(read_rows(stream, self.encoding, self.delimiter)) as rows:
            below = (row for row in rows if row.line > self.layout.header.line)
            yield from read_records(below, self.layout)


def open_part(open_stream: Opener, name: str, order: DateOrder) -> Part:
    """Recognise a delimited text file by content first and name second. Raises `Refusal`."""
    with open_stream() as stream:
        head = stream.read(8192)
        if head.startswith(_WORKBOOKS):
            raise Refusal(
                "workbook", "an Excel workbook: this version reads CSV", "export it as CSV, each list by itself"
            )
        if not head.strip(b"\x00\xef\xbb\xbf \t\r\n,"):
            raise Refusal("empty_file", _emptiness(head), "nothing of it was loaded; export it again")
        encoding = detect_encoding(stream)
        delimiter = sniff_delimiter(first_line(stream, encoding))
        with closing(read_rows(stream, encoding, delimiter)) as rows:
            header = _find_header(rows)
    dataset = recognise(header, read_file_name(name).stem)
    return Part(
        lay_out(read_header(header.line, header.written, dataset), dataset, order), encoding, delimiter, open_stream
    )


def _emptiness(head: bytes) -> str:
    if head.strip(b"\x00") != head and not head.strip(b"\x00"):
        return "it holds nothing but NUL bytes: a placeholder that was never downloaded"
    return "the file is empty"


def _find_header(rows: Iterator[Row]) -> Header:
    """The first row that carries a dataset's signature, else the first row with content."""
    head = list(islice(rows, HEADER_WITHIN))
    first: Header | None = None
    for row in head:
        header = read_header(row.line, row.cells)
        if matching(header.columns):
            return header
        if first is None and any(header.columns):
            first = header
    if first is None:
        raise Refusal("empty_file", "the file has no row with content", "nothing of it was loaded; export it again")
    return first
