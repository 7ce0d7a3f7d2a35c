"""What a person may ask of the pipeline's thread, each with a future for its answer: nobody is left waiting for one."""

from __future__ import annotations

import pwd
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from threading import Event, Lock
from typing import Any

from sqlalchemy import Connection

from qbwatch.core.facts import Json, moment
from qbwatch.core.model import Mode, QbwatchError
from qbwatch.edges.control_socket import Peer
from qbwatch.edges.postgres import DATABASE_ERRORS, failure_of, is_lost
from qbwatch.pipeline import RunOutcome, Scope


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for what, and when: shown in the status while it waits for its turn, and while it is done."""

    what: str
    by: str
    at: datetime
    detail: str = ""
    id: int = field(default_factory=count(1).__next__)

    def to_json(self) -> Json:
        """The entry of the status."""
        return {
            "id": self.id,
            "request": self.what,
            "detail": self.detail,
            "by": self.by,
            "since": moment(self.at),
        }


def asked_by(peer: Peer, what: str, detail: str = "") -> Asked:
    """A request, for the status: by whom, as the kernel vouches for it."""
    return Asked(what, name_of(peer), datetime.now(UTC), detail)


def name_of(peer: Peer) -> str:
    """Who is at the other end of the socket."""
    try:
        return f"{pwd.getpwuid(peer.uid).pw_name} (uid {peer.uid})"
    except KeyError:
        return f"uid {peer.uid}"


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A person's wish for one run now; the future gets its `RunOutcome`, or None when there was nothing to do.

    It has its place in the queue from the moment it was asked for; ``ready`` is set once what lies in the folders was
    taken in for it.
    """

    force: Mode | None
    scope: Scope
    asked: Asked | None = None
    answer: Future[RunOutcome | None] = field(default_factory=Future)
    ready: Event = field(default_factory=Event)

    @contextmanager
    def answered(self) -> Iterator[None]:
        """Whatever happens in it, there is an answer afterwards. Only a lost database ends a run: that is raised on."""
        try:
            yield
        except DATABASE_ERRORS as error:
            failure = failure_of(error)
            self.answer.set_exception(QbwatchError(f"the run was cut short: {failure.reason}", failure.hint))
            raise
        finally:  # a bug ends the thread
            if not self.answer.done():
                self.answer.set_exception(QbwatchError("the run ended by a fault of qbwatch", "see its journal"))


@dataclass(frozen=True, slots=True, eq=False)
class Errand:
    """Something else to be done over the pipeline's connection, between runs; the future gets what came of it."""

    work: Callable[[Connection], Any]
    asked: Asked | None = None
    answer: Future[Any] = field(default_factory=Future)

    def do(self, connection: Connection) -> None:
        """Do it and answer. Raises one of `DATABASE_ERRORS` only when the database is lost."""
        try:
            self.answer.set_result(self.work(connection))
        except QbwatchError as error:
            self.answer.set_exception(error)
        except DATABASE_ERRORS as error:
            failure = failure_of(error)
            self.answer.set_exception(QbwatchError(f"it was cut short: {failure.reason}", failure.hint))
            if is_lost(connection):
                raise
        finally:  # a bug ends the thread
            if not self.answer.done():
                self.answer.set_exception(QbwatchError("it ended by a fault of qbwatch", "see its journal"))


@dataclass(slots=True)
class Requests:
    """The queue: whoever asks puts, the pipeline's thread takes. Once it is closed, every request fails at once."""

    _waiting: deque[Request | Errand] = field(default_factory=deque)
    _in_hand: Request | Errand | None = None
    _is_closed: bool = False
    _lock: Lock = field(default_factory=Lock)

    def put(self, request: Request | Errand) -> None:
        """Wait for its turn."""
        with self._lock:
            self._waiting.append(request)
        if self._is_closed:
            self.close()

    def take(self) -> Request | Errand | None:
        """The next one, which is in hand until the next is taken; None when nobody asks."""
        with self._lock:
            self._in_hand = self._waiting.popleft() if self._waiting else None
            return self._in_hand

    def asked(self) -> list[Asked]:
        """What people asked for and isn't done: first what is in hand, then what waits, in its order."""
        with self._lock:
            known = [self._in_hand, *self._waiting]
        return [each.asked for each in known if each is not None and each.asked is not None and not each.answer.done()]

    def take_out(self, number: int, by: str) -> Asked:
        """Have a request that waits not done; whoever waits for its answer is told. Raises `QbwatchError`."""
        with self._lock:
            request = self._find(number)
            self._waiting.remove(request)
        request.answer.set_exception(QbwatchError(f"it was taken out of the queue by {by}", "ask again, if need be"))
        assert request.asked is not None
        return request.asked

    def move(self, number: int, places: int) -> Asked:
        """Have a request that waits done so many turns later (earlier, when negative). Raises `QbwatchError`."""
        with self._lock:
            request = self._find(number)
            at = self._waiting.index(request)
            del self._waiting[at]
            self._waiting.insert(max(at + places, 0), request)
        assert request.asked is not None
        return request.asked

    def _find(self, number: int) -> Request | Errand:
        for each in self._waiting:
            if each.asked is not None and each.asked.id == number:
                return each
        raise QbwatchError("it doesn't wait in the queue (any more)", "qbwatch status shows what does")

    def refuse(self, message: str, hint: str) -> None:
        """Answer all that wait with a `QbwatchError`."""
        while (request := self.take()) is not None:
            request.answer.set_exception(QbwatchError(message, hint))

    def close(self) -> None:
        """Nobody takes any more."""
        self._is_closed = True
        self.refuse("qbwatch is stopping", "start it again, then ask again")
