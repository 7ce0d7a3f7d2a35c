"""Things made by another process while those before them are used."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import count

import pytest

from qbwatch.edges.ahead import MakerLost, made_ahead


def test_all_of_them_come_in_their_order_from_another_process() -> None:
    with made_ahead((number, os.getpid()) for number in range(1000)) as made:
        numbers, makers = zip(*made, strict=True)
    assert numbers == tuple(range(1000))
    assert len(set(makers)) == 1
    assert os.getpid() not in makers


def test_what_making_them_raises_is_raised_behind_those_before_it_with_its_cause() -> None:
    def two_and_a_fault() -> Iterator[int]:
        yield from (1, 2)
        raise ValueError("no third one") from OSError(5, "a bad disk")

    with made_ahead(two_and_a_fault()) as made:
        assert [next(made), next(made)] == [1, 2]
        with pytest.raises(ValueError, match="no third one") as raised:
            next(made)
    assert isinstance(raised.value.__cause__, OSError)
    assert raised.value.__cause__.errno == 5


def test_a_maker_that_is_killed_is_told() -> None:
    with made_ahead((number, os.getpid()) for number in count()) as made:
        os.kill(next(made)[1], signal.SIGKILL)
        with pytest.raises(MakerLost):
            for _ in made:
                pass


def test_a_maker_that_is_not_needed_any_more_is_ended() -> None:
    with made_ahead((number, os.getpid()) for number in count()) as made:
        _, maker = next(made)
    with pytest.raises(ProcessLookupError):
        os.kill(maker, 0)
