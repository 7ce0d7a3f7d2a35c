"""What one would use instead, beside ours: in one run, in turns, on the same server, with the same file.

Ours does all that a load does: types, keys, documents, hashes, lineage, accounting. Where the peers are kept installed
between runs: ``QBWATCH_BENCH_PEERS``. A million lines, with dlt alone: ``QBWATCH_BENCH_LINES=1000000``.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median

import pytest
from exporter_files import invoice_lines
from load_seconds import ROUNDS, copy_seconds, fresh_books, load_seconds, name_of
from peers import Load, NotInstalled, Server, peers

LARGEST = int(os.environ.get("QBWATCH_BENCH_LINES", "100000"))
FEWER = 50_000
FASTER, FASTER_THAN_DLT = 6, 4  # times; than the fastest of them, and than dlt at a million lines
OURS, COPY = "qbwatch", "\\copy into columns of text"


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
    assert min(beside(measured, name, OURS) for name in others) >= FASTER


@pytest.mark.timeout(3600)
@pytest.mark.skipif(LARGEST < 1_000_000, reason="takes long: QBWATCH_BENCH_LINES=1000000 asks for it")
def test_dlt_at_a_million_lines(url: str, environments: Path) -> None:
    dlt = {name: load for name, load in peers(environments).items() if name.startswith("dlt")}
    measured = measure(url, 1_000_000, dlt)
    show("1,000,000 lines", measured)
    assert min(beside(measured, name, OURS) for name in measured if name in dlt) >= FASTER_THAN_DLT


def measure(url: str, lines: int, others: dict[str, Load]) -> dict[str, list[float]]:
    """Seconds of each in each round; one that can't be had on this machine is left out."""
    data = invoice_lines(lines)
    measured: dict[str, list[float]] = {COPY: [], OURS: []}
    missing: set[str] = set()
    for _ in range(max(ROUNDS, 3)):
        with fresh_books(url) as books:
            measured[COPY].append(copy_seconds(url, data))
            measured[OURS].append(load_seconds(books, name_of(1), data))
        print(f"\n{COPY}: {measured[COPY][-1]:.2f} s; {OURS}: {measured[OURS][-1]:.2f} s", flush=True)
        for name, load in others.items():
            if name not in missing:
                try:
                    measured.setdefault(name, []).append(peer_seconds(url, data, lines, load))
                    print(f"{name}: {measured[name][-1]:.2f} s", flush=True)
                except NotInstalled as why:
                    missing.add(name)
                    measured.pop(name)
                    print(f"\n{name} isn't measured: {why}")
    return measured


def peer_seconds(url: str, data: bytes, lines: int, load: Load) -> float:
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


def beside(measured: dict[str, list[float]], name: str, other: str) -> float:
    """The median of the rounds' ratios."""
    return median(a / b for a, b in zip(measured[name], measured[other], strict=True))


def show(title: str, measured: dict[str, list[float]]) -> None:
    """Medians and ratios."""
    print(f"\n\n{title}\n{'':<40}{'median':>11}{'to copy':>10}{'to ours':>10}")
    for name, taken in measured.items():
        ratios = "".join(f"{beside(measured, name, other):>9.2f}x" for other in (COPY, OURS))
        print(f"{name:<40}{median(taken):>9.2f} s{ratios}")
