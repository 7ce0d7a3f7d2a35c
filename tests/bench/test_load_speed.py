"""How long a load takes beside `\\copy` of the same file into a logged table of text columns.

Nothing is judged here, only printed: medians of rounds in which everything is measured in turns, as ratios to the copy
of the same round. What is timed is the item's whole transaction: claim, rows, accounting, ledger, commit. The server is
a durable one, as a user has it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import pytest
from exporter_files import invoice_lines
from installation import Installation
from load_seconds import ROUNDS, copy_seconds, fresh_books, load_seconds, name_of, seconds, show_beside_copy
from measuring import memory_mb, show_facts
from waiting import wait_until


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("lines", [50_000, 1_000_000])
def test_a_large_export_beside_a_copy(url: str, lines: int) -> None:
    data, changed = invoice_lines(lines), invoice_lines(lines, changed_documents=0.01)
    names = ("into an empty dataset", "again, 1 % of the documents changed", "again, none changed", "a duplicate")
    measured: dict[str, list[float]] = {name: [] for name in names}
    copies: list[float] = []
    for _ in range(ROUNDS):
        with fresh_books(url) as books:
            copies.append(copy_seconds(url, data))
            taken = [load_seconds(books, name_of(day), each) for day, each in enumerate((data, changed, changed), 1)]
            source = str(books.folder / "drop.csv").encode()
            taken.append(seconds(partial(books.loader.vault.take, source)))
            for name, each in zip(names, taken, strict=True):
                measured[name].append(each)
    show_beside_copy(f"{lines:,} invoice lines, {len(data) / 1e6:.0f} MB, {ROUNDS} rounds", copies, measured)


@pytest.mark.timeout(600)
def test_memory_of_the_daemon_while_it_loads_a_million_lines(install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()
    assert installation.daemon is not None
    pid = installation.daemon.pid
    idle = memory_mb(pid)
    (installation.root / name_of(1)).write_bytes(invoice_lines(1_000_000))
    os.rename(installation.root / name_of(1), installation.input / name_of(1))
    wait_until(
        lambda: installation.outcomes().get(name_of(1)) == "loaded",
        300,
        f"the file to be loaded; the log:\n{installation.log}",
    )
    peak = memory_mb(pid, "VmHWM")
    show_facts("Memory", [("idle", f"{idle:.0f} MB"), ("peak while 1,000,000 lines are loaded", f"{peak:.0f} MB")])
