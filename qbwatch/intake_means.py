"""What the intake works with: its settings, the vault, the clock, and the ledger as a few functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from qbwatch.core.arrival import Admission, Arrival
from qbwatch.core.intake_state import Watcher
from qbwatch.core.settle import Look
from qbwatch.edges.clock import SteadyClock
from qbwatch.edges.vault import Vault


@dataclass(frozen=True, slots=True)
class IntakeSettings:
    """Where to look, and how long to wait. ``doubt_for``: how long an empty or incomplete file may stay so."""

    input_directory: Path
    seed_directory: Path | None = None
    settle_for: timedelta = timedelta(seconds=2)
    doubt_for: timedelta = timedelta(seconds=60)
    rescan_every: timedelta = timedelta(minutes=5)
    watcher: Watcher = Watcher.AUTO
    canary_directory: Path | None = None  # a folder of our own, in which the watches are put to the proof


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the intake asks of the ledger, as functions.

    ``is_known(root, path, look)``: has this very file, looking like this, been judged before? Asked for every file of
    every scan, so it should answer from memory. ``admit(arrivals)`` records them, all or (by an exception) none, and
    says what became of each; it may be called again for what it has recorded (after a crash, or when only attributes
    changed), and then changes nothing. ``transient``: the exceptions by which either says "not now".
    ``known_count(root)``: how many files of the root it knows.
    """

    is_known: Callable[[str, bytes, Look], bool]
    admit: Callable[[Sequence[Arrival]], list[Admission]]
    transient: tuple[type[Exception], ...]
    known_count: Callable[[str], int] = lambda _: 0


@dataclass(frozen=True, slots=True)
class Means:
    """What every root works with. ``ignore`` are the patterns of the configuration."""

    vault: Vault
    ledger: Ledger
    clock: SteadyClock
    ignore: Sequence[str] = ()
