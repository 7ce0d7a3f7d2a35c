"""How long from the last close, or the rename, of a file until it is settled, and until its rows are in ``raw``.

One file after the other, as an office drops them. Nothing is judged here, only printed. Only dbt is left out: it works
after the rows are committed, and would make each file wait for the build of the one before.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

import pytest
from installation import Installation
from measuring import show_facts
from small_exports import customers
from waiting import wait_until
from without_dbt import COMMAND

FILES = int(os.environ.get("QBWATCH_BENCH_FILES", "500"))
ROWS = 200
WAYS = ("renamed", "written and closed")


@pytest.mark.timeout(1800)
def test_from_arrival_to_raw(install: Callable[..., Installation]) -> None:
    installation = install(settle="150ms")
    installation.command = COMMAND
    installation.start()
    arrived: dict[str, datetime] = {}
    for number in range(FILES):
        name = f"Customers_{WAYS[number % 2].split()[0]}_{number}.csv"
        content = customers(**{f"{row}": f"Customer {row} of {number}" for row in range(ROWS)})
        arrived[name] = drop(installation, name, content, renamed=number % 2 == 0)
        wait_until(lambda name=name: " loaded run=" in last_lines(installation.root / "daemon.log", name), 30, name)
    settled, loaded = times(installation)
    for which, way in enumerate(WAYS):
        names = [name for number, name in enumerate(arrived) if number % 2 == which]
        show_facts(f"{len(names)} files of {ROWS} rows, {way}, settle = {installation.settle}", [
            ("settled after (median, 99 of 100)", figures([settled[name] - arrived[name] for name in names])),
            ("in raw after (median, 99 of 100)", figures([loaded[name] - arrived[name] for name in names])),
        ])  # fmt: skip
    assert installation.query("SELECT count(*) FROM qbwatch.work_items WHERE state = 'loaded'") == [(FILES,)]


def drop(installation: Installation, name: str, content: bytes, *, renamed: bool) -> datetime:
    """Bring a file into the folder; the moment at which that was done."""
    target = installation.input / name
    writing = installation.input / f".{name}.tmp" if renamed else target
    writing.write_bytes(content)
    if renamed:
        writing.rename(target)
    return datetime.now(UTC)


def last_lines(log: Path, name: str) -> str:
    """The lines of the log's end that are about a file."""
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - 8000, 0))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return "\n".join(line for line in lines if name in line)


def times(installation: Installation) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """When each file settled, and when its load was committed, by the ledger."""
    rows = installation.query(
        """SELECT file.name, file.settled_at, item.loaded_at FROM qbwatch.work_items AS item
           JOIN qbwatch.files AS file ON file.id = item.file_id"""
    )
    return {row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows}


def figures(spans: list[timedelta]) -> str:
    """Median and 99th percentile in milliseconds."""
    milliseconds = [span.total_seconds() * 1000 for span in spans]
    return f"{median(milliseconds):.0f}, {quantiles(milliseconds, n=100)[98]:.0f} ms"
