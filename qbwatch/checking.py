"""What is this file, and what would loading it change? Reads; writes nothing that lasts."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from qbwatch.core.accounting import check_rejects
from qbwatch.core.dates import DateOrder
from qbwatch.core.facts import Json, moment
from qbwatch.core.filename import escaped
from qbwatch.core.ignored import ignored_by
from qbwatch.core.model import ItemState, QbwatchError, RowClass, RowCounts, WorkItem
from qbwatch.core.naming import read_file_name
from qbwatch.edges import admissions
from qbwatch.edges.digest import digest_of
from qbwatch.edges.folder import open_regular
from qbwatch.edges.key_kinds import check_key_kind
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, driver, failure_of
from qbwatch.edges.rehearsal import rehearse
from qbwatch.edges.tables import raw_table
from qbwatch.formats.notes import notes_of, renames_in
from qbwatch.formats.part import Part, open_part
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.tally import Tally, read_whole_documents
from qbwatch.formats.text import looks_complete


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks files by the rules of a configuration; without an ``engine`` all rows count as to be inserted.

    What lies in ``seed`` is a full export.
    """

    zone: ZoneInfo
    order: DateOrder
    ignore: tuple[str, ...]
    engine: Engine | None
    seed: Path | None = None

    def check(self, path: Path) -> Json:
        """The answer to ``check FILE --json``. Raises `QbwatchError` when the file can't be read."""

        def open_file() -> BinaryIO:
            return os.fdopen(open_regular(os.fsencode(path.absolute())), "rb")

        try:
            item = self._item(path, open_file)
            with open_file() as stream:
                is_complete = looks_complete(stream)
        except OSError as error:
            raise QbwatchError(f"{escaped(os.fsencode(path))}: {error.strerror}", _READABLE) from None
        part = {**_UNREAD, "as_of": moment(item.as_of), "full": item.is_full, "complete": is_complete}
        part |= self._verdict(item, open_file, read_file_name(path.name).problem)
        return {"version": 1, "name": item.name, "parts": [part]}

    def _item(self, path: Path, open_file: Callable[[], BinaryIO]) -> WorkItem:
        """The file as a work item that it would become, were it dropped as it lies there. Raises `OSError`."""
        content_hash, reading, seen = digest_of(open_file), read_file_name(path.name), path.stat()
        mtime = datetime.fromtimestamp(seen.st_mtime, tz=UTC)
        in_seed = self.seed is not None and path.absolute().is_relative_to(self.seed)
        return WorkItem(
            id=0,
            file_id=0,
            dataset=None,
            sheet=None,
            content_hash=content_hash,
            size_bytes=seen.st_size,
            name=escaped(os.fsencode(path.name)),
            as_of=reading.as_of(self.zone) or mtime,
            is_full=reading.is_full or in_seed,
            state=ItemState.PENDING,
            attempt=0,
            first_seen_at=mtime,
        )

    def _verdict(self, item: WorkItem, open_file: Callable[[], BinaryIO], problem: str | None) -> Json:
        if rule := ignored_by(item.name, self.ignore):
            return {
                "verdict": "ignore",
                "reason": rule,
                "hint": "a file of this name is passed over in the input folder",
            }
        try:
            part = open_part(open_file, item.name, self.order)
            tally = read_whole_documents(part.layout, lambda tally: _read(part, tally))
        except Refusal as refusal:
            return _quarantine(refusal.message, refusal.hint)
        told = _told(part, tally, item)
        if problem:
            return told | _quarantine(problem, "rename it to the exporter's pattern")
        if failure := check_rejects(tally.read, tally.rejected):
            return told | _quarantine(failure.reason, failure.hint)
        return told if self.engine is None else told | self._compared(self.engine, part, tally, item)

    def _compared(self, engine: Engine, part: Part, tally: Tally, item: WorkItem) -> Json:
        """What loading it would change in the raw table, and whether it was accepted before."""
        try:
            with engine.connect() as connection, connection.begin():
                twin = admissions.accepted_as(connection, item.content_hash, item.as_of)
                dataset = part.layout.dataset
                if failure := check_key_kind(driver(connection).cursor(), raw_table(dataset), part.layout):
                    return _quarantine(failure.reason, failure.hint)
                rows = rehearse(connection, part, tally, item)
        except DATABASE_ERRORS as error:
            raise DatabaseUnavailable(failure_of(error)) from error
        said: Json = {"rows": _rows(rows)}
        if twin is not None:
            said |= {"verdict": "duplicate", "reason": f"the same bytes for the same moment as {twin}"}
        return said


def _quarantine(reason: str, hint: str) -> Json:
    return {"verdict": "quarantine", "reason": reason, "hint": hint}


_READABLE = "name a regular file that you may read"
_UNREAD: Json = {
    "sheet": None,
    "dataset": None,
    "format": None,
    "encoding": None,
    "as_of": None,
    "full": False,
    "period": None,
    "basis": None,
    "rows": None,
    "row_classes": {},
    "sums": {},
    "printed_totals": {"checked": 0, "wrong": 0},
    "drift": {"new": [], "lost": [], "renamed": {}},
    "rejects": [],
    "notes": [],
    "complete": True,
    "verdict": "load",
    "reason": None,
    "hint": None,
}


def _read(part: Part, tally: Tally) -> None:
    for reading in part.readings():
        tally.take(reading)


def _told(part: Part, tally: Tally, item: WorkItem) -> Json:
    rows = RowCounts(read=tally.read, structural=tally.structural, inserted=tally.accepted, rejected=tally.rejected)
    return {
        "dataset": part.layout.dataset.full_name,
        "sheet": part.table.sheet,
        "format": part.table.format,
        "encoding": part.table.encoding,
        "rows": _rows(rows),
        "row_classes": {RowClass.HEADER.value: 1} | {each.value: count for each, count in tally.row_classes.items()},
        "sums": {name: str(total) for name, total in tally.sums.items()},
        "drift": {"new": list(part.layout.new), "lost": list(part.layout.lost), "renamed": renames_in(part.layout)},
        "rejects": [
            {"line": each.line, "column": each.column, "text": each.text, "reason": each.reason}
            for each in tally.rejects
        ],
        "notes": list(notes_of(part.layout, part.table.encoding, tally, is_full=item.is_full)),
    }


def _rows(rows: RowCounts) -> dict[str, int]:
    names = ("read", "structural", "inserted", "updated", "unchanged", "removed", "rejected")
    return {name: getattr(rows, name) for name in names}
