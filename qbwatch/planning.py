"""What would a run do? Looks at the folders and the ledger, and writes nothing.

It decides about files by the same rule as admission, and makes the plan as the pipeline does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, text

from qbwatch.admission import KnownFiles
from qbwatch.config import Config
from qbwatch.core.arrival import Arrival
from qbwatch.core.dates import DateOrder
from qbwatch.core.facts import Json, moment
from qbwatch.core.ignored import ignored_by
from qbwatch.core.model import ItemState, Mode, WorkItem
from qbwatch.core.naming import read_file_name
from qbwatch.core.plan import Facts, load_order
from qbwatch.database import is_new, reachable
from qbwatch.datasets import datasets
from qbwatch.edges import admissions, mappings
from qbwatch.edges.admissions import SeenFile
from qbwatch.edges.clock import utc_now
from qbwatch.edges.digest import digest_of
from qbwatch.edges.folder import File, Passed, open_regular, scan
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, engine_for, failure_of
from qbwatch.edges.workbook_reader import WorkbookReader
from qbwatch.pipeline import Scope, facts_for, plan_for
from qbwatch.verdict import Fate, Found, Verdict, describe, duplicate_of, file_name, judge, recognised


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A part of a file and what would become of it: ``load``, ``duplicate``, ``quarantine``, ``passed`` (over by a
    rule), or ``wait`` (can't be read now).

    ``overtakes`` are older versions in the ledger, by file id, that would no longer be loaded.
    """

    item: WorkItem
    verdict: str
    reason: str | None = None
    overtakes: frozenset[int] = frozenset()


def foresee(config: Config, force: str | None, dataset: str | None) -> Json:
    """The plan of the next run as JSON: mode, why, files in the order of loading, and owed dbt work."""
    scope = Scope(dataset, asked=True)
    with read_only(config) as database:
        connection = with_ledger(database)
        new = list(new_files(connection, config))
        facts = Facts(False, [], []) if connection is None else facts_for(connection, scope, utc_now())
    overtaken = frozenset[int]().union(*(each.overtakes for each in new))
    waiting = [Foreseen(item, "load") for item in facts.due if item.file_id not in overtaken]
    files = [*waiting, *(each for each in new if scope.holds(each.item))]
    due = [each.item for each in files if each.verdict == Fate.LOAD]
    refused = [*facts.refused, *(each.item for each in files if each.verdict == Fate.QUARANTINE)]
    known = replace(facts, due=due, refused=refused)
    plan = plan_for(known, scope, Mode(force) if force else None)
    ranks = {name: known.rank for name, known in datasets().items()}
    files.sort(key=lambda each: load_order(each.item, ranks))
    return {
        "mode": plan.mode.value if plan else None,
        "why": plan.why if plan else "all is current",
        "files": [_file_json(each) for each in files],
        "owed": list(facts.owed),
    }


@contextmanager
def read_only(config: Config) -> Iterator[Connection | None]:
    """A transaction that can't write; None where the private Postgres was never made. Raises `DatabaseUnavailable`."""
    if is_new(config):
        yield None
        return
    try:
        with (
            reachable(config) as url,
            engine_for(url, name="qbwatch-plan").connect() as connection,
            connection.begin(),
        ):
            connection.execute(text("SET TRANSACTION READ ONLY"))
            yield connection
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(failure_of(error)) from error


def with_ledger(connection: Connection | None) -> Connection | None:
    """The connection, if there is a ledger behind it."""
    if connection is None or connection.scalar(text("SELECT to_regclass('qbwatch.work_items')")) is None:
        return None
    return connection


def _file_json(each: Foreseen) -> Json:
    return {
        "name": each.item.name,
        "sheet": each.item.sheet,
        "dataset": each.item.dataset,
        "as_of": moment(each.item.as_of),
        "full": each.item.is_full,
        "state": each.item.state.value,
        "verdict": each.verdict,
        "reason": each.reason,
    }


