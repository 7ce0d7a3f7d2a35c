"""What becomes of a settled file: new work, a duplicate, or a question for a person?

Called by intake once a file is quiet and its bytes are in the vault. Everything that is decided here is written in
one transaction; the pipeline sees it in the work table.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from qbwatch.core.arrival import Admission, Arrival
from qbwatch.core.dates import DateOrder
from qbwatch.core.filename import escaped
from qbwatch.core.model import AsOfBasis, Failure, FailureClass, ItemState, QbwatchError
from qbwatch.core.naming import NameReading, read_file_name
from qbwatch.core.settle import Look
from qbwatch.datasets import Dataset
from qbwatch.edges import admissions
from qbwatch.edges.admissions import SeenFile, Version
from qbwatch.edges.clock import utc_now
from qbwatch.edges.vault import Kept, Vault
from qbwatch.formats.part import open_part
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.text import looks_complete
from qbwatch.log import get_logger

log = get_logger(__name__)


class KnownFiles:
    """How each file looked when it was last judged, so that a scan needs no database to pass over unchanged files."""

    def __init__(self) -> None:
        self._looks: dict[tuple[str, bytes], Look] = {}

    def recall(self, connection: Connection) -> None:
        """Fill the memory from the ledger."""
        for root, path, version in admissions.known_paths(connection):
            look = Look(version.size_bytes, version.mtime_ns, version.inode, version.device)
            self._looks[root, path] = look

    def remember(self, arrival: Arrival) -> None:
        """A file was judged as it looked."""
        self._looks[arrival.root, arrival.path] = arrival.look

    def is_known(self, root: str, path: bytes, look: Look) -> bool:
        """Whether this file was judged looking just like this."""
        return self._looks.get((root, path)) == look


@dataclass(frozen=True, slots=True)
class Admitter:
    """Decides about settled files. ``zone`` is the exporting office's, ``order`` its order of day and month."""

    engine: Engine
    vault: Vault
    zone: ZoneInfo
    order: DateOrder
    known: KnownFiles = field(default_factory=KnownFiles)
    now: Callable[[], datetime] = utc_now

    def admit(self, arrival: Arrival) -> Admission:
        """Record a settled file; `Admission.DOUBTED` when it looks unfinished and may be waited for."""
        if not arrival.patience_over and self._looks_unfinished(arrival):
            return Admission.DOUBTED
        reading = read_file_name(_file_name(arrival.path))
        seen = self._describe(arrival, reading)
        with self.engine.begin() as connection:
            newest = admissions.newest_version(connection, seen.root, seen.path)
            if newest is not None and _is_same(newest, seen):
                admissions.touch(connection, newest.file_id, seen)
                verdict = "duplicate"
            else:
                verdict = self._record(connection, seen, reading)
        self.known.remember(arrival)
        log.info("recognised", file=seen.name, verdict=verdict, as_of=seen.as_of.isoformat(), size=seen.size_bytes)
        return Admission.ADMITTED

    def pick(self, path: Path) -> int:
        """Take in a file that a person named, wherever it lies; returns its id in the ledger. Raises `QbwatchError`."""
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
        return newest.file_id

    def _looks_unfinished(self, arrival: Arrival) -> bool:
        if not arrival.path.lower().endswith((b".csv", b".txt", b".tsv", b".iif")):
            return False
        with self.vault.open(arrival.content_hash) as stream:
            return not looks_complete(stream)

    def _describe(self, arrival: Arrival, reading: NameReading) -> SeenFile:
        as_of, basis = reading.as_of(self.zone), AsOfBasis.NAME
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

    def _record(self, connection: Connection, seen: SeenFile, reading: NameReading) -> str:
        at = self.now()
        found = self._recognise(seen, reading)
        file_id = admissions.record_file(connection, seen)
        twin = admissions.twin_of(connection, seen)
        if twin is not None and not twin[1]:
            failure = Failure(FailureClass.DATA, "duplicate", f"the same bytes for the same moment as {twin[0]}")
            dataset = found.full_name if isinstance(found, Dataset) else None
            admissions.add_item(connection, seen, file_id, dataset, state=ItemState.SKIPPED, failure=failure, at=at)
            return "duplicate"
        if isinstance(found, Failure):
            if twin is not None:
                admissions.retire_waiting_versions(connection, seen, even_loaded=False, at=at)
            admissions.add_item(connection, seen, file_id, None, state=ItemState.QUARANTINED, failure=found, at=at)
            return "quarantined"
        # The same path going back to bytes it had before: the version in between must not win.
        admissions.retire_waiting_versions(connection, seen, even_loaded=twin is not None, at=at)
        admissions.add_item(connection, seen, file_id, found.full_name, state=ItemState.PENDING, at=at)
        return found.full_name

    def _recognise(self, seen: SeenFile, reading: NameReading) -> Dataset | Failure:
        if reading.problem:
            hint = "rename the file to the exporter's pattern, for example Invoice_04_17_2025_2_00_03.csv"
            return Failure(FailureClass.DATA, "date_in_name", reading.problem, hint)
        try:
            opened = open_part(lambda: self.vault.open(seen.content_hash), _file_name(seen.path), self.order)
        except Refusal as refusal:
            return refusal.failure
        return opened.layout.dataset


def _file_name(path: bytes) -> str:
    return path.rsplit(b"/", 1)[-1].decode("utf-8", "surrogateescape")


def _is_same(newest: Version, seen: SeenFile) -> bool:
    """The same bytes as this path's newest version. A newer mtime alone is no new statement: a touch moves it too."""
    if newest.content_hash != seen.content_hash:
        return False
    return newest.as_of == seen.as_of or seen.as_of_basis is AsOfBasis.MTIME
