"""When has a file stopped changing? Every case runs on a clock that the test moves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbwatch.core.settle import Look, Settler, Verdict, pause_after

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
QUIET = timedelta(seconds=2)
DOUBT = timedelta(seconds=60)
LOOK = Look(size=100, mtime_ns=1, inode=7, device=1, ctime_ns=1)
GROWN = replace(LOOK, size=200, mtime_ns=2, ctime_ns=2)
EMPTY = replace(LOOK, size=0)
PATH = b"a.csv"


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def settler() -> Settler:
    settler = Settler(QUIET, DOUBT)
    settler.notice(PATH, NOON)
    return settler


def test_a_noticed_file_is_due_at_once(settler: Settler) -> None:
    assert settler.due(NOON) == [PATH]


def test_a_file_that_looks_the_same_after_the_quiet_period_is_settled(settler: Settler) -> None:
    assert settler.look(PATH, LOOK, None, NOON) is Verdict.WAIT
    assert settler.look(PATH, LOOK, None, after(1.9)) is Verdict.WAIT
    assert settler.look(PATH, LOOK, None, after(2)) is Verdict.SETTLED


def test_the_next_look_is_due_when_the_quiet_period_ends(settler: Settler) -> None:
    settler.look(PATH, LOOK, None, NOON)
    assert settler.next_due_at() == after(2)
    assert settler.due(after(1.9)) == []
    assert settler.due(after(2)) == [PATH]


def test_a_growing_file_is_not_settled(settler: Settler) -> None:
    for second in range(30):
        growing = replace(LOOK, size=100 + second)
        assert settler.look(PATH, growing, None, after(second * 2)) is Verdict.WAIT
    assert settler.look(PATH, growing, None, after(29 * 2 + 2)) is Verdict.SETTLED


@pytest.mark.parametrize("changed", [{"size": 101}, {"mtime_ns": 9}, {"inode": 8}, {"device": 2}])
def test_each_part_of_the_look_restarts_the_quiet_period(settler: Settler, changed: dict[str, int]) -> None:
    settler.look(PATH, LOOK, None, NOON)
    assert settler.look(PATH, replace(LOOK, **changed), None, after(2)) is Verdict.WAIT
    assert settler.look(PATH, replace(LOOK, **changed), None, after(4)) is Verdict.SETTLED


def test_a_change_of_attributes_alone_restarts_nothing(settler: Settler) -> None:
    settler.look(PATH, LOOK, None, NOON)
    assert settler.look(PATH, replace(LOOK, ctime_ns=99), None, after(2)) is Verdict.SETTLED


def test_an_old_mtime_settles_no_sooner(settler: Settler) -> None:
    old = replace(LOOK, mtime_ns=1_546_300_800_000_000_000)
    assert settler.look(PATH, old, False, NOON) is Verdict.WAIT
    assert settler.look(PATH, replace(old, size=150), False, after(2)) is Verdict.WAIT


def test_a_file_that_somebody_holds_open_for_writing_is_not_settled(settler: Settler) -> None:
    settler.look(PATH, LOOK, True, NOON)
    assert settler.look(PATH, LOOK, True, after(600)) is Verdict.WAIT
    assert settler.next_due_at() == after(602)
    assert settler.look(PATH, LOOK, False, after(602)) is Verdict.SETTLED


def test_notices_do_not_restart_the_quiet_period(settler: Settler) -> None:
    settler.look(PATH, LOOK, None, NOON)
    for tenth in range(1, 20):
        settler.notice(PATH, after(tenth / 10))
    assert settler.look(PATH, LOOK, None, after(2)) is Verdict.SETTLED


def test_a_notice_brings_the_next_look_forward(settler: Settler) -> None:
    settler.look(PATH, LOOK, True, NOON)
    settler.notice(PATH, after(1))
    assert settler.due(after(1)) == [PATH]


def test_a_storm_of_notices_does_not_cause_a_storm_of_looks(settler: Settler) -> None:
    looks = 0
    for thousandth in range(2000):
        at = after(thousandth / 1000)
        settler.notice(PATH, at)
        for path in settler.due(at):
            settler.look(path, replace(LOOK, size=thousandth), None, at)
            looks += 1
    assert looks <= 5


def test_a_file_that_was_renamed_into_place_and_has_no_writer_settles_at_once() -> None:
    settler = Settler(QUIET, DOUBT)
    settler.notice(PATH, NOON, renamed=True)
    assert settler.look(PATH, LOOK, False, NOON) is Verdict.SETTLED


@pytest.mark.parametrize("writing", [True, None])
def test_a_renamed_file_waits_when_it_has_a_writer_or_may_have_one(writing: bool | None) -> None:
    settler = Settler(QUIET, DOUBT)
    settler.notice(PATH, NOON, renamed=True)
    assert settler.look(PATH, LOOK, writing, NOON) is Verdict.WAIT


def test_a_file_renamed_over_a_settling_one_settles_at_once(settler: Settler) -> None:
    settler.look(PATH, LOOK, False, NOON)
    settler.notice(PATH, after(1), renamed=True)
    assert settler.due(after(1)) == [PATH]
    assert settler.look(PATH, replace(GROWN, inode=8), False, after(1)) is Verdict.SETTLED


def test_a_renamed_file_that_changes_afterwards_is_like_any_other() -> None:
    settler = Settler(QUIET, DOUBT)
    settler.notice(PATH, NOON, renamed=True)
    settler.look(PATH, LOOK, True, NOON)
    assert settler.look(PATH, GROWN, False, after(1)) is Verdict.WAIT
    assert settler.look(PATH, GROWN, False, after(3)) is Verdict.SETTLED


def test_a_file_that_is_gone_is_forgotten(settler: Settler) -> None:
    settler.look(PATH, LOOK, None, NOON)
    assert settler.look(PATH, None, None, after(1)) is Verdict.VANISHED
    assert PATH not in settler
    assert settler.next_due_at() is None


def test_an_empty_file_waits_for_its_content(settler: Settler) -> None:
    settler.look(PATH, EMPTY, False, NOON)
    assert settler.look(PATH, EMPTY, False, after(59)) is Verdict.WAIT
    assert settler.look(PATH, LOOK, False, after(59.5)) is Verdict.WAIT
    assert settler.look(PATH, LOOK, False, after(61.5)) is Verdict.SETTLED


def test_a_file_that_stays_empty_is_taken_in_the_end(settler: Settler) -> None:
    settler.look(PATH, EMPTY, False, NOON)
    assert settler.look(PATH, EMPTY, False, after(60)) is Verdict.OUTWAITED


def test_an_empty_file_that_was_renamed_into_place_waits_too() -> None:
    settler = Settler(QUIET, DOUBT)
    settler.notice(PATH, NOON, renamed=True)
    assert settler.look(PATH, EMPTY, False, NOON) is Verdict.WAIT


def test_a_doubted_file_waits_longer_and_is_then_taken_as_it_is(settler: Settler) -> None:
    settler.look(PATH, LOOK, False, NOON)
    settler.look(PATH, LOOK, False, after(2))
    settler.doubt(PATH, after(2))
    assert settler.look(PATH, LOOK, False, after(61)) is Verdict.WAIT
    assert settler.look(PATH, LOOK, False, after(62)) is Verdict.OUTWAITED


def test_a_doubted_file_that_grows_needs_only_the_quiet_period_again(settler: Settler) -> None:
    settler.look(PATH, LOOK, False, after(2))
    settler.doubt(PATH, after(4))
    assert settler.look(PATH, GROWN, False, after(10)) is Verdict.WAIT
    assert settler.look(PATH, GROWN, False, after(12)) is Verdict.SETTLED


def test_a_doubted_file_is_looked_at_at_the_usual_pace(settler: Settler) -> None:
    settler.look(PATH, LOOK, False, NOON)
    settler.doubt(PATH, after(2))
    assert settler.due(after(4)) == [PATH]
    settler.look(PATH, LOOK, False, after(4))
    assert settler.due(after(6)) == [PATH]


def test_a_file_that_changed_while_it_was_copied_settles_anew(settler: Settler) -> None:
    settler.look(PATH, LOOK, False, NOON)
    settler.look(PATH, LOOK, False, after(2))
    settler.restart(PATH, after(2))
    assert settler.look(PATH, LOOK, False, after(2)) is Verdict.WAIT
    assert settler.look(PATH, LOOK, False, after(4)) is Verdict.SETTLED


def test_a_file_that_changes_whenever_it_is_copied_is_left_alone_for_longer_and_longer(settler: Settler) -> None:
    at, quiet, look = NOON, [], LOOK
    for number in range(8):
        look = replace(look, mtime_ns=number)
        began = at
        while settler.look(PATH, look, False, at) is Verdict.WAIT:
            at += timedelta(seconds=1)
        quiet.append((at - began).total_seconds())
        settler.restart(PATH, at)
    assert quiet == [2, 2, 4, 8, 16, 32, 60, 60]


def test_a_postponed_file_comes_again_after_growing_pauses(settler: Settler) -> None:
    settler.look(PATH, LOOK, False, NOON)
    at, pauses = after(2), []
    for _ in range(8):
        settler.look(PATH, LOOK, False, at)
        settler.postpone(PATH, at)
        next_at = settler.next_due_at()
        assert next_at is not None
        pauses.append((next_at - at).total_seconds())
        at = next_at
        assert settler.look(PATH, LOOK, False, at) is Verdict.SETTLED
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_notice_does_not_shorten_a_pause(settler: Settler) -> None:
    settler.look(PATH, LOOK, False, NOON)
    settler.postpone(PATH, NOON)
    settler.notice(PATH, after(0.1))
    assert settler.next_due_at() == after(1)


def test_pauses_are_capped() -> None:
    assert pause_after(10_000) == timedelta(seconds=60)


def test_what_settles_is_listed_with_the_time_of_its_first_notice(settler: Settler) -> None:
    settler.notice(PATH, after(1))
    settler.notice(b"b.csv", after(1))
    assert list(settler.settling()) == [(PATH, NOON), (b"b.csv", after(1))]
    assert settler.since(PATH) == NOON
    assert settler.since(b"c.csv") is None


def test_the_longest_waiting_path_comes_first(settler: Settler) -> None:
    settler.notice(b"0.csv", after(1))
    assert settler.due(after(1)) == [PATH, b"0.csv"]


def test_files_that_came_together_are_taken_in_the_order_in_which_they_were_made(settler: Settler) -> None:
    for number in (3, 1, 2):
        settler.notice(b"%d" % number, NOON)
        settler.look(b"%d" % number, replace(LOOK, mtime_ns=number), None, after(number / 10))
    settler.forget(PATH)
    assert settler.due(after(10)) == [b"1", b"2", b"3"]


LONG = timedelta(minutes=10)


def test_a_file_that_is_at_work_for_long_is_restless_until_it_is_taken(settler: Settler) -> None:
    settler.notice(b"open.csv", NOON)
    settler.look(b"open.csv", LOOK, True, NOON)
    for seconds in range(0, 599, 2):
        settler.look(PATH, replace(LOOK, size=seconds), False, after(seconds))
    assert settler.restless(LONG) == []
    settler.look(PATH, replace(LOOK, size=601), False, after(601))
    settler.look(b"open.csv", LOOK, True, after(601))
    assert {(file.path, file.writing) for file in settler.restless(LONG)} == {(PATH, False), (b"open.csv", True)}
    settler.forget(PATH)
    assert [file.path for file in settler.restless(LONG)] == [b"open.csv"]


def test_a_file_that_waits_for_its_turn_behind_many_others_is_not_restless(settler: Settler) -> None:
    settler.look(PATH, LOOK, False, NOON)
    settler.look(PATH, GROWN, False, after(1))
    assert settler.look(PATH, GROWN, False, after(3000)) is Verdict.SETTLED
    assert settler.restless(LONG) == []


def test_only_files_in_their_quiet_period_keep_others_waiting(settler: Settler) -> None:
    assert not settler.is_quiet
    settler.look(PATH, EMPTY, False, NOON)
    assert settler.is_quiet
    settler.look(PATH, LOOK, False, after(1))
    assert not settler.is_quiet
    settler.doubt(PATH, after(3))
    assert settler.is_quiet
    settler.forget(PATH)
    assert settler.is_quiet


def test_decisions_about_unknown_paths_are_harmless() -> None:
    settler = Settler(QUIET, DOUBT)
    for decide in (settler.doubt, settler.restart, settler.postpone):
        decide(PATH, NOON)
    settler.forget(PATH)
    assert list(settler.settling()) == []


RESCAN = timedelta(seconds=10)
STEP = timedelta(seconds=0.25)
STEPS = 200


@dataclass
class World:
    """One file, written at given steps, watched by a loop whose notices come as the test says."""

    changes: set[int]
    notices: set[int]
    kernel_tells: bool
    settler: Settler = field(default_factory=lambda: Settler(QUIET, DOUBT))
    version: int = 0
    admitted: list[tuple[int, int]] = field(default_factory=list)

    def run(self) -> None:
        for step in range(STEPS):
            if step in self.changes:
                self.version += 1
            self.tick(step)

    def tick(self, step: int) -> None:
        at = NOON + step * STEP
        is_new = self.version > 0 and (not self.admitted or self.admitted[-1][1] != self.version)
        if self.version and (step in self.notices or (step % (RESCAN // STEP) == 0 and is_new)):
            self.settler.notice(PATH, at)
        for path in self.settler.due(at):
            look = replace(LOOK, size=self.version, mtime_ns=self.version)
            writing = (step in self.changes or step + 1 in self.changes) if self.kernel_tells else None
            if self.settler.look(path, look, writing, at) is Verdict.SETTLED:
                assert not writing
                self.admitted.append((step, self.version))
                self.settler.forget(path)


@given(
    changes=st.sets(st.integers(1, STEPS // 2), min_size=1, max_size=20),
    notices=st.sets(st.integers(1, STEPS - 1), max_size=60),
    kernel_tells=st.booleans(),
)
def test_whatever_notices_are_lost_repeated_or_late_a_quiet_file_is_settled_in_time_and_a_busy_one_never(
    changes: set[int], notices: set[int], kernel_tells: bool
) -> None:
    world = World(changes, notices, kernel_tells)
    world.run()
    for step, _ in world.admitted:
        last_change = max(change for change in changes if change <= step)
        assert (step - last_change) * STEP >= QUIET
    assert world.admitted
    assert world.admitted[-1][1] == len(changes)
    settled_step = next(step for step, version in world.admitted if version == len(changes))
    assert (settled_step - max(changes)) * STEP <= RESCAN + QUIET + STEP
