"""A real intake in a thread, over real folders, with a ledger that lives in memory."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from waiting import wait_until

from qbwatch.core.intake_state import Watcher
from qbwatch.core.settle import Look
from qbwatch.edges.clock import SteadyClock
from qbwatch.edges.vault import Vault
from qbwatch.intake import Admission, Arrival, Intake, IntakeSettings, Ledger, Means

_A_SCAN = timedelta(seconds=0.25)  # more than one takes here; what ended so long after a moment began after it


class NotNow(Exception):
    """The ledger can't be reached at the moment."""


@dataclass
class PushedClock(SteadyClock):
    """The steady clock, which a test may push ahead, so that a long stall takes no time."""

    ahead: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        super().__init__()

    def now(self) -> datetime:
        return super().now() + self.ahead


@dataclass
class MemoryLedger:
    """Remembers what was admitted. ``answer`` may be replaced to doubt or to fail."""

    arrivals: list[Arrival] = field(default_factory=list)
    known: dict[tuple[str, bytes], Look] = field(default_factory=dict)
    answer: Callable[[Arrival], Admission] = lambda arrival: Admission.ADMITTED

    def is_known(self, root: str, path: bytes, look: Look) -> bool:
        return self.known.get((root, path)) == look

    def known_count(self, root: str) -> int:
        return sum(1 for each, _ in self.known if each == root)

    def admit(self, arrivals: Sequence[Arrival]) -> list[Admission]:
        admissions = [self.answer(arrival) for arrival in arrivals]
        for arrival, admission in zip(arrivals, admissions, strict=True):
            if admission is Admission.ADMITTED:
                self.known[arrival.root, arrival.path] = arrival.look
                self.arrivals.append(arrival)
        return admissions

    @property
    def known_paths(self) -> set[bytes]:
        """What was admitted."""
        return {path for _, path in list(self.known)}

    @property
    def paths(self) -> Counter[bytes]:
        """How often each path was admitted."""
        return Counter(arrival.path for arrival in self.arrivals)


@dataclass
class RunningIntake:
    """What a test holds in its hands."""

    directory: Path
    settings: IntakeSettings
    vault: Vault
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    stop: threading.Event = field(default_factory=threading.Event)
    ignore: tuple[str, ...] = ()
    clock: SteadyClock = field(default_factory=SteadyClock)
    beats: int = 0

    def __post_init__(self) -> None:
        means = Means(self.vault, self.functions, self.clock, self.ignore)
        self.intake = Intake(self.settings, means, self.stop, self.beat)
        self.thread = threading.Thread(target=self.intake.run, name="intake")

    @property
    def functions(self) -> Ledger:
        return Ledger(self.ledger.is_known, self.ledger.admit, (NotNow,), self.ledger.known_count)

    def beat(self) -> None:
        self.beats += 1

    def content(self, arrival: Arrival) -> bytes:
        with self.vault.open(arrival.content_hash) as file:
            return file.read()

    def admitted(self, *paths: bytes, timeout: float = 10) -> list[Arrival]:
        """Wait until each of these paths was admitted, and for nothing else; their arrivals."""
        wait_until(lambda: set(paths) <= set(self.ledger.paths), timeout, f"admission of {paths}")
        return [arrival for arrival in self.ledger.arrivals if arrival.path in paths]

    def rests(self) -> None:
        """Wait until a scan that began after this call has found nothing to do."""
        scanned_after = self.clock.of_day(self.clock.now()) + _A_SCAN

        def rests() -> bool:
            scanned_at = self.intake.state().last_scan_at
            return scanned_at is not None and scanned_at > scanned_after and self.intake.is_quiet()

        wait_until(rests, what="a scan and rest")

    def problems(self) -> set[str]:
        return {problem.code for problem in self.intake.state().problems}


@contextmanager
def running(directory: Path, **changes: object) -> Iterator[RunningIntake]:
    """An intake over ``directory/input`` that waits a fifth of a second for quiet and scans every second."""
    (directory / "input").mkdir(exist_ok=True)
    run = prepared(directory, **changes)
    run.thread.start()
    try:
        wait_until(run.intake.is_quiet, what="the first scan")
        yield run
    finally:
        run.stop.set()
        run.intake.wake()
        run.thread.join(10)
        assert not run.thread.is_alive()


def prepared(directory: Path, **changes: object) -> RunningIntake:
    """The same, not started."""
    waits = {
        "settle_for": timedelta(seconds=0.2),
        "doubt_for": timedelta(seconds=1),
        "rescan_every": timedelta(seconds=1),
        "watcher": Watcher.AUTO,
    }
    parts = {name: changes.pop(name) for name in ("vault", "ledger", "ignore", "clock") if name in changes}
    settings = IntakeSettings(directory / "input", **{**waits, **changes})  # type: ignore[arg-type]
    parts.setdefault("vault", Vault(directory / "state" / "vault"))
    return RunningIntake(directory / "input", settings, **parts)  # type: ignore[arg-type]
