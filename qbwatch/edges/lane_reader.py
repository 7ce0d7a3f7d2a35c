"""Large texts, read in a child process whose rows are passed on to COPY as they come.

Why a child: Arrow takes more memory than the daemon may keep, and reading in another process than the one that passes
the rows on leaves Postgres waiting for nobody. The child stays warm for the next files of a batch and leaves by itself.
Should it die, `ReaderLost` is raised: whoever asked can ask again, and a new one is started.
"""

from __future__ import annotations

import marshal
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal

from qbwatch.core.model import RowClass
from qbwatch.edges import lane_wire
from qbwatch.edges.lane_source import Source
from qbwatch.edges.lane_wire import Cut, Frame, Task
from qbwatch.edges.tied_child import environment
from qbwatch.formats.plain_text import NotPlain
from qbwatch.formats.tally import Tally

_TICK = 0.5  # seconds between looks while the child is silent
_SILENT_AT_MOST = 120.0  # seconds
# One thread is enough beside Postgres, and each of the others would want memory.
_MANNERS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


class ReaderLost(Exception):
    """The child ended without a last word, or says nothing any more."""


@dataclass(slots=True)
class Answer:
    """What comes of a task. What is said of it is asked for in this order, each of it to its end."""

    source: Source
    look: Callable[[], object]
    tally: Tally
    _channel: socket.socket
    is_whole: bool = False
    _pending: tuple[Frame, bytearray] | None = None

    def tell_known(self, blocks: Iterable[bytes]) -> None:
        """The documents that the child waits for where it sifts. Raises `ReaderLost`."""
        try:
            for block in blocks:
                lane_wire.send(self._channel, Frame.KNOWN, block)
            lane_wire.send(self._channel, Frame.KNOWN)
        except OSError as error:
            raise ReaderLost from error

    def rows(self) -> Iterator[bytearray]:
        """Blocks of rows for COPY. Raises `NotPlain`, `ReaderLost`, and what the source's faults are."""
        return self._all(Frame.ROWS)

    def unstated(self) -> Iterator[bytearray]:
        """Lines for COPY of the keys that are known and aren't stated. Raises as `rows` does."""
        return self._all(Frame.UNSTATED)

    def told(self) -> Tally:
        """What was counted. Raises as `rows` does."""
        for _ in self._all(Frame.TOLD):
            return self.tally
        raise ReaderLost

    def _all(self, kind: Frame) -> Iterator[bytearray]:
        while (frame := self._pending or self._next())[0] is kind:
            self._pending = None
            if frame[1]:
                yield frame[1]
        self._pending = frame

    def _next(self) -> tuple[Frame, bytearray]:
        frame, data = self._received()
        self.is_whole = frame not in (Frame.ROWS, Frame.UNSTATED)
        match frame:
            case Frame.TOLD:
                _count(self.tally, marshal.loads(data))
            case Frame.NOT_PLAIN:
                raise NotPlain(data.decode("utf-8", "replace"))
            case Frame.UNREADABLE:
                raise self.source.fault(OSError(*marshal.loads(data)))
            case Frame.DAMAGED:
                raise self.source.fault(None)
            case _:
                pass
        return frame, data

    def _received(self) -> tuple[Frame, bytearray]:
        since = time.monotonic()
        self.look()
        while not select.select([self._channel], [], [], _TICK)[0]:
            self.look()
            if time.monotonic() - since > _SILENT_AT_MOST:
                raise ReaderLost
        try:
            return lane_wire.receive(self._channel)
        except (Cut, OSError) as error:
            raise ReaderLost from error


@dataclass(frozen=True, slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    channel: socket.socket

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.channel.close()


@dataclass(slots=True, eq=False)
class LaneReader:
    """Holds at most one child, which leaves when it is idle. From any thread; one task at a time."""

    idle_seconds: float = 10.0
    _child: _Child | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def prepare(self) -> None:
        """Start a child unless there is one; returns at once, before it is ready."""
        if self._lock.acquire(blocking=False):  # else it is just being asked
            try:
                with suppress(OSError):
                    self._warm()
            finally:
                self._lock.release()

    @property
    def is_warm(self) -> bool:
        """Whether a child is there already."""
        child = self._child
        return child is not None and child.process.poll() is None

    @property
    def pid(self) -> int | None:
        """The child, if there is one."""
        child = self._child
        return child.process.pid if child is not None and self.is_warm else None

    @contextmanager
    def ask(self, task: Task, source: Source, look: Callable[[], object]) -> Iterator[Answer]:
        """Have a text read. ``look`` is called at least twice a second; what it raises ends the reading.

        Raises `ReaderLost`. A child whose answer isn't wanted to its end is ended.
        """
        with self._lock:
            child = self._asked(task, source)
            answer = Answer(source, look, Tally(task.layout), child.channel)
            try:
                yield answer
            finally:
                if not answer.is_whole:
                    self.end()

    def _asked(self, task: Task, source: Source) -> _Child:
        """A child that has the task; one that was about to leave is followed by another. Raises `ReaderLost`."""
        with suppress(OSError):
            return self._sent(task, source)
        self.end()
        try:
            return self._sent(task, source)
        except OSError as error:
            self.end()
            raise ReaderLost from error

    def _sent(self, task: Task, source: Source) -> _Child:
        child = self._warm()
        lane_wire.send_task(child.channel, task, source.file.fileno())
        return child

    def end(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            child, self._child = self._child, None
            if child is not None:
                child.end()

    def _warm(self) -> _Child:
        if not self.is_warm:
            self.end()
            self._child = _started(self.idle_seconds)
        assert self._child is not None
        return self._child


READER = LaneReader()
"""The one of this process."""


def _started(idle_seconds: float) -> _Child:
    ours, theirs = socket.socketpair()
    ours.settimeout(_SILENT_AT_MOST)
    # -P: nothing in the working directory must be taken for a module.
    program = [sys.executable, "-P", "-m", "qbwatch.edges.lane_child", str(os.getpid()), str(idle_seconds)]
    with theirs:
        try:
            process = subprocess.Popen(
                program, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=environment(**_MANNERS),
            )  # fmt: skip
        except OSError:
            ours.close()
            raise
    # It may leave at any time, and is to leave nothing behind.
    threading.Thread(target=process.wait, name="lane-reader", daemon=True).start()
    return _Child(process, ours)


def _count(tally: Tally, counts: lane_wire.Counts) -> None:
    tally.read, tally.structural, tally.accepted, classes, sums = counts
    tally.row_classes = Counter({RowClass(name): count for name, count in classes.items()})
    tally.sums = {name: Decimal(total) for name, total in sums.items()}
