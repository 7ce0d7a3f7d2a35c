"""An answer that many ask for at once: computed a few times, and never begun before it was asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from qbwatch.edges.shared_answer import SharedAnswer


class Slow:
    """Computes its own number, once it may."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.has_begun = threading.Semaphore(0)
        self.count = 0

    def compute(self) -> int:
        """How many were computed, this one included."""
        self.count += 1
        number = self.count
        self.has_begun.release()
        assert self.may_end.wait(30)
        return number


def test_who_comes_while_three_are_computed_shares_the_next_one() -> None:
    slow = Slow()
    shared = SharedAnswer(slow.compute)
    with ThreadPoolExecutor(50) as pool:
        early = [pool.submit(shared.get) for _ in range(3)]
        for _ in early:
            assert slow.has_begun.acquire(timeout=30)
        late = [pool.submit(shared.get) for _ in range(40)]
        slow.may_end.set()

    assert sorted(each.result() for each in early) == [1, 2, 3]
    assert all(each.result() > 3 for each in late), "none was begun before it was asked for"
    assert slow.count < 20


def test_each_of_those_who_wait_hears_of_a_failure_and_the_next_one_is_computed_again() -> None:
    outcomes = iter([ValueError("once"), None])

    def compute() -> str:
        if (outcome := next(outcomes)) is not None:
            raise outcome
        return "well"

    shared = SharedAnswer(compute)
    with pytest.raises(ValueError, match="once"):
        shared.get()

    assert shared.get() == "well"
