"""What becomes of a settled file? The decision alone: it reads the ledger and writes nothing.

Admission decides by it and then writes; a plan decides by it and stops there, so that it foretells what a run does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from qbwatch.core.arrival import Arrival
from qbwatch.core.dates import DateOrder
from qbwatch.core.filename import escaped
from qbwatch.core.holds import HOLDS
from qbwatch.core.model import AsOfBasis, Failure, FailureClass, ItemState
from qbwatch.core.naming import NameReading, read_file_name
from qbwatch.edges import admissions, decisions
from qbwatch.edges.admissions import SeenFile, Twin, Version
from qbwatch.formats.part import open_part
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Opener


class Fate(StrEnum):
    """What becomes of a file that settled."""

    KNOWN = "known"  # the bytes that its path had before, with other attributes at most
    DUPLICATE = "duplicate"
    QUARANTINE = "quarantine"
    LOAD = "load"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A fate, with what it rests on. ``known_id`` is the file version that a known file is; ``is_return`` says that the
    path went back to bytes which were accepted under it before; ``answers`` are what a person
    answered about these."""

    fate: Fate
    dataset: str | None = None
    failure: Failure | None = None
    known_id: int | None = None
    is_return: bool = False
    answers: Mapping[str, Any] = field(default_factory=dict)


def file_name(path: bytes) -> str:
    """The last part of a path; bytes that are no UTF-8 survive as surrogates."""
    return path.rsplit(b"/", 1)[-1].decode("utf-8", "surrogateescape")


def describe(arrival: Arrival, reading: NameReading, zone: ZoneInfo) -> SeenFile:
    """A settled file as the ledger keeps it; its ``as_of`` is the name's, in the office's zone, else its mtime."""
    as_of, basis = reading.as_of(zone), AsOfBasis.NAME
    if as_of is None:
        as_of, basis = datetime.fromtimestamp(arrival.look.mtime_ns / 1e9, tz=UTC), AsOfBasis.MTIME
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


def recognised(path: bytes, opener: Opener, order: DateOrder) -> str | Failure:
    """The dataset (full name) that a file's name and header point to, or why there is none."""
    name = file_name(path)
    if problem := read_file_name(name).problem:
        hint = "rename the file to the exporter's pattern, for example Invoice_04_17_2025_2_00_03.csv"
        return Failure(FailureClass.DATA, "date_in_name", problem, hint)
    try:
        return open_part(opener, name, order).layout.dataset.full_name
    except Refusal as refusal:
        return refusal.failure


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
    if twin is None and (decided := decisions.decided_against(connection, seen.content_hash, seen.as_of)) is not None:
        return Verdict(Fate.DUPLICATE, dataset, decided)
    answers = _answers_kept(twin)
    if isinstance(found, Failure) and found.code not in answers.get("accepted", ()):
        return Verdict(Fate.QUARANTINE, None, found)
    return Verdict(Fate.LOAD, dataset, is_return=twin is not None, answers=answers)


def _answers_kept(twin: Twin | None) -> Mapping[str, Any]:
    """What a person answered about bytes that came back; where these count already, no question about them is left."""
    if twin is None:
        return {}
    accepted = {"accepted": sorted(HOLDS)} if twin.state is ItemState.LOADED else {}
    return {**twin.answers, **accepted}


def duplicate_of(name: str) -> Failure:
    """Why a duplicate is skipped."""
    return Failure(FailureClass.DATA, "duplicate", f"the same bytes for the same moment as {name}")


def _is_same(newest: Version, seen: SeenFile) -> bool:
    """The same bytes as this path's newest version. A newer mtime alone is no new statement: a touch moves it too."""
    if newest.content_hash != seen.content_hash:
        return False
    return newest.as_of == seen.as_of or seen.as_of_basis is AsOfBasis.MTIME
