"""What would a run do? Looks at the folders and the ledger, and writes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection
from sqlalchemy.exc import ProgrammingError

from qbwatch.admission import KnownFiles
from qbwatch.config import Config
from qbwatch.core.dates import DateOrder
from qbwatch.core.filename import escaped
from qbwatch.core.ignored import ignored_by
from qbwatch.core.model import ItemState, Mode, WorkItem
from qbwatch.core.naming import read_file_name
from qbwatch.core.plan import Facts, load_order, make_plan
from qbwatch.core.status import Json, moment
from qbwatch.database import database_url, embedded_of
from qbwatch.datasets import datasets
from qbwatch.edges import admissions, runs, store
from qbwatch.edges.clock import utc_now
from qbwatch.edges.digest import digest_of
from qbwatch.edges.folder import File, Passed, open_regular, scan
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, engine_for, failure_of
from qbwatch.formats.part import open_part
from qbwatch.formats.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A file in a folder and what would become of it: ``load``, ``duplicate`` or ``quarantine``."""

    item: WorkItem
    verdict: str
    reason: str | None


def foresee(config: Config, force: str | None, dataset: str | None) -> Json:
    """The plan of the next run as JSON: mode, why, files in the order of loading, and owed dbt work."""
    server = embedded_of(config) if config.database.is_embedded else None
    was_running = server is None or server.url_if_running() is not None
    url = database_url(config, start=True)
    assert url is not None
    try:
        with engine_for(url, name="qbwatch-plan").connect() as connection, connection.begin():
            return _foresee(connection, config, Mode(force) if force else None, dataset)
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(failure_of(error)) from error
    finally:
        if server is not None and not was_running:
            server.stop()


def _foresee(connection: Connection, config: Config, force: Mode | None, dataset: str | None) -> Json:
    facts = _facts(connection)
    new = list(_new_files(connection, config, has_ledger=facts is not None))
    facts = facts or Facts(has_loaded=False, due=[], owed=[])
    waiting = [Foreseen(item, "load", None) for item in facts.due]
    files = [each for each in [*waiting, *new] if dataset in (None, each.item.dataset)]
    ranks = {name: known.rank for name, known in datasets().items()}
    due = [each.item for each in files if each.verdict == "load"]
    owed = [name for name in facts.owed if dataset in (None, name)]
    plan = make_plan(Facts(facts.has_loaded, due, owed), ranks, force)
    files.sort(key=lambda each: load_order(each.item, ranks))
    return {
        "mode": plan.mode.value if plan else None,
        "why": plan.why if plan else "all is current",
        "files": [_file_json(each) for each in files],
        "owed": owed,
    }


def _file_json(each: Foreseen) -> Json:
    return {
        "name": each.item.name,
        "dataset": each.item.dataset,
        "as_of": moment(each.item.as_of),
        "full": each.item.is_full,
        "state": each.item.state.value,
        "verdict": each.verdict,
        "reason": each.reason,
    }


def _facts(connection: Connection) -> Facts | None:
    """What the ledger knows; None when the database has no ledger yet."""
    try:
        with connection.begin_nested():
            owed = sorted({debt.dataset for debt in runs.debts(connection)})
            return Facts(store.has_loaded(connection, "quickbooks"), store.due_items(connection, utc_now()), owed)
    except ProgrammingError:
        return None


def _new_files(connection: Connection, config: Config, *, has_ledger: bool) -> Iterator[Foreseen]:
    known = KnownFiles()
    if has_ledger:
        known.recall(connection)
    seen: dict[tuple[str, datetime], str] = {}
    for root, directory in (("seed", config.input.seed_directory), ("input", config.input.directory)):
        for found in _exports(directory, config.input.ignore):
            if not known.is_known(root, found.path, found.look):
                yield _judge(connection if has_ledger else None, config, root, directory, found, seen)


def _exports(directory: Path | None, ignore: Sequence[str]) -> Iterator[File]:
    if directory is None or not directory.is_dir():
        return
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


def _judge(
    connection: Connection | None,
    config: Config,
    root: str,
    directory: Path | None,
    found: File,
    seen: dict[tuple[str, datetime], str],
) -> Foreseen:
    name = found.path.rsplit(b"/", 1)[-1].decode("utf-8", "surrogateescape")
    reading = read_file_name(name)
    at = datetime.fromtimestamp(found.look.mtime_ns / 1e9, tz=UTC)
    as_of = reading.as_of(config.quickbooks.timezone) or at

    def open_file() -> BinaryIO:
        return os.fdopen(open_regular(found.path, directory), "rb")

    content_hash = digest_of(open_file)
    dataset, verdict, reason = None, "load", None
    try:
        opened = open_part(open_file, name, DateOrder(config.quickbooks.date_order))
        dataset = opened.layout.dataset.full_name
    except Refusal as refusal:
        verdict, reason = "quarantine", refusal.message
    if reading.problem:
        verdict, reason = "quarantine", reading.problem
    twin = seen.get((content_hash, as_of)) or _twin(connection, content_hash, as_of)
    if twin:
        verdict, reason = "duplicate", f"the same bytes for the same moment as {twin}"
    seen.setdefault((content_hash, as_of), escaped(found.path))
    item = WorkItem(
        id=0,
        file_id=0,
        dataset=dataset,
        sheet=None,
        content_hash=content_hash,
        size_bytes=found.look.size,
        name=escaped(found.path),
        as_of=as_of,
        is_full=reading.is_full or root == "seed",
        state=ItemState.PENDING,
        attempt=0,
        first_seen_at=at,
    )
    return Foreseen(item, verdict, reason)


def _twin(connection: Connection | None, content_hash: str, as_of: datetime) -> str | None:
    return None if connection is None else admissions.accepted_as(connection, content_hash, as_of)
