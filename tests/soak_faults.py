"""The faults of the soak. Each takes one night or more, and leaves a world in which all is well again by itself.

Where the design asks a person, the soak is that person: the office exports a damaged file again, somebody mends a
model, and the service manager starts what was killed.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import soak_office as office
import soak_surroundings as surroundings
from outages import away, locked, read_only
from soak_surroundings import lasting
from soak_world import World


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


_FAULTS: dict[Fault, Callable[[World], None]] = {
    Fault.KILLED: surroundings.killed,
    Fault.STOPPED: surroundings.stopped,
    Fault.POWER: surroundings.power,
    Fault.AWAY: lasting(lambda world: away(world.lab), "database_down", "database_down"),
    Fault.TERMINATED: surroundings.terminated,
    Fault.READ_ONLY: lasting(lambda world: read_only(world.lab), "database_read_only", "database_down"),
    Fault.LOCKED: lasting(lambda world: locked(world.lab), "database_locked", "database_down"),
    Fault.DISK: lasting(surroundings.full, "disk_reserve", "disk_reserve"),
    Fault.FOLDER: lasting(surroundings.gone, "folder_missing", "folder_missing"),
    Fault.DAMAGED: office.bad(office.day_first, office.DAY_FIRST),
    Fault.CUT: office.bad(office.cut_off, office.CUT),
    Fault.MISSING: office.missing,
    Fault.MODEL: office.model,
    Fault.UNREACHED: office.unreached,
    Fault.REFUSING: office.refusing,
    Fault.MUTE: office.mute,
    Fault.CLOCK: surroundings.clock,
}
