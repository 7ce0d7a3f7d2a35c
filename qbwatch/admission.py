"""What becomes of a settled file: new work, a duplicate, or a question for a person?

Called by intake once a file is quiet and its bytes are in the vault. Everything that is decided here is written in
one transaction; the pipeline sees it in the work table.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from qbwatch.core.arrival import Admission, Arrival
from qbwatch.core.dates import DateOrder
from qbwatch.core.model import ItemState, QbwatchError
from qbwatch.core.naming import read_file_name
from qbwatch.core.settle import Look
from qbwatch.edges import admissions, decisions, mappings, recovery
from qbwatch.edges.admissions import NewItem, SeenFile
from qbwatch.edges.clock import utc_now
from qbwatch.edges.vault import Kept, Vault
from qbwatch.formats.recognise import Remembered
from qbwatch.formats.table import OpenWorkbook
from qbwatch.formats.whole import looks_complete
from qbwatch.formats.workbook import open_workbook
from qbwatch.log import get_logger
from qbwatch.moments import Moment, passing
from qbwatch.verdict import Fate, Found, Verdict, describe, file_name, hollow, judge, recognised

log = get_logger(__name__)


class KnownFiles:
    """How each file looked when it was last judged, so that a scan needs no database to pass over unchanged files.

    It grows by every name that was ever judged, so a name costs two small objects (some 250 bytes): its path, and a
    line that tells its look from any other.
    """

    def __init__(self) -> None:
        self._looks: dict[str, dict[bytes, str]] = {}

    def recall(self, connection: Connection) -> None:
        """Fill the memory from the ledger."""
        for root, path, version in admissions.known_paths(connection):
            look = Look(version.size_bytes, version.mtime_ns, version.inode, version.device)
            self._note(root, path, look)

    def remember(self, arrival: Arrival) -> None:
        """A file was judged as it looked."""
        self._note(arrival.root, arrival.path, arrival.look)

    def is_known(self, root: str, path: bytes, look: Look) -> bool:
        """Whether this file was judged looking just like this."""
        return self._looks.get(root, {}).get(path) == _line(look)

    def count(self, root: str) -> int:
        """How many files of a root were ever judged."""
        return len(self._looks.get(root, ()))

    def _note(self, root: str, path: bytes, look: Look) -> None:
        self._looks.setdefault(root, {})[path] = _line(look)


def _line(look: Look) -> str:
    """The same for looks that are equal."""
    return f"{look.size} {look.mtime_ns} {look.inode} {look.device}"


@dataclass(frozen=True, slots=True)
class Admitter:
    """Decides about settled files. ``zone`` is the exporting office's, ``order`` its order of day and month;
    ``open_book`` opens workbooks."""

    engine: Engine
    vault: Vault
    zone: ZoneInfo
    order: DateOrder
    known: KnownFiles = field(default_factory=KnownFiles)
    now: Callable[[], datetime] = utc_now
    open_book: OpenWorkbook = open_workbook

    def admit(self, arrival: Arrival) -> Admission:
        """Record a settled file; `Admission.DOUBTED` when it looks unfinished and may be waited for."""
        return self.admit_all((arrival,))[0]

    def admit_all(self, arrivals: Sequence[Arrival]) -> list[Admission]:
        """Record settled files in this order and in one transaction: all that aren't doubted, or (it raises) none."""
        doubted = [not arrival.patience_over and self._looks_unfinished(arrival) for arrival in arrivals]
        admitted = [arrival for arrival, is_doubted in zip(arrivals, doubted, strict=True) if not is_doubted]
        if admitted:
            with self.engine.begin() as connection:
                verdicts = self._enter_all(connection, admitted)
                passing(Moment.RECORDED)
            for arrival, verdict in zip(admitted, verdicts, strict=True):
                self.known.remember(arrival)
                _log(verdict)
        return [Admission.DOUBTED if is_doubted else Admission.ADMITTED for is_doubted in doubted]

    def pick(self, path: Path) -> int:
        """Take in a file that a person named, wherever it lies. Raises `QbwatchError`.

        Returns the id of the file in the ledger that stands for its content: an earlier one, if this is a duplicate.
        """
        absolute = os.fsencode(path.absolute())
        kept = self.vault.take(absolute)
        if not isinstance(kept, Kept):
            raise QbwatchError(f"{path}: {kept.value}", "name a regular file that qbwatch may read")
        at = self.now()
        arrival = Arrival("picked", absolute, kept.look, kept.content_hash, kept.size_bytes, at, at, patience_over=True)
        self.admit(arrival)
        with self.engine.begin() as connection:
            newest = admissions.newest_version(connection, "picked", absolute)
            assert newest is not None
            return admissions.bearer_of(connection, newest.file_id)

    def _enter_all(self, connection: Connection, arrivals: Sequence[Arrival]) -> list[Verdict]:
        """What can be asked once for all of them is: the questions are what a burst spends its time with."""
        known = admissions.known_among(connection, arrivals)
        remembered = mappings.remembered(connection)
        verdicts: list[Verdict] = []
        for arrival in arrivals:
            marks = {arrival.path, arrival.content_hash.encode()}
            verdicts.append(self._enter(connection, arrival, remembered, is_unheard_of=known.isdisjoint(marks)))
            known |= marks
        return verdicts

    def _enter(self, connection: Connection, arrival: Arrival, remembered: Remembered, is_unheard_of: bool) -> Verdict:
        seen = describe(arrival, read_file_name(file_name(arrival.path)), self.zone)
        verdict = judge(connection, seen, lambda: self._recognise(seen, remembered), self.zone, is_unheard_of)
        self._record(connection, verdict)
        if not verdict.is_new_content:
            recovery.release_lost(connection, seen.content_hash, self.now())
        return verdict

    def _looks_unfinished(self, arrival: Arrival) -> bool:
        if hollow(file_name(arrival.path), lambda: self.vault.open(arrival.content_hash)):
            return True
        with self.vault.open(arrival.content_hash) as stream:
            return not looks_complete(stream)

    def _record(self, connection: Connection, verdict: Verdict) -> None:
        seen = verdict.seen
        if verdict.fate is Fate.KNOWN:
            assert verdict.known_id is not None
            admissions.touch(connection, verdict.known_id, seen)
            return
        at, file_id = self.now(), admissions.record_file(connection, seen)
        if not verdict.is_new_path:
            admissions.retire_versions(connection, seen, _overtaken_by(verdict), at)
        for part in verdict.parts:
            is_full = seen.is_full or part.is_all_dates
            item = NewItem(_STATES[part.fate], part.dataset, part.sheet, part.failure, is_full)
            item_id = admissions.add_item(connection, seen, file_id, item, at)
            if part.answers:
                decisions.keep_answers(connection, item_id, part.answers)

    def _recognise(self, seen: SeenFile, remembered: Remembered) -> tuple[Found, ...]:
        return recognised(seen.path, lambda: self.vault.open(seen.content_hash), self.order, self.open_book, remembered)


