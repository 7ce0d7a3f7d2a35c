"""The intake: the loop that turns files in the folders into arrivals in the ledger.

It watches first and scans then, so that nothing falls between the two; afterwards it follows the notices and scans
again at every interval, after every loss of events, and whenever a folder came back. It knows nothing of what happens
to an arrival: the ledger is two functions. Time is a steady clock, waits last a second at most, idling costs nothing.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from qbwatch.core.arrival import Admission, Arrival
from qbwatch.core.intake_state import IntakeProblem, IntakeState
from qbwatch.core.settle import Settler, pause_after
from qbwatch.edges.folder_watch import Notice, OverflowCount
from qbwatch.edges.sync_client import SyncClient
from qbwatch.edges.vault import VaultError
from qbwatch.edges.watched_folder import WatchedFolder
from qbwatch.intake_means import IntakeSettings, Ledger, Means
from qbwatch.intake_report import summary, waiting_for
from qbwatch.intake_root import Root
from qbwatch.log import get_logger

__all__ = ["Admission", "Arrival", "Intake", "IntakeSettings", "Ledger", "Means"]

_TICK = timedelta(seconds=1)
_TOGETHER = 16  # due paths between two beats
_WORTH = 8  # times as long as it took to find out what is due
_SCANS_APART = timedelta(milliseconds=500)  # at least: a storm of folder events asks for one scan, not for hundreds
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

log = get_logger(__name__)

_Heard = Notice | tuple[IntakeSettings, Sequence[str]] | None  # None ends a wait, and says nothing


@dataclass(slots=True)
class _Tended:
    """A root and when it is to be scanned next; ``is_routine``: for no other reason than that it is time again."""

    root: Root
    scan_at: datetime = _LONG_AGO
    scanned_at: datetime | None = None
    is_routine: bool = False

    def ask(self, at: datetime) -> None:
        """Scan at this time, or sooner if that was planned, for a reason."""
        self.scan_at, self.is_routine = min(self.scan_at, at), False


class Intake:
    """Runs in one thread (``run``), or in nobody's for a single pass (``settle_now``); any thread may ask ``state``."""

    def __init__(
        self, settings: IntakeSettings, means: Means, stop: threading.Event, beat: Callable[[], None] = lambda: None
    ) -> None:
        self._settings = settings
        self._means = means
        self._stop = stop
        self._beat = beat
        self._notices: queue.SimpleQueue[_Heard] = queue.SimpleQueue()
        self._overflows = OverflowCount(self._ask_for_scans)
        self._roots = {"input": self._tended("input", settings.input_directory)}
        if settings.seed_directory is not None:
            self._roots["seed"] = self._tended("seed", settings.seed_directory)
        self._transient: tuple[type[Exception], ...] = (*means.ledger.transient, VaultError)
        self._failures = 0
        self._resume_at = _LONG_AGO
        self._waiting: IntakeProblem | None = None
        self._sync_client = SyncClient(settings.input_directory)
        self._state = IntakeState()

    def state(self) -> IntakeState:
        """The last snapshot, at most a tick (and one file's admission) old."""
        return self._state

    def rescan_soon(self) -> None:
        """Ask for a scan of every folder. From any thread."""
        self._ask_for_scans()

    def adjust(self, settings: IntakeSettings, ignore: Sequence[str]) -> None:
        """From now on wait, scan and pass over as they say; folders and watcher stay what they are. For any thread."""
        self._notices.put((settings, ignore))

    def is_quiet(self) -> bool:
        """True when nothing is settling, as far as known; False before the first scan.

        Files that wait for a longer reason (empty, doubted, refused for now) don't hold others up: see ``Settler``.
        """
        return self._state.is_quiet and self._notices.empty()

    def wake(self) -> None:
        """End the present wait, so that ``stop`` is seen at once. For any thread."""
        self._notices.put(None)

    def run(self) -> None:
        """Work until ``stop`` is set. Only a bug ends it before that: it is logged, and the supervisor sees the end."""
        self._overflows.attach()
        try:
            self._means.vault.clear_leftovers()
            while not self._stop.is_set():
                self._beat()
                for tended in self._roots.values():
                    if tended.root.folder.tend(self._now()):
                        tended.ask(_LONG_AGO)
                self._work()
                self._wait(_TICK)
        except Exception:
            log.exception("intake_ended")
        finally:
            self._overflows.detach()
            for tended in self._roots.values():
                tended.root.folder.stop()
            self._state = replace(self._state, watch_alive=False, is_quiet=False)

    def settle_now(self, deadline: timedelta) -> IntakeState:
        """Take everything that is there now, without a watch; returns when nothing is settling, or after ``deadline``.

        What still settles then is in the state that is returned. Nothing else may run this intake at the same time.
        """
        end_at = self._now() + deadline
        while not self._stop.is_set():
            self._beat()
            self._work()
            left = end_at - self._now()
            if not self._state.settling or left <= timedelta(0):
                break
            self._wait(min(_TICK, left))
        return self._state

    def _work(self) -> None:
        """Scan what is to be scanned and judge what is due; a transient failure pauses both."""
        if self._now() >= self._resume_at:
            try:
                for tended in self._roots.values():
                    self._scan(tended)
                self._judge()
            except self._transient as error:
                self._pause(error)
        self._state = self._snapshot()

    def _scan(self, tended: _Tended) -> None:
        if self._now() < tended.scan_at:
            return
        tended.root.scan(tended.is_routine)
        tended.scanned_at, tended.is_routine = self._now(), True
        tended.scan_at = tended.scanned_at + tended.root.folder.scan_again_after(self._settings.rescan_every)

    def _judge(self) -> None:
        """Judge the due paths of all roots, for about a tick: notices must not wait for the end of a long burst."""
        for tended in self._roots.values():
            began_at = self._now()
            due = tended.root.settler.due(began_at)
            # To sort tens of thousands takes its time, on a busy machine much of a tick: it has to be worth it.
            until = self._now() + max(_TICK, _WORTH * (self._now() - began_at))
            for first in range(0, len(due), _TOGETHER):
                if self._stop.is_set() or self._now() > until:
                    break
                self._beat()
                tended.root.judge(due[first : first + _TOGETHER])
                self._go_on()

    def _pause(self, error: Exception) -> None:
        self._resume_at = self._now() + pause_after(self._failures)
        self._failures += 1
        if self._waiting is None:
            self._waiting = waiting_for(error, self._now())
            log.warning("intake_waits", code=self._waiting.code, reason=self._waiting.summary)

    def _go_on(self) -> None:
        if self._waiting is not None:
            log.info("intake_goes_on", after_failures=self._failures)
        self._failures, self._waiting = 0, None

    def _wait(self, longest: timedelta) -> None:
        """Wait for a notice, for the next thing that is due, or for the end of a pause; then take in all notices."""
        wake_at = min(self._wake_times(), default=self._now() + longest)
        seconds = min(max((wake_at - self._now()), timedelta(0)), longest).total_seconds()
        with suppress(queue.Empty):
            notice = self._notices.get(timeout=seconds)
            while True:
                self._accept(notice)
                notice = self._notices.get_nowait()

    def _wake_times(self) -> list[datetime]:
        if self._now() < self._resume_at:
            return [self._resume_at]
        due = [tended.root.settler.next_due_at() for tended in self._roots.values()]
        return [at for at in due if at is not None] + [tended.scan_at for tended in self._roots.values()]

    def _accept(self, notice: _Heard) -> None:
        if notice is None:
            return
        if isinstance(notice, tuple):
            self._adjust(*notice)
            return
        tended = self._roots[notice.root]
        if notice.path is not None:
            tended.root.notice(notice.path, notice.renamed)
        elif tended.scanned_at is not None:
            tended.root.folder.excuse()
            tended.ask(max(self._now(), tended.scanned_at + _SCANS_APART))

    def _adjust(self, settings: IntakeSettings, ignore: Sequence[str]) -> None:
        self._settings, self._means = settings, replace(self._means, ignore=ignore)
        for tended in self._roots.values():
            tended.root.settler.adjust(settings.settle_for, settings.doubt_for)
            tended.root.adjust(self._means)
            tended.ask(self._now())

    def _ask_for_scans(self) -> None:
        """Events were lost, nobody knows of which folder. Called in watchdog's thread."""
        for name in self._roots:
            self._notices.put(Notice(name, None))

    def _tended(self, name: str, directory: Path) -> _Tended:
        folder = WatchedFolder(
            name, directory, self._settings.watcher, self._notices.put, self._settings.canary_directory
        )
        settler = Settler(self._settings.settle_for, self._settings.doubt_for)
        return _Tended(Root(name, directory, folder, settler, self._means))

    def _snapshot(self) -> IntakeState:
        now = self._now()
        shift = self._means.clock.of_day(now) - now
        tended = list(self._roots.values())
        scans = [each.scanned_at for each in tended if each.scanned_at is not None]
        whole = [self._waiting, self._sync_client.look(now)]
        state = summary([each.root for each in tended], [problem for problem in whole if problem], shift)
        is_scanned = len(scans) == len(tended)
        return replace(
            state,
            is_quiet=is_scanned and state.is_quiet,
            events_missed=self._overflows.count,
            last_scan_at=min(scans) + shift if is_scanned else None,
            sync_client=self._sync_client.name,
        )

    def _now(self) -> datetime:
        return self._means.clock.now()
