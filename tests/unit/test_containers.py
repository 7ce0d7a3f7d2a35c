"""A file is what its bytes say, whatever its name: and what is neither text nor workbook is called by its name."""

from __future__ import annotations

import codecs
import gzip
import io

import pytest
from exports import customers, opened
from workbooks import packed, xlsx

from qbwatch.formats.refusal import Refusal
from qbwatch.formats.tables import open_tables
from qbwatch.formats.whole import looks_complete

LIST = [["QuickBooks Internal Id", "Customer Name"], ["80000001-1", "Acme"]]
TEXT = b"QuickBooks Internal Id\tCustomer Name\r\n80000001-1\tAcme\r\n"


def refused(data: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        open_tables(lambda: io.BytesIO(data))
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        (b"<html><body><table><tr><td>a</td></tr></table>", "html", "a web page"),
        (b"\xef\xbb\xbf\r\n <!DOCTYPE HTML>\r\n<html>", "html", "a web page"),
        (b"<!-- saved --><TABLE>", "html", "a web page"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "html", "a web page"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "xml", "XML"),
        (b"%PDF-1.7\n", "pdf", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "image", "an image"),
        (b"\xff\xd8\xff\xe0", "image", "an image"),
        (gzip.compress(b"a,b\r\n"), "compressed", "gzip"),
        (b"7z\xbc\xaf\x27\x1c\x00", "archive", "an archive"),
        (packed({}), "archive", "without any file"),
        (packed({"a.csv": "x"}), "zip_archive", "a zip archive, and no workbook"),
        (b"\x09\x08\x10\x00\x00\x05\x05\x00", "old_workbook", "before 1997"),
        (b"", "empty_file", "empty"),
        (b"\r\n\r\n", "empty_file", "empty"),
        (codecs.BOM_UTF8, "empty_file", "empty"),
        (codecs.BOM_UTF16_LE + b"\r\x00\n\x00", "empty_file", "empty"),
        (bytes(4096), "empty_file", "NUL bytes"),
    ],
)
def test_each_kind_has_its_own_plain_word(data: bytes, code: str, told: str) -> None:
    refusal = refused(data)
    assert refusal.failure.code == code
    assert told in refusal.message


@pytest.mark.parametrize("name", ["Customer.csv", "Customer.xls", "Customer.xlsx", "Customer.txt"])
def test_the_extension_has_no_say(name: str) -> None:
    for data, form in ((TEXT, "csv"), (xlsx(Customer=LIST), "xlsx")):
        part = opened(data, name)
        assert (part.table.format, part.layout.dataset.name) == (form, "customers")
        assert [reading.line for reading in part.readings()] == [2]


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_zip_without_its_end_is_still_arriving(cut: int) -> None:
    data = xlsx(Customer=LIST)
    assert looks_complete(io.BytesIO(data))
    assert not looks_complete(io.BytesIO(data[: -cut - 21]))


def test_an_ole_container_without_its_directory_is_still_arriving() -> None:
    head = bytearray(512)
    head[:8], head[30:32], head[48:52] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x09\x00", b"\x03\x00\x00\x00"
    assert looks_complete(io.BytesIO(head + bytes(512 * 4)))
    assert not looks_complete(io.BytesIO(head + bytes(512 * 3)))
    assert not looks_complete(io.BytesIO(head[:100]))


def test_a_text_is_looked_at_as_before_and_other_kinds_need_no_line_end() -> None:
    assert not looks_complete(io.BytesIO(customers(["1", "Acme"])[:-4]))
    assert looks_complete(io.BytesIO(customers(["1", "Acme"])))
    assert looks_complete(io.BytesIO(b'%PDF-1.7 "'))
