"""Files after accidents, and the reading of them: to their end or to a refusal, in the time that their size allows."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from decimal import Decimal

from qbwatch.core.dates import DateOrder
from qbwatch.formats.notes import notes_of
from qbwatch.formats.part import Part, open_parts
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.tally import Tally, read_whole_documents

# The slowest of them take a tenth of it, on a machine that does nothing else.
SECONDS_A_FILE, SECONDS_A_KILOBYTE = 0.2, 0.01
TOKENS = (
    b",", b'"', b"\t", b"\n", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"!", b"!INVITEM", b"ENDGRP", b";", b"|",
    b"\xc3", b"\x92", b"''", b",,,,,,", b"1E5", b"NaN", b"\x1a", b"PK\x03\x04", b"\xff\xfe",
)  # fmt: skip


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
    assert all("\x00" not in f"{reject.text}{reject.column}" for reject in tally.rejects)
    notes = (*part.notes, *notes_of(part.layout, part.table.encoding, tally, is_full=True))
    told = (part.table.sheet or "", part.title or "", *notes, *part.layout.header.written, *part.layout.new)
    assert "\x00" not in "".join(told)


def survives(make: Callable[[random.Random], tuple[str, bytes]], rounds: int, seed: str) -> dict[str, int]:
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
            is_told = refusal.message and refusal.hint and "\x00" not in refusal.message
            code = refusal.failure.code if is_told else "a refusal without a word"
            ends[code] = ends.get(code, 0) + 1
        except Exception as error:
            error.add_note(f"{name}: {data!r}")
            raise
        took = time.process_time() - began
        assert took < SECONDS_A_FILE + SECONDS_A_KILOBYTE * len(data) / 1024, (name, data)
    assert "a refusal without a word" not in ends
    return ends
