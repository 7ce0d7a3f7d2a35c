"""The faults of the soak. Each takes one night or more, and leaves a world in which all is well again by itself.

Where the design asks a person, the soak is that person: the office exports a damaged file again, somebody mends a
model, and the service manager starts what was killed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

import psycopg
from alert_services import Endpoint
from outages import away, locked, read_only
from small_disks import fill
from soak_world import LOADED, MORNING, PATIENCE, SUPERSEDED, World
from waiting import wait_until

from qbwatch.core.calendar import closed_days
from qbwatch.demo.exports import Dataset, Export, ExportFile, Layout

_LIFE = 3.0  # seconds after a drop within which something dies
_US_CLOSED = closed_days("US", ())
_MODEL = "models/marts/fct_orders.sql"


class Fault(StrEnum):
    """What goes wrong."""

    KILLED = "daemon killed (-9)"
    STOPPED = "daemon stopped and started"
    POWER = "Postgres stopped at once, started again"
    AWAY = "Postgres away for long"
    TERMINATED = "the daemon's sessions terminated"
    READ_ONLY = "Postgres read-only"
    LOCKED = "a table locked by somebody"
    DISK = "the state folder's disk full"
    FOLDER = "the input folder gone"
    DAMAGED = "a damaged export"
    CUT = "an export cut off"
    MISSING = "an export that doesn't come"
    MODEL = "a dbt model broken"
    UNREACHED = "alert service out of order"
    REFUSING = "alert service refuses for good"
    MUTE = "alert service mute"
    CLOCK = "the clock set wrong for a while"


OF_THE_PROCESS = (Fault.KILLED, Fault.STOPPED)
"""After these the daemon is another process, whose memory begins anew."""


def strike(world: World, fault: Fault) -> None:
    """Let it happen, and see it through."""
    world.note(fault.value)
    _FAULTS[fault](world)
    world.settle()
    world.recover()


def _killed(world: World) -> None:
    world.drop_night()
    _wait(world)
    world.lab.installation.kill()
    world.lab.start()


def _stopped(world: World) -> None:
    world.drop_night()
    _wait(world)
    assert world.lab.installation.stop() == 0
    world.lab.start()


def _power(world: World) -> None:
    world.drop_night()
    _wait(world)
    world.lab.restart()


def _terminated(world: World) -> None:
    query = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name IN ('qbwatch', 'qbwatch-intake')"""
    world.drop_night()
    for _ in range(3):
        _wait(world, _LIFE / 3)
        with psycopg.connect(world.lab.url, autocommit=True) as connection:
            connection.execute(query)


def _clock(world: World) -> None:
    wrong = timedelta(hours=world.chance.choice((-3, -1, 1, 2)))
    exports = world.begin_night()
    world.clock.set_off_by(world.offset + wrong)
    for export in exports:
        world.drop(export)
    _wait(world)
    world.clock.set_off_by(world.offset)


@contextmanager
def _gone(world: World) -> Iterator[None]:
    hidden = world.input.with_name("input.gone")
    world.input.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(world.input)


@contextmanager
def _full(world: World) -> Iterator[None]:
    state = world.lab.installation.root / "state"
    fill(state / "filler", state, leave=40_000_000)
    try:
        yield
    finally:
        (state / "filler").unlink()


def _lasting(fault: Callable[[World], object], problem: str, code: str) -> Callable[[World], None]:
    """A fault of the surroundings that is there when the files come, and is told of."""

    def happen(world: World) -> None:
        exports = world.begin_night()
        with fault(world):  # type: ignore[attr-defined]
            if problem != "folder_missing":
                for export in exports:
                    world.drop(export)
            world.problem(problem)
            world.tell(code)
            if problem == "folder_missing":
                for export in exports:
                    world.put(world.give(export), folder=world.input.with_name("input.gone"))

    return happen


def _bad(damage: Callable[[Export], ExportFile], code: str) -> Callable[[World], None]:
    """An export that can't be loaded; the office exports it again under the same name."""

    def happen(world: World) -> None:
        _tell_of_bad(world, damage, code)
        _mend(world)

    return happen


def _tell_of_bad(world: World, damage: Callable[[Export], ExportFile], code: str, told: bool = True) -> None:
    others, export = world.withheld(Dataset.RECEIPTS)
    for each in others:
        world.drop(each)
    world.put(damage(export), SUPERSEDED)
    world.late.append((world.firm.today, export))
    wait_until(lambda: world.lab.installation.status()["quarantined"], PATIENCE, "the file to be set aside")
    if told:
        world.tell(code)


