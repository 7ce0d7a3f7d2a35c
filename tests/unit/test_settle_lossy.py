"""Many files, and events of which three in ten are lost, and the others come late, out of order and repeatedly."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from qbwatch.core.settle import Look, Settler, Verdict

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
QUIET = timedelta(seconds=2)
RESCAN = timedelta(seconds=10)
STEP = timedelta(seconds=0.25)
WRITING = 120  # steps in which something may be written; afterwards all is quiet
STEPS = WRITING + (RESCAN + QUIET) // STEP + 4
LOSS = 0.3


@dataclass
class Written:
    """One file: the steps at which it changes; ``by_rename``: each change is a whole new file put in its place."""

    path: bytes
    changes: list[int]
    by_rename: bool
    version: int = 0
    taken: list[tuple[int, int]] = field(default_factory=list)

    def look(self, step: int) -> Look | None:
        if not self.version:
            return None
        inode = self.version if self.by_rename else 1
        return Look(size=100 * self.version, mtime_ns=self.version, inode=inode, device=1)

    def is_being_written(self, step: int) -> bool:
        """A writer has it open from shortly before a change until shortly after."""
        return not self.by_rename and any(abs(change - step) <= 1 for change in self.changes)


@dataclass
class World:
    """The loop as it is, over files in memory and events that are treated badly."""

    files: list[Written]
    chance: random.Random
    kernel_tells: bool
    settler: Settler = field(default_factory=lambda: Settler(QUIET, QUIET * 15))
    events: list[tuple[int, bytes, bool]] = field(default_factory=list)

    def run(self) -> None:
        for step in range(STEPS):
            for file in self.files:
                if step in file.changes:
                    file.version += 1
                    self._tell(step, file)
            self._hear(step)
            if step % (RESCAN // STEP) == 0:
                self._scan(step)
            self._judge(step)

    def _tell(self, step: int, file: Written) -> None:
        for _ in range(self.chance.choice((1, 1, 3))):
            if self.chance.random() > LOSS:
                self.events.append((step + self.chance.randrange(12), file.path, file.by_rename))

    def _hear(self, step: int) -> None:
        due = [event for event in self.events if event[0] == step]
        self.chance.shuffle(due)
        for _, path, renamed in due:
            self.settler.notice(path, NOON + step * STEP, renamed)

    def _scan(self, step: int) -> None:
        for file in self.files:
            if file.version and (not file.taken or file.taken[-1][1] != file.version):
                self.settler.notice(file.path, NOON + step * STEP)

    def _judge(self, step: int) -> None:
        at = NOON + step * STEP
        for path in self.settler.due(at):
            file = next(file for file in self.files if file.path == path)
            look = file.look(step)
            if look is not None and file.taken and file.taken[-1][1] == file.version:
                self.settler.forget(path)  # known as it looks: an event about it starts nothing
                continue
            writing = file.is_being_written(step) if self.kernel_tells else None
            if self.settler.look(path, look, writing, at) is Verdict.SETTLED:
                assert writing is not True
                file.taken.append((step, file.version))
                self.settler.forget(path)


FILES = st.lists(
    st.tuples(st.lists(st.integers(1, WRITING), min_size=1, max_size=12, unique=True), st.booleans()),
    min_size=1,
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(files=FILES, seed=st.integers(0, 2**32), kernel_tells=st.booleans())
def test_no_file_is_taken_before_it_is_quiet_and_every_quiet_file_within_one_rescan(
    files: list[tuple[list[int], bool]], seed: int, kernel_tells: bool
) -> None:
    world = World(
        [Written(b"%d" % number, sorted(steps), renamed) for number, (steps, renamed) in enumerate(files)],
        random.Random(seed),
        kernel_tells,
    )
    world.run()
    for file in world.files:
        whole_at_once = file.by_rename and kernel_tells
        for step, version in file.taken:
            changed_at = file.changes[version - 1]
            assert whole_at_once or (step - changed_at) * STEP >= QUIET
        versions = [version for _, version in file.taken]
        assert versions == sorted(set(versions))
        assert versions[-1] == len(file.changes)
        assert (file.taken[-1][0] - file.changes[-1]) * STEP <= RESCAN + QUIET + STEP


def test_a_look_that_differs_in_nothing_but_its_ctime_is_the_same() -> None:
    look = Look(1, 1, 1, 1, ctime_ns=1)
    assert look == replace(look, ctime_ns=2)
