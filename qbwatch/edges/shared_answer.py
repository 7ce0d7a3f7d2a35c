"""An answer that many may ask for at the same moment: a few compute it, the others share what they find."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")

_AT_A_TIME = 3


class SharedAnswer(Generic[T]):
    """Computes at most three at a time. Whoever comes while these are busy shares the next one with all who wait, so
    every answer was begun after it was asked for."""

    def __init__(self, compute: Callable[[], T]) -> None:
        self._compute = compute
        self._lock = threading.Lock()
        self._places = threading.Semaphore(_AT_A_TIME)
        self._next: Future[T] | None = None

    def get(self) -> T:
        """An answer; raises what computing it raised."""
        with self._lock:
            found, is_ours = self._next, self._next is None
            if found is None:
                found = self._next = Future()
        if is_ours:
            self._fill(found)
        return found.result()

    def _fill(self, wanted: Future[T]) -> None:
        with self._places:
            with self._lock:
                self._next = None  # whoever comes from here on wants a later one
            try:
                wanted.set_result(self._compute())
            except BaseException as error:  # noqa: BLE001 (raised again for each who waits for it)
                wanted.set_exception(error)
