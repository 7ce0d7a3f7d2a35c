"""Tables of what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median


def show_seconds(title: str, measured: Mapping[str, Sequence[float]]) -> None:
    """Print median, best and worst of each series of seconds."""
    print(f"\n\n{title}\n{'':<44}{'median':>9}{'best':>9}{'worst':>9}{'n':>4}")
    for name, seconds in measured.items():
        figures = "".join(f"{value:>7.3f} s" for value in (median(seconds), min(seconds), max(seconds)))
        print(f"{name:<44}{figures}{len(seconds):>4}")


def show_facts(title: str, facts: Iterable[tuple[str, str]]) -> None:
    """Print names and what goes with them."""
    print(f"\n\n{title}")
    for name, fact in facts:
        print(f"{name:<52}{fact:>16}")


def memory_mb(pid: int, field: str = "VmRSS") -> float:
    """Resident memory of a process in MB (``VmHWM``: its peak)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used so far, in all its threads, to 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def open_files(pid: int) -> int:
    """How many descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
