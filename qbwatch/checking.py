"""What is this file, and what would loading it change? Reads; writes nothing that lasts."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from qbwatch.check_json import UNREAD, counted, place_notes, quarantined, rows_told, stated
from qbwatch.core.accounting import check_rejects
from qbwatch.core.dates import DateOrder
from qbwatch.core.facts import Json, moment
from qbwatch.core.filename import escaped
from qbwatch.core.ignored import ignored_by
from qbwatch.core.model import ItemState, QbwatchError, WorkItem
from qbwatch.core.naming import read_file_name
from qbwatch.edges import admissions, mappings
from qbwatch.edges.digest import digest_of
from qbwatch.edges.folder import open_regular
from qbwatch.edges.key_kinds import check_key_kind
from qbwatch.edges.loader import Loader
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, driver, failure_of
from qbwatch.edges.raw_names import RAW_SCHEMA, raw_table
from qbwatch.edges.rehearsal import questions_raised, rehearse
from qbwatch.edges.vault import Vault
from qbwatch.edges.workbook_reader import WorkbookReader
from qbwatch.formats.part import Part, Unread
from qbwatch.formats.recognise import EMPLOYEES, Remembered
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.sheets import Outcome, Passed, open_sheets
from qbwatch.formats.table import Opener
from qbwatch.formats.tally import Tally, read_whole_documents
from qbwatch.formats.whole import looks_complete

_READABLE = "name a regular file that you may read"


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks files by the rules of a configuration; without an ``engine`` all rows count as to be inserted.

    What lies in ``seed`` is a full export. ``vault`` holds the accepted files, onto which an older one is folded.
    ``raw_schema`` is where the raw tables lie.
    """

    zone: ZoneInfo
    order: DateOrder
    ignore: tuple[str, ...]
    engine: Engine | None
    seed: Path | None = None
    vault: Path | None = None
    raw_schema: str = RAW_SCHEMA

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
        unread = {**UNREAD, "as_of": moment(item.as_of), "full": item.is_full, "complete": is_complete}
        problem = read_file_name(path.name).problem
        return {"version": 1, "name": item.name, "parts": self._parts(item, open_file, unread, problem)}

    def _item(self, path: Path, open_file: Opener) -> WorkItem:
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

    def _parts(self, item: WorkItem, open_file: Opener, unread: Json, problem: str | None) -> list[Json]:
        """What is to be said of each part; of a file that nothing can be said of, one."""
        if rule := ignored_by(item.name, self.ignore):
            hint = "a file of this name is passed over in the input folder"
            return [unread | {"verdict": "ignore", "reason": rule, "hint": hint}]
        try:
            found = open_sheets(open_file, item.name, self.order, WorkbookReader(), self._remembered())
        except Refusal as refusal:
            verdict = {"verdict": "ignore"} if refusal.failure.code == EMPLOYEES else {}
            return [unread | quarantined(refusal.message, refusal.hint) | verdict]
        return [unread | self._told(outcome, item, problem) for outcome in found]

    def _remembered(self) -> Remembered:
        """What a person said of columns that were renamed."""
        if self.engine is None:
            return ()
        try:
            with self.engine.connect() as connection:
                return mappings.remembered(connection)
        except DATABASE_ERRORS as error:
            raise DatabaseUnavailable(failure_of(error)) from error

    def _told(self, outcome: Outcome, item: WorkItem, problem: str | None) -> Json:
        table = outcome.table
        known: Json = {"sheet": table.sheet, "format": table.format, "encoding": table.encoding}
        match outcome:
            case Passed(_, failure):
                return known | {"verdict": "ignore", "reason": failure.reason, "hint": failure.hint or None}
            case Unread(_, failure):
                return known | quarantined(failure.reason, failure.hint)
            case Part():
                as_of, is_full = self._statement(outcome, item)
                item = replace(item, as_of=as_of, is_full=is_full, sheet=table.sheet)
                return (
                    known
                    | {"as_of": moment(as_of), "full": is_full}
                    | self._verdict(outcome.on(as_of.astimezone(self.zone).date()), item, problem)
                )

    def _statement(self, part: Part, item: WorkItem) -> tuple[datetime, bool]:
        """The moment that a part speaks for, and whether it lists everything: a report may say so itself."""
        as_of, printed = item.as_of, part.facts.printed_at
        if printed is not None and read_file_name(item.name).moment is None:
            as_of = printed if printed.tzinfo is not None else printed.replace(tzinfo=self.zone)
        return as_of, item.is_full or part.facts.is_all_dates

    def _verdict(self, part: Part, item: WorkItem, problem: str | None) -> Json:
        days: set[str] = set()
        try:
            tally = read_whole_documents(part.layout, lambda tally: _read(part, tally, days))
        except Refusal as refusal:
            return stated(part) | quarantined(refusal.message, refusal.hint) | refusal.told
        told = stated(part, days) | counted(part, tally, item)
        if problem:
            return told | quarantined(problem, "rename it to the exporter's pattern")
        if failure := check_rejects(tally.read, tally.rejected):
            return told | quarantined(failure.reason, failure.hint)
        return told if self.engine is None else told | self._compared(self.engine, part, tally, item, told["notes"])

    def _loader(self) -> Loader | None:
        return (
            None
            if self.vault is None
            else Loader(Vault(self.vault), self.order, zone=self.zone, raw_schema=self.raw_schema)
        )

    def _compared(self, engine: Engine, part: Part, tally: Tally, item: WorkItem, notes: list[str]) -> Json:
        """What loading it would change in the raw table, and whether it was accepted before."""
        try:
            with engine.connect() as connection:  # left without a commit: all of it is rolled back
                twin = admissions.accepted_as(connection, item.content_hash, item.as_of)
                table = raw_table(part.layout.dataset, self.raw_schema)
                if failure := check_key_kind(driver(connection).cursor(), table, part.layout):
                    return quarantined(failure.reason, failure.hint)
                rehearsed = rehearse(connection, part, item, table, self._loader())
                asked = questions_raised(connection, part, tally, item, rehearsed.rows)
        except DATABASE_ERRORS as error:
            raise DatabaseUnavailable(failure_of(error)) from error
        said: Json = {"rows": rows_told(rehearsed.rows), "notes": [*notes, *place_notes(rehearsed)]}
        if asked:
            said |= quarantined(asked[0].reason, asked[0].hint)
        if twin is not None:
            said |= {"verdict": "duplicate", "reason": f"the same bytes for the same moment as {twin}"}
        return said


def _read(part: Part, tally: Tally, days: set[str]) -> None:
    has_days = part.layout.dataset.day is not None
    for reading in part.readings():
        if (record := tally.take(reading)) is not None and has_days:
            days.add(record.key)
