"""What a daemon and its surroundings take, as the soak measures it, and whether it grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from math import sqrt
from pathlib import Path
from statistics import median

import psycopg
from measuring import memory_mb, open_files

_DATABASE = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'qbwatch%%'),
       pg_database_size(current_database()) / 1024.0,
       (SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()) / 1024.0,
       (SELECT coalesce(sum(size), 0) FROM pg_ls_tmpdir()) / 1024.0,
       (SELECT count(*) FROM raw.quickbooks_invoices) + (SELECT count(*) FROM raw.quickbooks_sales_receipts)"""


@dataclass(frozen=True, slots=True)
class Sample:
    """A look at a daemon at rest. ``month``: simulated months since the beginning; sizes in KB, times in ms."""

    month: float
    pid: int
    memory: float
    descriptors: float
    threads: float
    sessions: float
    database: float
    wal: float
    temporary: float
    vault_a_file: float
    dbt_logs: float
    other_state: float
    log_a_night: float
    status: float
    week: float
    lines: float


def look(month: float, pid: int, root: Path, url: str, files: int, nights: int, status: float, week: float) -> Sample:
    """Measure. ``files`` and ``nights``: how many there were; ``status`` and ``week``: how long these took lately."""
    state = root / "state"
    with psycopg.connect(url) as connection:
        row = connection.execute(_DATABASE).fetchone()
    assert row is not None
    sessions, database, wal, temporary, lines = map(float, row)
    vault, logs = kilobytes(state / "vault"), kilobytes(state / "dbt" / "logs")
    return Sample(
        month,
        pid,
        memory_mb(pid) * 1024,
        open_files(pid),
        len(list(Path(f"/proc/{pid}/task").iterdir())),
        sessions,
        database,
        wal,
        temporary,
        vault / files,
        logs,
        kilobytes(state) - vault - logs,
        (root / "daemon.log").stat().st_size / 1024 / nights,
        status,
        week,
        lines,
    )


def kilobytes(folder: Path) -> float:
    """Size of all files below a folder; what vanishes meanwhile is nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total / 1024


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How much the second value grows with the first: the median of the slopes between any two points (Theil-Sen).

    A few points that lie far out, be they a third of all, don't move it.
    """
    found = _between(points)
    return median(found) if found else 0.0


def noise(points: Sequence[tuple[float, float]]) -> float:
    """How far the slope may be off by chance: half of the range that holds the true one in 95 of 100 cases (Sen)."""
    found = sorted(_between(points))
    size = len(points)
    if len(found) < 2:
        return 0.0
    aside = 1.96 * sqrt(size * (size - 1) * (2 * size + 5) / 18)
    low, high = round((len(found) - aside) / 2), round((len(found) + aside) / 2)
    return (found[min(high, len(found) - 1)] - found[max(low, 0)]) / 2


def _between(points: Sequence[tuple[float, float]]) -> list[float]:
    """The slopes between any two points."""
    return [
        (after - before) / (end - start) for (start, before), (end, after) in combinations(points, 2) if end > start
    ]


def second_half(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Those of the second half of the time."""
    return [each for each in samples if each.month > samples[-1].month / 2]


def slopes(samples: Sequence[Sample], of: Callable[[Sequence[tuple[float, float]]], float] = slope) -> dict[str, float]:
    """The slope a month of everything that is measured, or its noise."""
    return {
        field.name: of([(each.month, getattr(each, field.name)) for each in samples])
        for field in fields(Sample)
        if field.name not in ("month", "pid")
    }
