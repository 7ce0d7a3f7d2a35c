"""Faults of the surroundings in the soak: of the process, the server, the disk, the folder, the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

import psycopg
from small_disks import fill
from soak_world import World

_LIFE = 3.0  # seconds after a drop within which something dies


def killed(world: World) -> None:
    world.drop_night()
    _wait(world)
    world.lab.installation.kill()
    world.lab.start()


def stopped(world: World) -> None:
    world.drop_night()
    _wait(world)
    assert world.lab.installation.stop() == 0
    world.lab.start()


def power(world: World) -> None:
    world.drop_night()
    _wait(world)
    world.lab.restart()


def terminated(world: World) -> None:
    query = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name IN ('qbwatch', 'qbwatch-intake')"""
    world.drop_night()
    for _ in range(3):
        _wait(world, _LIFE / 3)
        with psycopg.connect(world.lab.url, autocommit=True) as connection:
            connection.execute(query)


def clock(world: World) -> None:
    wrong = timedelta(hours=world.chance.choice((-3, -1, 1, 2)))
    exports = world.begin_night()
    with world.wrong_clock(wrong):
        for export in exports:
            world.drop(export)
        _wait(world)


@contextmanager
def gone(world: World) -> Iterator[None]:
    hidden = world.input.with_name("input.gone")
    world.input.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(world.input)


@contextmanager
def full(world: World) -> Iterator[None]:
    state = world.lab.installation.root / "state"
    fill(state / "filler", state, leave=40_000_000)
    try:
        yield
    finally:
        (state / "filler").unlink()


def lasting(fault: Callable[[World], AbstractContextManager[None]], problem: str, code: str) -> Callable[[World], None]:
    """A fault of the surroundings that is there when the files come, and is told of."""

    def happen(world: World) -> None:
        exports = world.begin_night()
        with fault(world):
            if problem != "folder_missing":
                for export in exports:
                    world.drop(export)
            world.problem(problem)
            world.tell(code)
            if problem == "folder_missing":
                for export in exports:
                    world.put(world.give(export), folder=world.input.with_name("input.gone"))

    return happen


def _wait(world: World, at_most: float = _LIFE) -> None:
    moment = world.chance.uniform(0, at_most)
    world.note(f"  {moment:.2f} s after the files came")
    time.sleep(moment)
