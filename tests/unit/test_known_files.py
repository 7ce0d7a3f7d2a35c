"""What the daemon keeps in memory of each file that it ever judged."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime

from qbwatch.admission import KnownFiles
from qbwatch.core.arrival import Arrival
from qbwatch.core.settle import Look

AT = datetime(2026, 11, 25, 3, tzinfo=UTC)
LOOK = Look(40_215, 1_860_000_000_123_456_789, 9_007_199_254_740_993, 64_768, 1_860_000_000_123_456_790)
MANY = 5_000


def _arrival(path: bytes, look: Look, root: str = "input") -> Arrival:
    return Arrival(root, path, look, "0" * 64, look.size, AT, AT)


def test_a_file_is_known_by_root_path_and_look() -> None:
    known = KnownFiles()
    known.remember(_arrival(b"Invoice.csv", LOOK))
    assert known.is_known("input", b"Invoice.csv", replace(LOOK))
    assert known.is_known("input", b"Invoice.csv", replace(LOOK, ctime_ns=7)), "a chmod is no other look"
    for field in ("size", "mtime_ns", "inode", "device"):
        other = replace(LOOK, **{field: getattr(LOOK, field) + 1})
        assert not known.is_known("input", b"Invoice.csv", other), field
    assert not known.is_known("seed", b"Invoice.csv", LOOK)
    assert not known.is_known("input", b"Item.csv", LOOK)


def test_files_are_counted_by_root_and_once() -> None:
    known = KnownFiles()
    for look in (LOOK, replace(LOOK, size=1)):
        known.remember(_arrival(b"Invoice.csv", look))
    known.remember(_arrival(b"Item.csv", LOOK, "seed"))
    assert (known.count("input"), known.count("seed"), known.count("other")) == (1, 1, 0)
    assert known.is_known("input", b"Invoice.csv", replace(LOOK, size=1))
    assert not known.is_known("input", b"Invoice.csv", LOOK)


def test_a_file_costs_less_than_300_bytes_for_as_long_as_the_process_lives() -> None:
    known = KnownFiles()
    tracemalloc.start()
    try:
        for number in range(MANY):
            look = Look(40_000 + number, LOOK.mtime_ns + number, LOOK.inode + number, 64_000 + number, number << 60)
            known.remember(_arrival(b"Sales_Receipt_%08d_3_00_02.csv" % number, look))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / MANY < 300