def _log(verdict: Verdict) -> None:
    seen = verdict.seen
    facts = {"file": seen.name, "verdict": verdict.fate.value, "as_of": seen.as_of.isoformat(), "size": seen.size_bytes}
    if verdict.fate is Fate.KNOWN:
        log.info("recognised", **facts)
    for part in verdict.parts:
        sheet = {} if part.sheet is None else {"sheet": part.sheet}
        log.info("recognised", **(facts | sheet | {"verdict": part.fate.value, "dataset": part.dataset}))


_STATES = {
    Fate.DUPLICATE: ItemState.SKIPPED,
    Fate.PASSED: ItemState.SKIPPED,
    Fate.QUARANTINE: ItemState.QUARANTINED,
    Fate.LOAD: ItemState.PENDING,
}
_WAITING = (ItemState.PENDING, ItemState.RETRYING, ItemState.QUARANTINED)


def _overtaken_by(verdict: Verdict) -> tuple[ItemState, ...]:
    """In which states older versions of the same path and moment count no more, once this verdict is in the ledger.

    A loaded one normally stays until its successor is loaded. Where a path goes back to bytes that it had before, the
    version in between must not win, and the earlier one of the same bytes makes room. A version that can't be loaded
    leaves a good one its chance.
    """
    match verdict.fate:
        case Fate.LOAD if verdict.is_return:
            return (*_WAITING, ItemState.LOADED)
        case Fate.LOAD:
            return _WAITING
        case Fate.DUPLICATE if verdict.is_return:
            return _WAITING
        case Fate.QUARANTINE:
            return (ItemState.QUARANTINED,)
        case _:
            return ()
