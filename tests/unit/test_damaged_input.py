"""Whatever the bytes are, a file is read or refused: nothing else is raised, and no byte costs more than its share.

Mutations of small exports in every form, truncations, and random bytes, from a fixed seed.
"""

from __future__ import annotations

import random
import time
from contextlib import suppress
from pathlib import Path

import pytest
from damaging import mutated, read_all, survives
from written_forms import FORMS, LISTS

from qbwatch.core.dates import DateOrder
from qbwatch.formats.refusal import Refusal

ROUNDS = 17_000
CELLS = (
    "", "", " ", "A-1", "Acme", "Acme:Job 1", "04-01-2025", "1,234.50", "(5.00)", "$-1", "-10%", "true", "N", "0/0/0",
    "31/12/2025", "NaN", "1E5",
    "9" * 40, "１２", "#REF!", "8.00E+10", "a\x00b", 'a "b"', "Smith, LLC", "x\ny", "\u00a0",
    "€5", "1.000,00", "TOTAL", "Monday, April 14, 2025 09:15 AM GMT-04:00", "\ufeff", "\U0001f600",
)  # fmt: skip


def samples(chance: random.Random) -> list[tuple[str, bytes]]:
    """A small file in each form, and IIF lists."""
    found = [("lists.iif", LISTS)]
    for header, (name, _, _) in FORMS.items():
        width = header.count(",") + 1
        rows = [",".join(_quoted(chance.choice(CELLS)) for _ in range(width)) for _ in range(6)]
        found.append((name, "\r\n".join([header, *rows, ""]).encode()))
    return found


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n') else cell


def test_mutated_exports_are_read_or_refused() -> None:
    known = samples(random.Random("samples"))

    def make(chance: random.Random) -> tuple[str, bytes]:
        name, data = chance.choice(known)
        return name, mutated(data, chance)

    ends = survives(make, ROUNDS, "mutations")
    assert ends["read"] > ROUNDS / 20
    assert {"unbalanced_quote", "missing_columns", "date_order"} <= ends.keys()


def test_random_bytes_are_read_or_refused() -> None:
    letters = b'abcNameInvoice No,"\t\r\n;|!0123456789.-/$()% \x00\xff\xc3\xa9'

    def make(chance: random.Random) -> tuple[str, bytes]:
        size = chance.randint(0, 400)
        pool = letters if chance.random() < 0.7 else bytes(range(256))
        return chance.choice(["Customer.csv", "x.iif", "Invoice.csv"]), bytes(chance.choices(pool, k=size))

    assert len(survives(make, 2_500, "bytes")) > 3


def test_mutated_files_of_the_corpus_are_read_or_refused(corpus: Path) -> None:
    files = [
        *corpus.glob("qbo/*.csv"), *corpus.glob("iif/*"), corpus / "saasant" / "Customer_04_04_2025_1_00_02.csv",
        corpus / "saasant" / "Sales_Receipt_04_04_2025_3_00_02.csv",
    ]  # fmt: skip
    known = [(file.name, file.read_bytes()) for file in sorted(files)]

    def make(chance: random.Random) -> tuple[str, bytes]:
        name, data = chance.choice(known)
        return name, mutated(data, chance)

    survives(make, 1_000, "corpus")


@pytest.mark.parametrize(
    "data",
    [
        b"(" * 400_000, b"-" * 400_000, b"9" * 400_000, b"1," * 200_000, b" " * 400_000, b"/" * 400_000, b"#" * 400_000,
        b"9:" * 200_000, b"," * 400_000, b"ab " * 130_000,
    ],
)  # fmt: skip
def test_a_long_cell_costs_no_more_than_its_length(data: bytes) -> None:
    header = b"QuickBooks Internal Id,Customer Name,Credit Limit,Start Date,Status\r\n"
    cell = b'"' + data + b'"'
    for row in (b"8-1,A,%b,,", b"8-1,A,,%b,", b"8-1,%b,,,", b"%b,A,,,", b"8-1,A,,,%b"):
        began = time.process_time()
        with suppress(Refusal):
            read_all(header + row.replace(b"%b", cell) + b"\r\n", "Customer.csv", DateOrder.MDY)
        assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "names", ["a", "Name", "Invoice No,Invoice Date,Customer,Product/Service Amount", "!INVITEM", ""]
)
def test_a_header_without_end_costs_no_more_than_its_length(names: str) -> None:
    data = (",".join([names] * 10_000) + "\r\n").encode() + b"x," * 10_000 + b"\r\n"
    began = time.process_time()
    with suppress(Refusal):
        read_all(data, "Invoice.csv", DateOrder.MDY)
    assert time.process_time() - began < 5
