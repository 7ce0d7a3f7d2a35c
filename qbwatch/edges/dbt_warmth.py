"""When there is a warm dbt, and whether it still fits: it has read the project and its surroundings once.

A file that is changed, added or taken away in the project shows in the stamp, and so does a changed environment, which
is where the profile has its values from. What was made under another stamp is let go, and the command runs cold.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from qbwatch.edges.dbt_process import Command, Ended
from qbwatch.edges.dbt_project import files_of
from qbwatch.edges.dbt_server import DbtServer, ServerLost
from qbwatch.log import get_logger

log = get_logger(__name__)

_STARTED_WITHIN = 15.0  # seconds; the thread connects to the database first

Stamp = bytes


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a warm dbt: the project, and the flags, folder and environment of all its commands."""

    project: Path
    command: Command
    target: Path

    @property
    def stamp(self) -> Stamp:
        """What the project and the environment are now. Raises `OSError`."""
        return stamp_of(self.project, self.command.environment)


@dataclass(frozen=True, slots=True)
class Asked:
    """A command for the warm dbt, with the target folder among its arguments."""

    arguments: tuple[str, ...]
    target: Path
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class _Warm:
    server: DbtServer
    stamp: Stamp
    launch: Launch


class Warmth:
    """Holds at most one warm dbt. `prepare` may be called from any thread, the others by one at a time."""

    def __init__(self, parsed: Callable[[Path], None] = lambda _: None) -> None:
        self._parsed = parsed  # is told where the parsed project lies
        self._lock = threading.Lock()
        self._started = threading.Event()
        self._thread: threading.Thread | None = None
        self._warm: _Warm | None = None
        self._is_closed = False

    def prepare(self, launch: Callable[[], Launch | None]) -> None:
        """Start a warm dbt unless there is one. Returns at once; ``launch`` is called in a thread, None forgoes it."""
        with self._lock:
            if self._is_closed or (self._thread is not None and self._thread.is_alive()):
                return
            self._started.clear()
            self._thread = threading.Thread(target=self._live, args=(launch,), name="dbt-warm", daemon=True)
            self._thread.start()

    def run(self, launch: Launch, asked: Asked, should_stop: Callable[[], bool]) -> Ended | str | None:
        """Run a command. None: nothing was warm, or it was stopped; a text: why the warm one could not be used.

        In the last case the command may have begun: its queries are to be ended before it is tried again.
        """
        warm = self._found(should_stop)
        if warm is None:
            return None
        try:
            _check_fits(warm, launch)
            if not warm.server.wait_ready(should_stop):
                return None
            self._parsed(warm.launch.target)
            return warm.server.run(asked.arguments, asked.target, asked.timeout_seconds, should_stop)
        except (ServerLost, OSError) as error:
            warm.server.close()
            return str(error)

    def close(self) -> None:
        """End the warm dbt, and let no other be started."""
        with self._lock:
            self._is_closed = True
            thread, warm = self._thread, self._warm
        if warm is not None:
            warm.server.close()
        if thread is not None:
            thread.join(timeout=_STARTED_WITHIN)

    @property
    def pid(self) -> int | None:
        """The warm process, if there is one."""
        warm = self._warm
        return warm.server.pid if warm else None

    def _live(self, make: Callable[[], Launch | None]) -> None:
        """The thread's whole life, which is the process's: the kernel ends the child when this thread ends."""
        try:
            warm = _started(make())
            if warm is not None:
                self._take_up(warm)
        except OSError as error:
            log.warning("dbt can't be kept warm", reason=str(error))
            return
        finally:
            self._started.set()
        if warm is not None:
            warm.server.outlive()
            with self._lock:
                self._warm = None

    def _take_up(self, warm: _Warm) -> None:
        with self._lock:
            self._warm = warm
            is_closed = self._is_closed
        if is_closed:
            warm.server.close()

    def _found(self, should_stop: Callable[[], bool]) -> _Warm | None:
        """The warm dbt; waited for when it is just being started."""
        with self._lock:
            thread = self._thread
        if thread is None:
            return None
        left = _STARTED_WITHIN
        while left > 0 and not should_stop() and not self._started.wait(0.1):
            left -= 0.1
        with self._lock:
            return self._warm


def _check_fits(warm: _Warm, launch: Launch) -> None:
    if warm.stamp != launch.stamp:
        raise ServerLost("the project or its environment has changed")


def _started(launch: Launch | None) -> _Warm | None:
    if launch is None:
        return None
    stamp = launch.stamp  # before anything of it is read
    return _Warm(DbtServer(launch.command), stamp, launch)


def stamp_of(project: Path, environment: Mapping[str, str]) -> Stamp:
    """What a parsed project was read from: each file's place, size, times and number, and the environment."""
    digest = hashlib.sha256(repr(sorted(environment.items())).encode("utf-8", "surrogateescape"))
    for path in files_of(project):
        with contextlib.suppress(FileNotFoundError):  # a link into nowhere, or just taken away
            look = os.stat(path)
            seen = (str(path), look.st_size, look.st_mtime_ns, look.st_ctime_ns, look.st_ino)
            digest.update(repr(seen).encode("utf-8", "surrogateescape"))
    return digest.digest()