def _mend(world: World) -> None:
    (_, export) = world.late.pop()
    world.put(world.give(export), LOADED)


def _day_first(export: Export) -> ExportFile:
    """The office PC has other regional settings; every date is a 25th, which can't be a month."""
    file = replace(export, layout=Layout(day_first=True)).write()
    return replace(file, content=re.sub(rb"\b\d\d-(\d\d-\d{4})", rb"25-\1", file.content))


def _cut_off(export: Export) -> ExportFile:
    """The writer died in the middle of a quoted cell."""
    file = export.write()
    return replace(file, content=file.content[: len(file.content) * 2 // 3] + b',"half a ce')


def _missing(world: World) -> None:
    """On a day on which one is due; what was exported late in the evening before would count for it."""
    while _US_CLOSED(world.firm.next_day()) or world.firm.is_end_of_quarter():
        world.drop_night()
    others, export = world.withheld(Dataset.INVOICES)
    for each in others:
        world.drop(each)
    world.settle()
    world.go_to(world.firm.today, MORNING)
    world.problem("missing_export")
    world.tell("missing_export")
    world.drop(export)


def _model(world: World) -> None:
    """Whoever mended it has nothing more to do: the next night's data are a reason to try again."""
    path = world.project / _MODEL
    sound = path.read_text("utf-8")
    path.write_text(sound.replace("select", "selec"), "utf-8")
    try:
        world.drop_night()
        world.problem("transform_failed")
        world.tell("transform_failed")
    finally:
        path.write_text(sound, "utf-8")
    world.drop_night()


def _unreached(world: World) -> None:
    """One of two services takes nothing for an hour; the other one tells everything at its time."""
    with _answering(world.hook, 503):
        _tell_of_bad(world, _day_first, _DAY_FIRST, told=False)
        world.tell(_DAY_FIRST, world.mail.mails)
        world.let_pass(timedelta(minutes=30))
    _mend(world)


def _refusing(world: World) -> None:
    with _answering(world.hook, 410):
        _tell_of_bad(world, _day_first, _DAY_FIRST, told=False)
        world.tell(_DAY_FIRST, world.mail.mails)
        world.problem("channel_broken")
        world.tell("channel_broken", world.mail.mails)
    world.let_pass(timedelta(minutes=90))  # it is asked again after an hour
    _mend(world)


def _mute(world: World) -> None:
    """It takes the message and says nothing: the message is sent again under the same key."""
    world.hook.may_answer.clear()
    try:
        _tell_of_bad(world, _day_first, _DAY_FIRST)
        _mend(world)
        world.settle()
    finally:
        world.hook.may_answer.set()
    world.let_pass(timedelta(minutes=30))


@contextmanager
def _answering(hook: Endpoint, code: int) -> Iterator[None]:
    hook.code = code
    try:
        yield
    finally:
        hook.code = 200


def _wait(world: World, at_most: float = _LIFE) -> None:
    moment = world.chance.uniform(0, at_most)
    world.note(f"  {moment:.2f} s after the files came")
    time.sleep(moment)


_CUT, _DAY_FIRST = "unbalanced_quote", "date_order"
_FAULTS: dict[Fault, Callable[[World], None]] = {
    Fault.KILLED: _killed,
    Fault.STOPPED: _stopped,
    Fault.POWER: _power,
    Fault.AWAY: _lasting(lambda world: away(world.lab), "database_down", "database_down"),
    Fault.TERMINATED: _terminated,
    Fault.READ_ONLY: _lasting(lambda world: read_only(world.lab), "database_read_only", "database_down"),
    Fault.LOCKED: _lasting(lambda world: locked(world.lab), "database_locked", "database_down"),
    Fault.DISK: _lasting(_full, "disk_reserve", "disk_reserve"),
    Fault.FOLDER: _lasting(_gone, "folder_missing", "folder_missing"),
    Fault.DAMAGED: _bad(_day_first, _DAY_FIRST),
    Fault.CUT: _bad(_cut_off, _CUT),
    Fault.MISSING: _missing,
    Fault.MODEL: _model,
    Fault.UNREACHED: _unreached,
    Fault.REFUSING: _refusing,
    Fault.MUTE: _mute,
    Fault.CLOCK: _clock,
}
