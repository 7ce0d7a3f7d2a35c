"""What becomes of a settled file? The decision alone: it reads the ledger and writes nothing.

Admission decides by it and then writes; a plan decides by it and stops there, so that it foretells what a run does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from qbwatch.core.arrival import Arrival
from qbwatch.core.dates import DateOrder
from qbwatch.core.filename import escaped
from qbwatch.core.holds import HOLDS
from qbwatch.core.hollow import is_hollow
from qbwatch.core.model import AsOfBasis, Failure, FailureClass, ItemState
from qbwatch.core.naming import NameReading, read_file_name
from qbwatch.edges import admissions, decisions
from qbwatch.edges.admissions import SeenFile, Twin, Version
from qbwatch.formats.part import Part
from qbwatch.formats.recognise import EMPLOYEES, Remembered
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.sheets import Outcome, Passed, open_sheets
from qbwatch.formats.table import Opener, OpenWorkbook
from qbwatch.formats.workbook import open_workbook

_BLOCK = 1 << 20
_PLACEHOLDER = "it holds NUL bytes where its content should be: a placeholder of the sync client, or a download cut off"
_DOWNLOAD = "make it available offline in the sync client (in Dropbox: 'Make available offline'), or export it again"


class Fate(StrEnum):
    """What becomes of a file that settled."""

    KNOWN = "known"  # the bytes that its path had before, with other attributes at most
    DUPLICATE = "duplicate"
    QUARANTINE = "quarantine"
    LOAD = "load"
    PASSED = "passed"  # a part alone: a sheet that a rule passes over


@dataclass(frozen=True, slots=True)
class Found:
    """What one part of a file was found to be: a dataset (full name), or why none.

    ``fate`` is the part's own: one sheet may be a question for a person while the others are loaded, and one that is
    passed over by a rule is a `Fate.PASSED`. ``is_all_dates`` and ``printed_at`` are what a report says of itself,
    ``answers`` what a person answered about these bytes before.
    """

    fate: Fate
    sheet: str | None = None
    dataset: str | None = None
    failure: Failure | None = None
    is_all_dates: bool = False
    printed_at: datetime | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A fate, with what it rests on: the file as it was ``seen``, and its parts, at least one unless it is known.

    ``known_id`` is the file version that a known file is; ``is_return`` says that the path went back to bytes which
    were accepted under it before. ``is_new_path`` and ``is_new_content``: the ledger never saw the like.
    """

    fate: Fate
    seen: SeenFile
    parts: tuple[Found, ...] = ()
    known_id: int | None = None
    is_return: bool = False
    is_new_path: bool = False
    is_new_content: bool = False


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


def recognised(
    path: bytes,
    opener: Opener,
    order: DateOrder,
    open_book: OpenWorkbook = open_workbook,
    remembered: Remembered = (),
) -> tuple[Found, ...]:
    """What the parts of a file are by its name and content; a file that nothing can be said of is one part."""
    name = file_name(path)
    if problem := read_file_name(name).problem:
        hint = "rename the file to the exporter's pattern, for example Invoice_04_17_2025_2_00_03.csv"
        failure = Failure(FailureClass.DATA, "date_in_name", problem, hint)
        return (Found(Fate.QUARANTINE, failure=failure),)
    if hollow(name, opener):
        failure = Failure(FailureClass.DATA, "placeholder", _PLACEHOLDER, _DOWNLOAD)
        return (Found(Fate.QUARANTINE, failure=failure),)
    try:
        return tuple(map(_found, open_sheets(opener, name, order, open_book, remembered)))
    except Refusal as refusal:
        is_passed = refusal.failure.code == EMPLOYEES
        return (Found(Fate.PASSED if is_passed else Fate.QUARANTINE, failure=refusal.failure),)


def hollow(name: str, opener: Opener) -> bool:
    """Whether the file's content never came: see `core.hollow`."""
    with opener() as stream:
        return is_hollow(name, iter(partial(stream.read, _BLOCK), b""))


