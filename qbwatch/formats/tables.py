"""Bytes → tables of rows: the first bytes decide how a file is written, never its extension."""

from __future__ import annotations

from collections.abc import Generator

from qbwatch.formats.iif import is_iif, tables_of
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Opener, Row, Table
from qbwatch.formats.text import detect_encoding, first_line, read_rows, sniff_delimiter

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # zip (.xlsx, .ods) and OLE (.xls)


def open_tables(open_stream: Opener) -> tuple[Table, ...]:
    """The tables that a file holds, at least one. Raises `Refusal` when it holds none or can't be read."""
    with open_stream() as stream:
        head = stream.read(8192)
    if head.startswith(_WORKBOOKS):
        raise Refusal("workbook", "an Excel workbook: this version reads CSV", "export it as CSV, each list by itself")
    if not head.strip(b"\x00\xef\xbb\xbf \t\r\n,"):
        raise Refusal("empty_file", _emptiness(head), "nothing of it was loaded; export it again")
    return _open_text(open_stream)


def _open_text(open_stream: Opener) -> tuple[Table, ...]:
    with open_stream() as stream:
        encoding = detect_encoding(stream)
        line = first_line(stream, encoding)
    delimiter = "\t" if is_iif(line) else sniff_delimiter(line)

    def rows() -> Generator[Row, None, None]:
        with open_stream() as stream:
            yield from read_rows(stream, encoding, delimiter)

    return tables_of(rows, encoding) if is_iif(line) else (Table(None, "csv", encoding, delimiter, rows),)


def _emptiness(head: bytes) -> str:
    if head.strip(b"\x00") != head and not head.strip(b"\x00"):
        return "it holds nothing but NUL bytes: a placeholder that was never downloaded"
    return "the file is empty"
