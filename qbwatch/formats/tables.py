"""Bytes → tables of rows: the first bytes decide how a file is written, never its extension."""

from __future__ import annotations

from collections.abc import Generator

from qbwatch.formats.containers import refuse_other_kinds
from qbwatch.formats.encoding import detect_encoding, surmise_encoding
from qbwatch.formats.iif import is_iif, tables_of
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Opener, OpenWorkbook, Row, Table
from qbwatch.formats.text import head_of, read_rows, sniff_delimiter
from qbwatch.formats.workbook import is_workbook, open_workbook

_HEAD = 8192


def open_tables(
    open_stream: Opener, open_book: OpenWorkbook = open_workbook, *, surmises: bool = False
) -> tuple[Table, ...]:
    """The tables that a file holds, at least one. Raises `Refusal` when it holds none or can't be read.

    ``open_book`` opens workbooks: in this process, if nothing else is given. ``surmises``: of a text only the beginning
    is looked at, where that tells; see `Table`.
    """
    with open_stream() as stream:
        head = stream.read(_HEAD)
    if is_workbook(head):
        return open_book(open_stream)
    if not head.strip(b"\x00\xef\xbb\xbf\xff\xfe \t\r\n,"):
        raise Refusal("empty_file", _emptiness(head), "nothing of it was loaded; export it again")
    refuse_other_kinds(head)
    return _open_text(open_stream, surmises)


def _open_text(open_stream: Opener, surmises: bool) -> tuple[Table, ...]:
    with open_stream() as stream:
        surmised = surmise_encoding(stream) if surmises else None
        encoding = surmised or detect_encoding(stream)
        head = head_of(stream, encoding)
        if surmised and is_iif(head):
            encoding = detect_encoding(stream)
    delimiter = "\t" if is_iif(head) else sniff_delimiter(head)

    def rows() -> Generator[Row, None, None]:
        with open_stream() as stream:
            yield from read_rows(stream, encoding, delimiter)

    if is_iif(head):
        return tables_of(rows, encoding)
    return (Table(None, "csv", encoding, delimiter, rows, is_surmised=surmised is not None),)


def _emptiness(head: bytes) -> str:
    if head.strip(b"\x00") != head and not head.strip(b"\x00"):
        return "it holds nothing but NUL bytes: a placeholder that was never downloaded"
    return "the file is empty"
