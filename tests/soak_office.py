"""Faults of the soak that come from the office or its people: bad files, missing ones, a broken model, mute services.

Where the design asks a person, the soak is that person: a damaged file is exported again, a model mended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from alert_services import Endpoint
from soak_fates import LOADED, SUPERSEDED
from soak_world import MORNING, PATIENCE, World
from waiting import wait_until

from qbwatch.core.calendar import closed_days
from qbwatch.demo.exports import Dataset, Export, ExportFile, Layout

CUT, DAY_FIRST = "unbalanced_quote", "date_order"
_US_CLOSED = closed_days("US", ())
_MODEL = "models/marts/fct_orders.sql"


def bad(damage: Callable[[Export], ExportFile], code: str) -> Callable[[World], None]:
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


def day_first(export: Export) -> ExportFile:
    """The office PC has other regional settings; every date is a 25th, which can't be a month."""
    file = replace(export, layout=Layout(day_first=True)).write()
    return replace(file, content=re.sub(rb"\b\d\d-(\d\d-\d{4})", rb"25-\1", file.content))


def cut_off(export: Export) -> ExportFile:
    """The writer died in the middle of a quoted cell."""
    file = export.write()
    return replace(file, content=file.content[: len(file.content) * 2 // 3] + b',"half a ce')


def missing(world: World) -> None:
    """On a day on which one is due; what was exported late in the evening before would count for it.

    Every other time it comes while the clock is ahead, and has come all the same when that is set right.
    """
    while _US_CLOSED(world.firm.next_day()) or world.firm.is_end_of_quarter():
        world.drop_night()
    others, export = world.withheld(Dataset.INVOICES)
    for each in others:
        world.drop(each)
    world.settle()
    world.recover()  # a week at once may have left one open, which this would be a part of
    world.go_to(world.firm.today, MORNING)
    world.problem("missing_export")
    world.tell("missing_export")
    ahead = timedelta(hours=world.told["missing_export"] % 2)
    with world.wrong_clock(ahead):
        world.drop(export)
        world.wait_admitted()


def model(world: World) -> None:
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


def unreached(world: World) -> None:
    """One of two services takes nothing for an hour; the other one tells everything at its time."""
    with _answering(world.hook, 503):
        _tell_of_bad(world, day_first, DAY_FIRST, told=False)
        world.tell(DAY_FIRST, world.mail.mails)
        world.let_pass(timedelta(minutes=30))
    _mend(world)


def refusing(world: World) -> None:
    with _answering(world.hook, 410):
        _tell_of_bad(world, day_first, DAY_FIRST, told=False)
        world.tell(DAY_FIRST, world.mail.mails)
        world.problem("channel_broken")
        world.tell("channel_broken", world.mail.mails)
    world.let_pass(timedelta(minutes=90))  # it is asked again after an hour
    _mend(world)


def mute(world: World) -> None:
    """It takes the message and says nothing: the message is sent again under the same key."""
    world.hook.may_answer.clear()
    try:
        _tell_of_bad(world, day_first, DAY_FIRST)
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
