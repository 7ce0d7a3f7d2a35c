"""What becomes of a settled file? The decision alone: it reads the ledger and writes nothing.

Admission decides by it and then writes; a plan decides by it and stops there, so that it foretells what a run does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from qbwatch.core.arrival import Arrival
from qbwatch.core.dates import DateOrder
from qbwatch.core.filename import escaped
from qbwatch.core.hollow import is_hollow
from qbwatch.core.model import AsOfBasis, Failure, FailureClass, ItemState
from qbwatch.core.naming import NameReading, read_file_name
from qbwatch.edges import admissions
from qbwatch.edges.admissions import SeenFile, Version
from qbwatch.formats.part import open_part
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Opener

_BLOCK = 1 << 20
_PLACEHOLDER = "it holds NUL bytes where its content should be: a placeholder of the sync client, or a download cut off"
_DOWNLOAD = "make it available offline in the sync client (in Dropbox: 'Make available offline'), or export it again"


class Fate(StrEnum):
    """What becomes of a file that settled."""

    KNOWN = "known"  # the bytes that its path had before, with other attributes at most
    DUPLICATE = "duplicate"
    QUARANTINE = "quarantine"
    LOAD = "load"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A fate, with what it rests on. ``known_id`` is the file version that a known file is; ``is_return`` says that the
    path went back to bytes which were accepted under it before."""

    fate: Fate
    dataset: str | None = None
    failure: Failure | None = None
    known_id: int | None = None
    is_return: bool = False


def file_name(path: bytes) -> str:
    """The last part of a path; bytes that are no UTF-8 survive as surrogates."""
    return path.rsplit(b"/", 1)[-1].decode("utf-8", "surrogateescape")


def describe(arrival: Arrival, reading: NameReading, zone: ZoneInfo) -> SeenFile:
    """A settled file as the ledger keeps it; its ``as_of`` is the name's, in the office's zone, else its mtime's."""
    as_of, basis = reading.as_of(zone), AsOfBasis.NAME
    if as_of is None:
        as_of, basis = _written_at(arrival), AsOfBasis.MTIME
    return SeenFile(
        root=arrival.root,
        path=arrival.path,
        name=escaped(arrival.path),
        size_bytes=arrival.size_bytes,
        mtime_ns=arrival.look.mtime_ns,
        inode=arrival.look.inode,
        device=arrival.look.device,
        content_hash=arrival.content_hash,
        as_of=as_of,
        as_of_basis=basis,
        is_full=reading.is_full or arrival.root == "seed",
        first_seen_at=arrival.first_seen_at,
        settled_at=arrival.settled_at,
    )


def _written_at(arrival: Arrival) -> datetime:
    """The mtime, but no moment that hasn't come: a clock that was wrong must not outdo all later exports for years."""
    try:
        written_at = datetime.fromtimestamp(arrival.look.mtime_ns / 1e9, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return arrival.settled_at
    return min(written_at, arrival.settled_at)


def recognised(path: bytes, opener: Opener, order: DateOrder) -> str | Failure:
    """The dataset (full name) that a file's name and header point to, or why there is none."""
    name = file_name(path)
    if problem := read_file_name(name).problem:
        hint = "rename the file to the exporter's pattern, for example Invoice_04_17_2025_2_00_03.csv"
        return Failure(FailureClass.DATA, "date_in_name", problem, hint)
    if hollow(name, opener):
        return Failure(FailureClass.DATA, "placeholder", _PLACEHOLDER, _DOWNLOAD)
    try:
        return open_part(opener, name, order).layout.dataset.full_name
    except Refusal as refusal:
        return refusal.failure


def hollow(name: str, opener: Opener) -> bool:
    """Whether the file's content never came: see `core.hollow`."""
    with opener() as stream:
        return is_hollow(name, iter(partial(stream.read, _BLOCK), b""))


def judge(connection: Connection, seen: SeenFile, recognise: Callable[[], str | Failure]) -> Verdict:
    """Decide by what the ledger holds, in the caller's transaction; ``recognise`` is asked only of what is new."""
    newest = admissions.newest_version(connection, seen.root, seen.path)
    if newest is not None and _is_same(newest, seen):
        return Verdict(Fate.KNOWN, known_id=newest.file_id)
    found = recognise()
    dataset = found if isinstance(found, str) else None
    twin = admissions.twin_of(connection, seen)
    if twin is not None and (not twin.same_path or twin.state is ItemState.LOADING):
        return Verdict(Fate.DUPLICATE, dataset, duplicate_of(twin.name), is_return=twin.same_path)
    if isinstance(found, Failure):
        return Verdict(Fate.QUARANTINE, None, found)
    # Two files of one moment are likely only where a name says the moment; mtimes are all different.
    rival = admissions.rival_of(connection, seen, dataset) if seen.as_of_basis is AsOfBasis.NAME else None
    if rival is not None:
        return Verdict(Fate.QUARANTINE, dataset, rivals(seen.name, rival))
    return Verdict(Fate.LOAD, dataset, is_return=twin is not None)


def duplicate_of(name: str) -> Failure:
    """Why a duplicate is skipped."""
    return Failure(FailureClass.DATA, "duplicate", f"the same bytes for the same moment as {name}")


def rivals(name: str, other: str) -> Failure:
    """Why one of two statements of the same moment waits for a person."""
    reason = f"{name} and {other} are copies under one name, speak for the same moment, and differ"
    return Failure(FailureClass.DATA, "rival_copy", reason, "compare the two, and delete the one that is wrong")


def _is_same(newest: Version, seen: SeenFile) -> bool:
    """The same bytes as this path's newest version. A newer mtime alone is no new statement: a touch moves it too."""
    if newest.content_hash != seen.content_hash:
        return False
    return newest.as_of == seen.as_of or seen.as_of_basis is AsOfBasis.MTIME
