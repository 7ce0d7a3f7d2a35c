"""What one would use instead, beside ours: in one run, in turns, on the same server, with the same file.

Ours does all that a load does: the copy in the vault, types, keys, documents, hashes, lineage, accounting. What is
judged is how long one waits from the file to the commit: for the whole command where a peer is one, or a script; the
daemon runs. Beside it stands what a script's load takes without the start of Python and its imports.

Where the peers are kept installed between runs: ``QBWATCH_BENCH_PEERS``. A million lines, with dlt alone:
``QBWATCH_BENCH_LINES=1000000``.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from statistics import median

import pytest
from books import Books
from exporter_files import invoice_lines
from load_seconds import ROUNDS, copy_seconds, fresh_books, name_of, seconds
from peers import Load, NotInstalled, Server, Taken, peers

from qbwatch.edges.lane_reader import READER
from qbwatch.edges.staging import LARGE

LARGEST = int(os.environ.get("QBWATCH_BENCH_LINES", "100000"))
FEWER = 50_000
FASTER, FASTER_THAN_DLT = 6, 4  # times; than the fastest of them, and than dlt at a million lines
OURS, COPY = "qbwatch", "\\copy into columns of text"
WAITED, ALONE = attrgetter("whole"), attrgetter("load")


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("QBWATCH_BENCH_PEERS")
    return Path(kept) if kept else tmp_path_factory.mktemp("peers")


@pytest.mark.timeout(3600)
def test_peers_at_fifty_thousand_lines(url: str, environments: Path) -> None:
    measured = measure(url, FEWER, peers(environments))
    show(f"{FEWER:,} lines", measured)
    others = [name for name in measured if name not in (OURS, COPY)]
    assert others, "none of the peers could be installed"
    assert min(beside(measured, name, OURS, WAITED) for name in others) >= FASTER


@pytest.mark.timeout(3600)
@pytest.mark.skipif(LARGEST < 1_000_000, reason="takes long: QBWATCH_BENCH_LINES=1000000 asks for it")
def test_dlt_at_a_million_lines(url: str, environments: Path) -> None:
    dlt = {name: load for name, load in peers(environments).items() if name.startswith("dlt")}
    measured = measure(url, 1_000_000, dlt)
    show("1,000,000 lines", measured)
    assert min(beside(measured, name, OURS, WAITED) for name in measured if name in dlt) >= FASTER_THAN_DLT


def measure(url: str, lines: int, others: dict[str, Load]) -> dict[str, list[Taken]]:
    """What each took in each round; one that can't be had on this machine is left out."""
    data = invoice_lines(lines)
    measured: dict[str, list[Taken]] = {COPY: [], OURS: []}
    missing: set[str] = set()
    for _ in range(max(ROUNDS, 3)):
        with fresh_books(url) as books:
            copied = copy_seconds(url, data)
            measured[COPY].append(Taken(copied, copied))
            measured[OURS].append(our_seconds(books, data))
        print(f"\n{COPY}: {measured[COPY][-1].whole:.2f} s; {OURS}: {measured[OURS][-1].whole:.2f} s", flush=True)
        for name, load in others.items():
            if name not in missing:
                try:
                    measured.setdefault(name, []).append(peer_seconds(url, data, lines, load))
                    print(f"{name}: {measured[name][-1].whole:.2f} s", flush=True)
                except NotInstalled as why:
                    missing.add(name)
                    measured.pop(name)
                    print(f"\n{name} isn't measured: {why}")
    return measured


def our_seconds(books: Books, data: bytes) -> Taken:
    """From the settled file to the commit, and of these the load."""
    if len(data) >= LARGE:
        READER.prepare()
    began = time.perf_counter()
    item_id = books.take(name_of(1), data)
    load = seconds(lambda: books.load_item(item_id))
    return Taken(time.perf_counter() - began, load)


def peer_seconds(url: str, data: bytes, lines: int, load: Load) -> Taken:
    server = Server(url)
    server.clear()
    with tempfile.TemporaryDirectory(prefix="qbwatch-bench-") as folder:
        file, scratch = Path(folder) / "invoices.csv", Path(folder) / "scratch"
        file.write_bytes(data)
        scratch.mkdir()
        taken = load(server, file, scratch)
    assert server.rows() == lines
    server.clear()
    return taken


def beside(measured: dict[str, list[Taken]], name: str, other: str, said: Callable[[Taken], float]) -> float:
    """The median of the rounds' ratios."""
    return median(said(a) / said(b) for a, b in zip(measured[name], measured[other], strict=True))


def show(title: str, measured: dict[str, list[Taken]]) -> None:
    """Medians and ratios; on the right of the loads alone."""
    print(f"\n\n{title}\n{'':<40}{'waited':>11}{'to copy':>10}{'to ours':>10}{'load alone':>14}{'to ours':>10}")
    for name, taken in measured.items():
        ratios = [beside(measured, name, other, WAITED) for other in (COPY, OURS)]
        waited, alone = (median(map(said, taken)) for said in (WAITED, ALONE))
        ratio = beside(measured, name, OURS, ALONE)
        print(f"{name:<40}{waited:>9.2f} s{ratios[0]:>9.2f}x{ratios[1]:>9.2f}x{alone:>12.2f} s{ratio:>9.2f}x")
