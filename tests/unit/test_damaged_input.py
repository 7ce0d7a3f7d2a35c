"""Whatever the bytes are, a file is read or refused: nothing else is raised, and no byte costs more than its share.

Mutations of small exports in every form, truncations, and random bytes, from a fixed seed.
"""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from written_forms import FORMS, LISTS

from qbwatch.core.dates import DateOrder
from qbwatch.formats.notes import notes_of
from qbwatch.formats.part import Part, open_parts
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.tally import Tally, read_whole_documents

ROUNDS = 17_000
SECONDS_A_FILE, SECONDS_A_KILOBYTE = 0.5, 0.02
CELLS = (
    "", "", " ", "A-1", "Acme", "Acme:Job 1", "04-01-2025", "1,234.50", "(5.00)", "$-1", "-10%", "true", "N", "0/0/0",
    "31/12/2025", "NaN", "1E5",
    "9" * 40, "１２", "#REF!", "8.00E+10", "a\x00b", 'a "b"', "Smith, LLC", "x\ny", "\u00a0",
    "€5", "1.000,00", "TOTAL", "Monday, April 14, 2025 09:15 AM GMT-04:00", "\ufeff", "\U0001f600",
)  # fmt: skip
TOKENS = (
    b",", b'"', b"\t", b"\n", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"!", b"!INVITEM", b"ENDGRP", b";", b"|",
    b"\xc3", b"\x92", b"''", b",,,,,,", b"1E5", b"NaN", b"\x1a", b"PK\x03\x04", b"\xff\xfe",
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


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes after a few accidents."""
    for _ in range(chance.randint(1, 4)):
        at, until = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
        match chance.randint(0, 6):
            case 0:
                data = data[:at]
            case 1:
                data = data[:at] + chance.choice(TOKENS) + data[at:]
            case 2:
                data = data[:at] + bytes([chance.randint(0, 255)]) + data[at + 1 :]
            case 3:
                data = data[:at] + data[min(until, at + 40) :]
            case 4:
                data = data[:at] + data[at : at + 60] + data[at:]
            case 5:
                lines = data.splitlines(keepends=True)
                chance.shuffle(lines)
                data = b"".join(lines)
            case _:
                data = data[at:] + data[:at]
    return data


def read_all(data: bytes, name: str, order: DateOrder) -> None:
    """Everything that checking a file does without a database. Raises `Refusal` alone."""
    for part in open_parts(lambda: io.BytesIO(data), name, order):
        if isinstance(part, Part):
            _count(part)


def _count(part: Part) -> None:
    def read(tally: Tally) -> None:
        for reading in part.readings():
            tally.take(reading)

    tally = read_whole_documents(part.layout, read)
    assert tally.read == tally.structural + tally.accepted + tally.rejected
    assert all(isinstance(total, Decimal) and total.is_finite() for total in tally.sums.values())
    assert all("\x00" not in reject.text for reject in tally.rejects)
    notes_of(part.layout, part.table.encoding, tally, is_full=True)


def _survives(make: Callable[[random.Random], tuple[str, bytes]], rounds: int, seed: str) -> dict[str, int]:
    """Read so many files; returns how they ended."""
    chance, ends = random.Random(seed), {"read": 0}
    for _ in range(rounds):
        name, data = make(chance)
        order = chance.choice(list(DateOrder))
        began = time.process_time()
        try:
            read_all(data, name, order)
            ends["read"] += 1
        except Refusal as refusal:
            code = refusal.failure.code if refusal.message and refusal.hint else "a refusal without a word"
            ends[code] = ends.get(code, 0) + 1
        except Exception as error:
            error.add_note(f"{name}: {data!r}")
            raise
        took = time.process_time() - began
        assert took < SECONDS_A_FILE + SECONDS_A_KILOBYTE * len(data) / 1024, (name, data)
    assert "a refusal without a word" not in ends
    return ends


def test_mutated_exports_are_read_or_refused() -> None:
    known = samples(random.Random("samples"))

    def make(chance: random.Random) -> tuple[str, bytes]:
        name, data = chance.choice(known)
        return name, mutated(data, chance)

    ends = _survives(make, ROUNDS, "mutations")
    assert ends["read"] > ROUNDS / 20
    assert {"unbalanced_quote", "missing_columns", "date_order"} <= ends.keys()


def test_random_bytes_are_read_or_refused() -> None:
    letters = b'abcNameInvoice No,"\t\r\n;|!0123456789.-/$()% \x00\xff\xc3\xa9'

    def make(chance: random.Random) -> tuple[str, bytes]:
        size = chance.randint(0, 400)
        pool = letters if chance.random() < 0.7 else bytes(range(256))
        return chance.choice(["Customer.csv", "x.iif", "Invoice.csv"]), bytes(chance.choices(pool, k=size))

    assert len(_survives(make, 2_500, "bytes")) > 3


def test_mutated_files_of_the_corpus_are_read_or_refused(corpus: Path) -> None:
    files = [
        *corpus.glob("qbo/*.csv"), *corpus.glob("iif/*"), corpus / "saasant" / "Customer_04_04_2025_1_00_02.csv",
        corpus / "saasant" / "Sales_Receipt_04_04_2025_3_00_02.csv",
    ]  # fmt: skip
    known = [(file.name, file.read_bytes()) for file in sorted(files)]

    def make(chance: random.Random) -> tuple[str, bytes]:
        name, data = chance.choice(known)
        return name, mutated(data, chance)

    _survives(make, 1_000, "corpus")


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
