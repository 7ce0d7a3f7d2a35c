"""What may begin and what must end, whatever the order in which people and the working thread come."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import UTC, datetime

import pytest

from qbwatch.core.model import QbwatchError
from qbwatch.pipeline import EVERYTHING
from qbwatch.requests import Asked, Errand, Request, Requests
from qbwatch.steering import Steering


def test_nothing_begins_by_itself_while_paused_but_what_is_asked_for_does() -> None:
    steering = Steering()
    steering.pause()

    assert not steering.begin(by_itself=True)
    assert steering.begin(by_itself=False)
    assert not steering.ends_after_step(), "a pause of before doesn't cut short what was asked for since"


def test_a_pause_ends_what_is_under_way_between_steps_and_not_within_one() -> None:
    steering = Steering()
    assert steering.begin(by_itself=True)
    steering.pause()

    assert (steering.ends_after_step(), steering.is_cancelled()) == (True, False)
    steering.end()
    assert not steering.begin(by_itself=True)


def test_resuming_in_time_lets_the_work_go_on() -> None:
    steering = Steering()
    steering.begin(by_itself=True)
    steering.pause()
    steering.resume()

    assert not steering.ends_after_step()


def test_cancelling_ends_what_is_under_way_and_lets_nothing_follow() -> None:
    steering = Steering()
    assert not steering.cancel(), "nothing is under way"
    assert not steering.paused
    steering.begin(by_itself=True)

    assert steering.cancel()
    assert steering.is_cancelled()
    steering.end()
    assert not steering.is_cancelled()
    assert not steering.begin(by_itself=True)
    steering.wait_end(0)


def request(what: str) -> Request:
    """A request for a run."""
    return Request(None, EVERYTHING, Asked(what, "alice", datetime(2026, 1, 1, tzinfo=UTC)))


def test_what_is_in_hand_is_shown_first_and_what_is_answered_not_at_all() -> None:
    requests = Requests()
    first, second = request("once"), request("transform")
    for each in (first, Errand(lambda _: None), second):
        requests.put(each)

    assert requests.take() is first
    assert [each.what for each in requests.asked()] == ["once", "transform"]
    first.answer.set_result(None)
    assert [each.what for each in requests.asked()] == ["transform"]


def test_once_closed_every_request_fails_at_once() -> None:
    requests = Requests()
    early, late = request("once"), request("once")
    requests.put(early)
    requests.close()
    requests.put(late)

    answers: list[Future[object]] = [early.answer, late.answer]  # type: ignore[list-item]
    for answer in answers:
        with pytest.raises(QbwatchError, match="is stopping"):
            answer.result(0)
    assert requests.take() is None
