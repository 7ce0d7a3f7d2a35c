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
from qbwatch.core.ignored import ignored_by
from qbwatch.core.model import ItemState, QbwatchError, RowCounts, WorkItem
from qbwatch.core.naming import read_file_name
from qbwatch.core.status import Json, moment
from qbwatch.edges import admissions
from qbwatch.edges.digest import digest_of
from qbwatch.edges.folder import open_regular
from qbwatch.edges.rehearsal import rehearse
from qbwatch.formats.part import Part, open_part
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.tally import Tally, notes_of, read_whole_documents
from qbwatch.formats.text import looks_complete


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks files by the rules of a configuration; without an ``engine`` all rows count as to be inserted."""

    zone: ZoneInfo
    order: DateOrder
    ignore: tuple[str, ...]
    engine: Engine | None

    def check(self, path: Path) -> Json:
        """The answer to ``check FILE --json``. Raises `QbwatchError` when the file can't be read."""
        name = path.name

        def open_file() -> BinaryIO:
            return os.fdopen(open_regular(os.fsencode(path.absolute())), "rb")

        try:
            content_hash = digest_of(open_file)
            with open_file() as stream:
                is_complete = looks_complete(stream)
        except OSError as error:
            raise QbwatchError(f"{path}: {error.strerror}", "name a regular file that you may read") from None
        reading = read_file_name(name)
        mtime = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        item = WorkItem(
            id=0,
            file_id=0,
            dataset=None,
            sheet=None,
            content_hash=content_hash,
            size_bytes=path.stat().st_size,
            name=name,
            as_of=reading.as_of(self.zone) or mtime,
            is_full=reading.is_full,
            state=ItemState.PENDING,
            attempt=0,
            first_seen_at=mtime,
        )
        part = {**_UNREAD, "as_of": moment(item.as_of), "full": item.is_full, "complete": is_complete}
        part |= self._verdict(item, open_file, reading.problem)
        return {"version": 1, "name": name, "parts": [part]}

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
            return {"verdict": "quarantine", "reason": refusal.message, "hint": refusal.hint}
        told = _told(part, tally, item)
        if problem:
            return told | {"verdict": "quarantine", "reason": problem, "hint": "rename it to the exporter's pattern"}
        if failure := check_rejects(tally.read, tally.rejected):
            return told | {"verdict": "quarantine", "reason": failure.reason, "hint": failure.hint}
        if self.engine is None:
            return told
        with self.engine.connect() as connection, connection.begin():
            twin = admissions.accepted_as(connection, item.content_hash, item.as_of)
            rows = rehearse(connection, part, tally, item)
        told["rows"] = _rows(rows)
        if twin is not None:
            told |= {"verdict": "duplicate", "reason": f"the same bytes for the same moment as {twin}"}
        return told


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
        "format": "csv",
        "encoding": part.encoding,
        "rows": _rows(rows),
        "row_classes": {"header": 1, "detail": tally.read - tally.structural, "blank": tally.structural},
        "sums": {name: str(total) for name, total in tally.sums.items()},
        "drift": {"new": list(part.layout.new), "lost": list(part.layout.lost), "renamed": {}},
        "rejects": [
            {"line": each.line, "column": each.column, "text": each.text, "reason": each.reason}
            for each in tally.rejects
        ],
        "notes": list(notes_of(part.layout, part.encoding, tally, is_full=item.is_full)),
    }


def _rows(rows: RowCounts) -> dict[str, int]:
    names = ("read", "structural", "inserted", "updated", "unchanged", "removed", "rejected")
    return {name: getattr(rows, name) for name in names}
