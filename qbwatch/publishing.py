"""The status page, kept as it should be: the thread that asks, composes, and writes what changed.

Everything slow happens in here: a folder that hangs, a large mart. Nobody waits for it; who asks how it stands gets the
last word. A page whose answer stays the same is written now and then all the same, because its age is all by which a
reader can tell that qbwatch is running.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from qbwatch.core.facts import Json, Problem
from qbwatch.core.model import QbwatchError
from qbwatch.edges.page_facts import LastFacts
from qbwatch.edges.page_files import sync_receipts, write_page
from qbwatch.log import get_logger
from qbwatch.page import problem as problem_of
from qbwatch.page.compose import compose
from qbwatch.page.facts import PageFacts
from qbwatch.page.headline import ended, stopped, without_a_daemon
from qbwatch.page.receipts import receipts
from qbwatch.page.view import GENERATOR, REWRITTEN_AFTER, View

log = get_logger(__name__)

_LAST_WORD = 5.0  # seconds that the page of a stop may take
_SILENCE = timedelta(seconds=30)  # that Postgres may be busy, and no more, before the page says that it can't be asked
_HANGS_AFTER = 60.0  # seconds that one look may take before its folder is told to hang
_EXPECTED = (OSError, QbwatchError)


@dataclass(frozen=True, slots=True)
class Publishing:
    """Where the page goes and for whom.

    ``pause``: seconds from one look to the next at least, and ``tick`` at most; ``grace``: seconds after a start in
    which a daemon that can't tell anything yet isn't told about.
    """

    file: Path
    zone: ZoneInfo
    mart_schema: str
    receipts: bool = False
    tick: float = 60.0
    pause: float = 10.0
    grace: float = 20.0


@dataclass(slots=True)
class Publisher:
    """The thread ``page``. ``status`` gives the whole status; ``engine`` None while Postgres was never reached."""

    settings: Publishing
    status: Callable[[], Json]
    engine: Callable[[], Engine | None]
    stop: threading.Event
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _problem: Problem | None = None
    _woken: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _facts: LastFacts = field(init=False)
    _silent_since: datetime | None = None
    _shown: View | None = None
    _written: tuple[View, datetime] | None = None
    _receipts: dict[str, str] | None = None
    _looking_since: float | None = None
    _is_failing: bool = False

    def __post_init__(self) -> None:
        self._facts = LastFacts(self.settings.mart_schema, self.settings.zone)

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something that is shown may have changed."""
        self._woken.set()

    def renew(self, settings: Publishing) -> None:
        """Keep the same file like this from now on. For any thread."""
        self.settings = settings
        self.wake()

    def leave(self) -> None:
        """Have it written that qbwatch has stopped."""
        self.stop.set()
        self.wake()

    def end(self) -> None:
        """Have that written, and wait for it; but not long for a folder that hangs."""
        self.leave()
        if self._thread is not None:
            self._thread.join(_LAST_WORD)

    def say_ended(self) -> Problem | None:
        """Write the page of a run by itself that has ended; gives why it couldn't be. A folder that hangs is left."""
        self._thread = threading.Thread(target=self._guarded, args=(self._say_ended,), name="page", daemon=True)
        self._thread.start()
        self._thread.join(_LAST_WORD)
        if self._thread.is_alive():
            return problem_of.of_silence(_LAST_WORD, self.now())
        return self._problem

    def problem(self) -> Problem | None:
        """Why the page isn't what it should be, if so. Never waits."""
        since = self._looking_since
        if since is not None and time.monotonic() - since > _HANGS_AFTER:
            return problem_of.of_silence(_HANGS_AFTER, self.now())
        return self._problem

    def _run(self) -> None:
        began = time.monotonic()
        self._woken.wait(1.0)
        while not self.stop.is_set():
            self._woken.clear()
            if self.engine() is None and time.monotonic() - began < self.settings.grace:
                self._woken.wait(0.5)
                continue
            self._guarded(self.look)
            self.stop.wait(self.settings.pause)
            self._woken.wait(self.settings.tick)
        self._guarded(self._say_stopped)

    def _guarded(self, do: Callable[[], None]) -> None:
        """A fault in here costs the page, never the daemon."""
        self._looking_since = time.monotonic()
        try:
            do()
        except _EXPECTED as error:
            self._fail(error)
        except Exception:
            if not self._is_failing:
                log.exception("the status page failed")
            self._is_failing = True
        else:
            if self._problem is not None:
                log.info("the status page is written again")
            self._problem, self._is_failing = None, False
        finally:
            self._looking_since = None

    def look(self) -> None:
        """Ask, and write the page and the receipts if they aren't what they should be.

        Raises OSError, and `QbwatchError` when somebody else's file is in the way; the page comes before the receipts.
        """
        now = self.now()
        status = self.status()
        if self._is_busy(status, now):
            self.wake()  # to ask again soon
            return
        self._shown = self._compose(status, now)
        self._write(self._shown, now)
        if self.settings.receipts and self._facts.known is not None:
            self._keep_receipts(self._facts.known)

    def _is_busy(self, status: Json, now: datetime) -> bool:
        """Whether Postgres gave no answer in time, but may give one in a moment."""
        if status["answered_by"] != "cache":
            self._silent_since = None
            return False
        self._silent_since = self._silent_since or now
        return timedelta(0) <= now - self._silent_since < _SILENCE

    def _compose(self, status: Json, now: datetime) -> View:
        today = now.astimezone(self.settings.zone).date()
        engine = self.engine()
        if status["answered_by"] == "cache" or engine is None:
            return compose(status, None, self.settings.zone, today)
        facts = self._facts.ask(engine, status["transform"]["last_build_at"], today)
        return compose(status, facts, self.settings.zone, today)

    def _write(self, view: View, now: datetime) -> None:
        if self._written is not None and self.settings.file.exists():
            before, at = self._written
            if before == view and timedelta(0) <= now - at < REWRITTEN_AFTER:
                return
        from qbwatch.page.render import render  # Jinja2 takes 2 MB, which a daemon without a page need not carry

        write_page(self.settings.file, render(view, now, self.settings.zone), GENERATOR)
        self._written = view, now

    def _keep_receipts(self, facts: PageFacts) -> None:
        wanted = receipts(facts.refused, self.settings.zone)
        if wanted != self._receipts:
            self._receipts = None  # until it is done
            sync_receipts(self.settings.file.parent, wanted)
            self._receipts = wanted

    def _say_ended(self) -> None:
        now = self.now()
        self._write(ended(self._compose(without_a_daemon(self.status()), now), now, self.settings.zone), now)
        if self.settings.receipts and self._facts.known is not None:
            self._keep_receipts(self._facts.known)

    def _say_stopped(self) -> None:
        now = self.now()
        view = self._shown or self._compose(self.status(), now)
        self._write(stopped(view, now, self.settings.zone), now)

    def _fail(self, error: OSError | QbwatchError) -> None:
        told = problem_of.of_error(error, self.now())
        if self._problem is None:
            log.warning("the status page can't be written", reason=told.summary)
        self._problem = told if self._problem is None else replace(told, since=self._problem.since)