def new_files(connection: Connection | None, config: Config) -> Iterator[Foreseen]:
    """The parts of all files that lie in the folders and aren't in the ledger as they look, with what they'd become."""
    known = KnownFiles()
    if connection is not None:
        known.recall(connection)
    accepted: dict[tuple[str, datetime], str] = {}
    for root, directory in (("seed", config.input.seed_directory), ("input", config.input.directory)):
        if directory is None or not directory.is_dir():
            continue
        for found in _exports(directory, config.input.ignore):
            if known.is_known(root, found.path, found.look):
                continue
            for foreseen in _foreseen(connection, config, _Lying(root, directory, found)):
                yield _told_apart(foreseen, accepted)


def _exports(directory: Path, ignore: Sequence[str]) -> Iterator[File]:
    for found in scan(directory, ignore):
        if isinstance(found, File) and ignored_by(os.fsdecode(found.path), ignore) is None:
            yield found


def passed_over(directory: Path, ignore: Sequence[str]) -> Iterator[tuple[bytes, str]]:
    """Files below a folder that a rule keeps out, with the rule's name."""
    for found in scan(directory, ignore):
        if isinstance(found, Passed):
            yield found.path, found.rule
        elif isinstance(found, File) and (rule := ignored_by(os.fsdecode(found.path), ignore)):
            yield found.path, rule


@dataclass(frozen=True, slots=True)
class _Lying:
    """A file that lies in a folder and isn't in the ledger as it looks."""

    root: str
    directory: Path
    file: File

    def open(self) -> BinaryIO:
        """Its bytes, from the folder. Raises `OSError`."""
        return os.fdopen(open_regular(self.file.path, self.directory), "rb")

    def described(self, config: Config, content_hash: str) -> SeenFile:
        """It as it would settle now."""
        at, look = utc_now(), self.file.look
        arrival = Arrival(self.root, self.file.path, look, content_hash, look.size, at, at)
        return describe(arrival, read_file_name(file_name(self.file.path)), config.quickbooks.timezone)


def _foreseen(connection: Connection | None, config: Config, lying: _Lying) -> list[Foreseen]:
    """What would become of the parts of a file; nothing for one that would only be touched."""
    try:
        seen = lying.described(config, digest_of(lying.open))
        verdict = _verdict(connection, config, lying, seen)
    except OSError as error:
        unread = lying.described(config, "")
        return [Foreseen(_item_of(unread, Found(Fate.QUARANTINE)), "wait", f"can't be read: {error.strerror}")]
    overtakes: frozenset[int] = frozenset()
    if connection is not None and verdict.fate is Fate.LOAD:
        overtakes = frozenset(admissions.versions_at(connection, verdict.seen))
    return [
        Foreseen(
            _item_of(verdict.seen, part), part.fate.value, part.failure.reason if part.failure else None, overtakes
        )
        for part in verdict.parts
    ]


def _verdict(connection: Connection | None, config: Config, lying: _Lying, seen: SeenFile) -> Verdict:
    def recognise() -> tuple[Found, ...]:
        remembered = mappings.remembered(connection) if connection is not None else ()
        order = DateOrder(config.quickbooks.date_order)
        return recognised(seen.path, lying.open, order, WorkbookReader(), remembered)

    return judge(connection, seen, recognise, config.quickbooks.timezone)


def _told_apart(foreseen: Foreseen, accepted: dict[tuple[str, datetime], str]) -> Foreseen:
    """Of two new files with the same bytes for the same moment, the second is a duplicate."""
    if foreseen.verdict not in (Fate.LOAD, Fate.QUARANTINE):
        return foreseen
    item = foreseen.item
    first = accepted.setdefault((item.content_hash, item.as_of), item.name)
    return foreseen if first == item.name else Foreseen(item, Fate.DUPLICATE.value, duplicate_of(first).reason)


def _item_of(seen: SeenFile, part: Found) -> WorkItem:
    return WorkItem(
        id=0,
        file_id=0,
        dataset=part.dataset,
        sheet=part.sheet,
        content_hash=seen.content_hash,
        size_bytes=seen.size_bytes,
        name=seen.name,
        as_of=seen.as_of,
        is_full=seen.is_full or part.is_all_dates,
        state=ItemState.PENDING,
        attempt=0,
        first_seen_at=seen.first_seen_at,
    )
