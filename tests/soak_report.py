"""The table that the soak prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from soak_faults import Fault
from soak_figures import Sample, noise, second_half, slopes
from soak_world import World

NAMES = {
    "memory": "the daemon's memory, MB",
    "descriptors": "its open files",
    "threads": "its threads",
    "sessions": "its sessions in Postgres",
    "status": "a status, ms",
    "vault_a_file": "the vault, KB a file",
    "dbt_logs": "dbt's logs, MB",
    "other_state": "the rest of the state folder, MB",
    "log_a_night": "the daemon's log, KB a night",
    "database": "the database, MB",
    "wal": "Postgres' write-ahead log, MB",
    "temporary": "its temporary files, MB",
    "week": "a week's files at once, loaded and built, ms",
    "lines": "lines of invoices and receipts",
}
"""What is measured, in the order in which it is shown."""

BOUNDS = {
    "memory": 256.0,
    "descriptors": 0.05,
    "threads": 0.05,
    "sessions": 0.05,
    "status": 5.0,
    "vault_a_file": 0.1,
    "other_state": 64.0,
    "log_a_night": 0.05,
    "temporary": 0.0,
}
"""How much may be added in a simulated month, by the slope over the second half: KB, pieces or ms. What grows with the
books (the database, the time of a build, the logs of dbt and Postgres up to their limit) has none."""

MOST = {"dbt_logs": 32 * 1024.0, "wal": 272 * 1024.0}
"""KB at any time, of what is kept up to a limit: dbt's six files of 5 MB, Postgres' ``max_wal_size`` and a segment."""

_IN_MB = frozenset({"memory", "dbt_logs", "other_state", "database", "wal", "temporary"})


def show(title: str, world: World, planned: Counter[Fault], samples: Sequence[Sample]) -> None:
    """Print what was measured, and what went wrong."""
    print(f"\n\n{title}\n")
    files, fates = len(world.fates.of), Counter(world.fates.of.values())
    kinds = ", ".join(f"{count} {fate}" for fate, count in fates.most_common())
    print(
        f"{world.nights} nights, {files} files ({kinds}), {planned.total()} faults, {world.told.total()} of them told"
    )
    print(f"on their way: {', '.join(f'{count} {way}' for way, count in world.shape.most_common())}")
    for fault, count in planned.most_common():
        print(f"{count:>4}  {fault.value}")
    if len(samples) < 4:
        return
    second = second_half(samples)
    grown, noises = slopes(second), slopes(second, noise)
    print(f"\n{'':<45}{'at first':>10}{'half-way':>10}{'at last':>10}{'a month':>14}{'noise':>9}{'at most':>9}")
    for name, words in NAMES.items():
        figures = [
            getattr(each, name) / (1024 if name in _IN_MB else 1) for each in (samples[0], second[0], second[-1])
        ]
        unit = "KB" if name in _IN_MB else ""
        bound = f"{BOUNDS[name]:.4g} {unit}".rstrip() if name in BOUNDS else ""
        bound = f"{MOST[name] / 1024:.0f} MB" if name in MOST else bound
        shown = "".join(f"{figure:>10,.1f}" for figure in figures)
        slope = f"{grown[name]:+.2f} {unit}".rstrip()
        print(f"{words:<45}{shown}{slope:>14}{noises[name]:>9.2f}{bound:>9}")
