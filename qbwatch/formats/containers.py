"""What is this file, by its first bytes? For those that are neither text nor workbook, a plain word about each."""

from __future__ import annotations

from qbwatch.formats.refusal import Refusal

_AGAIN = "export the data as CSV or Excel"
_UNPACK = "unpack it and drop the exports themselves"

# first bytes → code, what it is, what to do
_BINARY: tuple[tuple[tuple[bytes, ...], str, str, str], ...] = (
    ((b"%PDF",), "pdf", "a PDF document: a report that was printed, not exported", _AGAIN),
    ((b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*"), "image", "an image", _AGAIN),
    ((b"\x1f\x8b",), "compressed", "compressed (gzip)", _UNPACK),
    ((b"BZh",), "compressed", "compressed (bzip2)", _UNPACK),
    ((b"\xfd7zXZ\x00",), "compressed", "compressed (xz)", _UNPACK),
    ((b"\x28\xb5\x2f\xfd",), "compressed", "compressed (zstd)", _UNPACK),
    ((b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07"), "archive", "an archive of other files", _UNPACK),
    ((b"PK\x05\x06",), "archive", "a zip archive without any file", _AGAIN),
    ((b"SQLite format 3\x00",), "database", "an SQLite database", _AGAIN),
    ((b"\x09\x08\x08\x00", b"\x09\x08\x10\x00", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00", b"\x09\x00\x04\x00"),
     "old_workbook", "a workbook of an Excel before 1997", "save it as .xlsx or CSV"),
    ((b"{\\rtf",), "document", "a text document (RTF)", _AGAIN),
)  # fmt: skip
_MARKUP: tuple[tuple[tuple[bytes, ...], str, str, str], ...] = (
    ((b"<!doctype html", b"<html", b"<head", b"<body", b"<table", b"<meta", b"<style"), "html",
     "a web page, whatever its name says", "open it in Excel and save it as .xlsx or CSV, or export it again"),
    ((b"mime-version:", b"from: <saved by"), "html",
     "a web page with its parts (MHTML), whatever its name says", "open it in Excel and save it as .xlsx or CSV"),
    ((b"<?xml", b"<workbook"), "xml", "an XML document, whatever its name says",
     "open it in Excel and save it as .xlsx or CSV, or export it again"),
)  # fmt: skip


def refuse_other_kinds(head: bytes) -> None:
    """Raise `Refusal` for a file whose first bytes (some kilobytes) are those of something else than a table."""
    for marks, code, told, hint in _BINARY:
        if head.startswith(marks):
            raise Refusal(code, f"it is {told}", hint)
    begin = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if begin.startswith(b"<!--"):
        begin = begin.partition(b"-->")[2].lstrip()
    for marks, code, told, hint in _MARKUP:
        if begin.startswith(marks):
            raise Refusal(code, f"it is {told}", hint)


def is_text(head: bytes) -> bool:
    """True unless the first bytes are those of a binary format that is known here."""
    return not any(head.startswith(marks) for marks, *_ in _BINARY)
