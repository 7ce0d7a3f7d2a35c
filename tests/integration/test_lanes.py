"""The plain lane comes to the same as the careful one, row by row, or leaves the part to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from corpus_figures import exports
from exports import CUSTOMER, INVOICE, csv_bytes, customers, invoices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from two_lanes import Lanes

from qbwatch.core.dates import DateOrder
from qbwatch.formats.plain_text import NotPlain

CUSTOMERS, INVOICES = "Customer_04_04_2025_1_00_02.csv", "Invoice_04_04_2025_2_00_03.csv"
DOCUMENT = ("A", "1", "Acme", "04-01-2025", "p", "1", "2.50", "2.50", "9.00", "Open")
WITH_IDS = ("S.No", "Trans #", *INVOICE, "Tax Persentage", "Print Later", "Due Date", "Colour", "Exchange Rate")


@pytest.fixture(scope="module")
def lanes(module_database_url: str) -> Iterator[Lanes]:
    with psycopg.connect(module_database_url, client_encoding="utf8") as connection:
        yield Lanes(connection)


def test_every_csv_of_a_company_goes_by_the_plain_lane_and_comes_to_the_same(corpus: Path, lanes: Lanes) -> None:
    left = [path.name for path in exports(corpus) if not lanes.same(path.name, path.read_bytes())]
    assert left == []


def invoice(**cells: str) -> bytes:
    """A document whose second line differs in some cells, by column."""
    names = dict(zip(INVOICE, DOCUMENT, strict=True))
    changed = {**names, **{INVOICE[int(place[1:])]: cell for place, cell in cells.items()}}
    return csv_bytes(INVOICE, DOCUMENT, tuple(changed.values()), DOCUMENT)


LONG = csv_bytes(INVOICE, *[DOCUMENT] * 40)  # its end lies beyond what is read to find the header


@pytest.mark.parametrize(
    "data",
    [
        invoice(),
        invoice(_3=""),
        invoice(_3="0/0/0"),
        invoice(_3="2025-04-02"),
        invoice(_3="4-2-25"),
        invoice(_3=" 04-02-2025 "),
        *(invoice(_7=amount) for amount in ("", "-", "(5.00)", "$1,234.50", "1,234.50", "-0.00", "007", ".5", "5.",
                                            " 5 ", "5.00-", "−5", "1234567890123456789012345678901234567890.123")),
        *(invoice(_6=rate) for rate in ("", "-10%", "6.625%", "1,000%", "1,000.00", " 5% ", "$3")),
        *(invoice(_2=text) for text in ("", " ", "\t", "\u00a0", " Acme", "Acme ", 'say ""hi""', "a\nb", "a\r\nb", "É",
                                        "\u2003wide", "\\N", "\\.", "NaN", "Infinity")),
        invoice(_9="Ünïcode, quoted"),
        csv_bytes(INVOICE, DOCUMENT, [""] * 10, ["B", *DOCUMENT[1:]]),
        csv_bytes(INVOICE, DOCUMENT, [" "] * 10),
        csv_bytes(INVOICE, DOCUMENT, [*DOCUMENT[:2], "Zoë", *DOCUMENT[3:]], encoding="cp1252"),
        b"\xef\xbb\xbf" + invoice(),
        invoice().replace(b"\r\n", b"\n"),
        invoice().replace(b",", b";"),
        invoice().replace(b",", b"\t"),
        invoice().rstrip(),
        invoice() + b"\r\n",
        invoice() + b"\r\n\r\n",
        b"\n".join([*LONG.split(b"\r\n")[:9], b"", b"", *LONG.split(b"\r\n")[9:]]),
        customers(["8-1", "Acme"]) + b"\r\n" + customers(["8-2", "Beta"]).partition(b"\n")[2] + b"\r\n",
        b"A report of ours,,\r\n" + invoice(),
        csv_bytes((*INVOICE, "", "Colour"), (*DOCUMENT, "", "red"), (*DOCUMENT, "x", "")),
        csv_bytes((*INVOICE, ""), (*DOCUMENT, ""), (*DOCUMENT, "")),
        csv_bytes((*INVOICE, "SSN"), (*DOCUMENT, "078-05-1120")),
        csv_bytes(("S.No", *INVOICE), ("1", *DOCUMENT), ("2", *["\\.", "1", "a\\tb", *DOCUMENT[3:]])),
        customers(["8-1", "Acme", "a@b.example", "1,234.50", "true"], ["8-2", "Beta", "", "", "Y"]),
        customers(["8-1", "Cash Customer"], ["8-2", "Monday Market"], ["8-3", "TOTAL"], ["TOTAL", "Wine", "x", "5"]),
    ],
)  # fmt: skip
def test_what_the_plain_lane_serves_it_serves_alike(lanes: Lanes, data: bytes) -> None:
    assert lanes.same(CUSTOMERS if b"Main Email" in data else INVOICES, data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (invoice(_7="one"), "can't be read"),
        (invoice(_7="NaN"), "can't be read"),
        (invoice(_7="1e5"), "can't be read"),
        (invoice(_7="-Infinity"), "can't be read"),
        (invoice(_7="12,34,5"), "can't be read"),
        (invoice(_3="02-30-2025"), "no such day"),
        (invoice(_3="31-12-2025"), "date"),
        (invoice(_3="04-01-1825"), "can't be read"),
        (invoice(_0=""), "without a key"),
        (invoice(_0="1.91431E+18"), "spreadsheet"),
        (invoice(_0="8" * 600), "no key"),
        (invoice(_0="B"), "stand together"),
        (invoice() + b"\rA,1\r\n", "line ends"),
        (b"\n\r".join(invoice().split(b"\r\n")[:2]) + b"\r\n" + LONG, "line ends"),
        (invoice(_2="a\r\nb") + b"A,1\rx\n", "halves stand apart"),
        (invoice(_2="a\r\nb") + b"\r" + b",".join(map(str.encode, DOCUMENT)) + b"\n", "halves stand apart"),
        (invoice() + b"A,1\r\n", "another width"),
        (invoice() + b",".join(c.encode() for c in DOCUMENT) + b",x\r\n", "another width"),
        (csv_bytes((*INVOICE, ""), (*DOCUMENT, "x")), "beyond the header"),
        (invoice() + b'A,1,Ac"me,,,,,,,\r\n', "quote"),
        (LONG + b'A,1,"Ac"me,,,,,,,\r\n', "quote"),
        (LONG + b'A,1,"Acme,,,,,,,\r\n', "quote"),
        (csv_bytes(INVOICE, DOCUMENT, ("", *DOCUMENT[1:])), "without a key"),
        (csv_bytes(INVOICE, DOCUMENT, (DOCUMENT[0], "#REF!", *DOCUMENT[2:])), "spreadsheet"),
        (csv_bytes(INVOICE, DOCUMENT, ("8" * 600, *DOCUMENT[1:])), "no key"),
        (invoice() + b"A,1,Ac\x00me,,,,,,,\r\n", "NUL"),
        (invoice() + b"A,1,Ac\rme,,,,,,,\r\n", "line ends"),
        (invoice() + b"A,1,Acme,,,,,,,\n", "line ends"),
        (invoice().replace(b"\r\n", b"\n\r"), "halves stand apart"),
        (LONG.replace(b"\r\n", b"\n") + b"\r" + b",".join(map(str.encode, DOCUMENT)) + b"\n", "line ends"),
        (invoice() + b"\\.\r\n", "another width"),
        (invoice().decode().encode("utf-16"), "no text"),
        (customers(["8-1", "Acme"], ["8-1", "Beta"]), "stated twice"),
        (LONG + b"\x1a", "end of the text"),
        (csv_bytes(INVOICE[1:], DOCUMENT[1:]), "key stands in one column"),
        (csv_bytes(INVOICE, ["\ufeffA", *DOCUMENT[1:]]), "byte order mark"),
        *((customers(["8-1", "Acme"], closing), "closes a printed list") for closing in (
            ["TOTAL", "", "", "5.00"], [" ", " TOTAL ", "", "(5.00)"], ["Cash Basis"], ["", "\u00a0accrual basis"],
            ["Friday, April 4, 2025 02:15 PM GMT-05:00"], ["", "Friday April 4 2025 2:15 PM"],
        )),
    ],
)  # fmt: skip
def test_what_needs_care_is_left_to_the_careful_lane(lanes: Lanes, data: bytes, why: str) -> None:
    with pytest.raises(NotPlain, match=why) as caught:
        lanes.plain(CUSTOMERS if b"Main Email" in data else INVOICES, data)
    assert not re.search("Acme|9.00|TOTAL|88", str(caught.value))  # it is logged


@pytest.mark.parametrize("order", list(DateOrder))
@pytest.mark.parametrize("day", ["03-04-2025", "03/04/2025", "03.04.2025", "2025-04-03", "2025/04/03", "13-04-2025"])
def test_dates_are_read_alike_in_every_order_and_notation(lanes: Lanes, order: DateOrder, day: str) -> None:
    row = [*DOCUMENT[:3], day, *DOCUMENT[4:]]
    Lanes(lanes.connection, order).same(INVOICES, csv_bytes(INVOICE, row, row))


def test_identifiers_in_thousands_and_percentages_are_served(lanes: Lanes) -> None:
    def row(number: int, trans_no: str, percent: str) -> list[str]:
        return [str(number), trans_no, *DOCUMENT, percent, "false", "", "red" if number % 2 else "", "1"]

    told = ["", "7", "876", "9,876", "123,456", "1,234,567", "12,34", "9,876 ", "-9,876", "0,123", "a,b", "007"]
    rows = [row(number, trans_no, "6.625%") for number, trans_no in enumerate(told)]
    assert lanes.same(INVOICES, csv_bytes(WITH_IDS, *rows, row(99, "1", "6.625"), row(99, "1", "")))


def test_many_documents_that_stand_together_are_numbered_alike(lanes: Lanes) -> None:
    many = {f"{number:X}-17": [("p", "1.00")] * (number % 5 + 1) for number in range(4000)}
    assert lanes.same(INVOICES, invoices(many))


# any file that might be an export

_TEXTS = st.sampled_from(
    ["", "", "Acme", "Acme, Inc", 'a "b" c', "two\r\nlines", " lead", "trail ", "Zoë", "\u00a0", "-"]
)
_NUMBERS = st.sampled_from(
    ["", "1", "2.50", "-3.10", "1,234.50", "(4.00)", "$5", "-", "6.", "0.070", "-0.00", "1e3", "x"]
)
_PLAIN_NUMBERS = st.decimals(-10_000, 10_000, places=2).map(str)
_RATES = st.one_of(_PLAIN_NUMBERS, st.sampled_from(["", "-10%", "6.625%", "1,000.00", "%", "5 %"]))
_DATES = st.one_of(
    st.dates().map(lambda day: day.strftime("%m-%d-%Y")),
    st.sampled_from(["", "04-01-2025", "04-02-2025", "0/0/0", "2025-04-01", "4/1/25", "31-12-2025", "x"]),
)
_IDS = st.sampled_from(["", "1", "9,876", "1,234,567", "12,34", "x,y", "1.9E+18"])
_KEYS = st.sampled_from(["A", "A", "A", "B", "C-17", "C-17 ", "", "É"])
_TRUTHS = st.sampled_from(["", "true", "false", "Y", "no", "maybe"])
_ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


def _mostly(plain: st.SearchStrategy[str], other: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.integers(0, 30).flatmap(lambda number: plain if number else other)


def _cells(*, odd: bool) -> st.SearchStrategy[tuple[str, ...]]:
    def some(plain: st.SearchStrategy[str], other: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(plain, other, _ANY) if odd else _mostly(plain, other)

    just = st.sampled_from
    money = some(_PLAIN_NUMBERS, _NUMBERS)
    day = some(just(["04-01-2025", "12-31-2024", ""]), _DATES)
    return st.tuples(
        just(["", "1"]), some(just(["", "7", "9,876"]), _IDS), some(just(["A", "B"]), _KEYS), just(["1", "N-2"]),
        some(just(["Acme", ""]), _TEXTS), day, some(just(["p", ""]), _TEXTS), money,
        some(_PLAIN_NUMBERS, _RATES), money, money, just(["Open", ""]), some(just(["", "6.625%"]), _RATES),
        some(just(["true", "false"]), _TRUTHS), day, some(just(["", "red"]), _TEXTS), money,
    )  # fmt: skip


def _written(rows: list[tuple[str, ...]], quote_all: bool, newline: str, encoding: str) -> bytes:
    def cell(text: str) -> str:
        if quote_all or any(mark in text for mark in ',"\r\n'):
            return '"' + text.replace('"', '""') + '"'
        return text

    lines = [",".join(map(cell, row)) for row in (WITH_IDS, *rows)]
    return (newline.join(lines) + newline).encode(encoding, "replace")


_FILES = st.booleans().flatmap(
    lambda odd: st.builds(
        _written, st.lists(_cells(odd=odd), max_size=8).map(lambda rows: sorted(rows, key=lambda row: row[2])),
        st.booleans(), st.sampled_from(["\r\n", "\n"]), st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
    )
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_FILES)
def test_any_export_comes_to_the_same_by_either_lane(lanes: Lanes, data: bytes) -> None:
    lanes.same(INVOICES, data)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_FILES, st.binary(max_size=6), st.integers(0, 400))
def test_bytes_that_were_damaged_come_to_the_same_by_either_lane(
    lanes: Lanes, data: bytes, damage: bytes, place: int
) -> None:
    lanes.same(INVOICES, data[:place] + damage + data[place + len(damage) :])


_LIST_TEXTS = st.sampled_from(
    ["Acme", "", " ", "TOTAL", " TOTAL", "Total", "Cash Basis", "\u00a0Cash basis", "accrual", "Monday Market", "-",
     "7.5", "Friday, April 4, 2025 02:15 PM", "Friday April 4 2025 2:15 PM GMT-5"]
)  # fmt: skip
_LIST_ROWS = st.tuples(
    st.one_of(st.integers(1, 99).map(str), _LIST_TEXTS), st.one_of(_LIST_TEXTS, _ANY), _LIST_TEXTS,
    st.sampled_from(["", "", "1.50", "1,234.50", "x"]), st.sampled_from(["", "true", "Y", "x"]),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_LIST_ROWS, max_size=5))
def test_any_list_comes_to_the_same_by_either_lane(lanes: Lanes, rows: list[tuple[str, ...]]) -> None:
    lanes.same(CUSTOMERS, csv_bytes(CUSTOMER, *rows))


def test_a_customer_list_has_no_second_key(lanes: Lanes) -> None:
    assert lanes.same(CUSTOMERS, csv_bytes(CUSTOMER, *([f"8-{n}", "x", "", "", "true"] for n in range(50))))