def _found(outcome: Outcome) -> Found:
    sheet = outcome.table.sheet
    if isinstance(outcome, Part):
        facts = outcome.facts
        dataset = outcome.layout.dataset.full_name
        answers = {"renamed": dict(outcome.renamed)} if outcome.renamed else {}
        return Found(Fate.LOAD, sheet, dataset, None, facts.is_all_dates, facts.printed_at, answers)
    return Found(Fate.PASSED if isinstance(outcome, Passed) else Fate.QUARANTINE, sheet, None, outcome.failure)


def judge(
    connection: Connection | None,
    seen: SeenFile,
    recognise: Callable[[], tuple[Found, ...]],
    zone: ZoneInfo,
    is_unheard_of: bool = False,
) -> Verdict:
    """Decide by what the ledger holds, in the caller's transaction; ``recognise`` is asked only of what is new.

    Duplicates are whole files: the same bytes for the same moment. Without a ledger everything is new.
    ``is_unheard_of``: the caller knows that the ledger has met neither the path nor the bytes.
    """
    newest = (
        None if connection is None or is_unheard_of else admissions.newest_version(connection, seen.root, seen.path)
    )
    if newest is not None and _is_same(newest, seen):
        return Verdict(Fate.KNOWN, seen, known_id=newest.file_id)
    parts = recognise()
    seen = dated_by(parts, seen, zone)
    is_new = connection is None or is_unheard_of or not admissions.is_content_known(connection, seen.content_hash)
    twin = None if connection is None or is_new else admissions.twin_of(connection, seen)
    if twin is not None and (not twin.same_path or twin.is_loading):
        return Verdict(Fate.DUPLICATE, seen, _all(parts, duplicate_of(twin.name)), is_return=twin.same_path)
    if connection is not None and twin is None:
        decided = None if is_new else decisions.decided_against(connection, seen.content_hash, seen.as_of)
        if decided is not None:
            return Verdict(Fate.DUPLICATE, seen, _all(parts, decided))
        parts = tuple(_beside_rivals(connection, seen, part) for part in parts)
    parts = tuple(_answered(part, twin) for part in parts)
    is_any_to_load = any(part.fate is Fate.LOAD for part in parts)
    fate = Fate.LOAD if is_any_to_load else Fate.QUARANTINE
    return Verdict(fate, seen, parts, is_return=twin is not None, is_new_path=newest is None, is_new_content=is_new)


def _all(parts: tuple[Found, ...], failure: Failure) -> tuple[Found, ...]:
    return tuple(replace(part, fate=Fate.DUPLICATE, failure=failure) for part in parts)


def _beside_rivals(connection: Connection, seen: SeenFile, part: Found) -> Found:
    """A part whose file says something else than another one of the same moment is a question for a person.

    Two files of one moment are likely only where a name says the moment; mtimes are all different.
    """
    if part.fate is not Fate.LOAD or seen.as_of_basis is not AsOfBasis.NAME:
        return part
    rival = admissions.rival_of(connection, seen, part.dataset)
    return part if rival is None else replace(part, fate=Fate.QUARANTINE, failure=rivals(seen.name, rival))


def _answered(part: Found, twin: Twin | None) -> Found:
    """A part of bytes that came back, with what a person answered about it.

    Where it counts already, no question about it is left.
    """
    if twin is None or (part.sheet or "") not in twin.parts:
        return part
    state, answers = twin.parts[part.sheet or ""]
    if state is ItemState.LOADED:
        answers = {**answers, "accepted": sorted(HOLDS)}
    answers = {**part.answers, **answers}
    part = replace(part, answers=answers)
    if part.failure is None or part.failure.code not in answers.get("accepted", ()):
        return part
    return replace(part, fate=Fate.LOAD, failure=None)


def dated_by(parts: tuple[Found, ...], seen: SeenFile, zone: ZoneInfo) -> SeenFile:
    """The file with the moment that its own text states, where its name states none: the latest of its parts."""
    printed = [part.printed_at for part in parts if part.printed_at is not None]
    if seen.as_of_basis is not AsOfBasis.MTIME or not printed:
        return seen
    aware = [each if each.tzinfo is not None else each.replace(tzinfo=zone) for each in printed]
    return replace(seen, as_of=max(aware), as_of_basis=AsOfBasis.CONTENT)


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
