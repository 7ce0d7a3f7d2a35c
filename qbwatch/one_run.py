"""One run without a daemon: take in what lies in the folders, do what there is to do, stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection

from qbwatch import assembly
from qbwatch.config import Config
from qbwatch.core.model import Mode, QbwatchError
from qbwatch.core.status import Json
from qbwatch.database import database_url, embedded_of
from qbwatch.edges import runs, store
from qbwatch.edges.clock import utc_now
from qbwatch.edges.migrate import migrate
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, failure_of, lock_holder, try_lock
from qbwatch.pipeline import Scope, Step
from qbwatch.run_json import outcome_json

_SETTLE_WITHIN = timedelta(minutes=2)


def run_by_itself(
    config: Config, force: str | None, dataset: str | None, files: Sequence[str], tell: Callable[[str], None]
) -> Json:
    """The outcome as JSON. ``tell`` gets a line of progress now and then. Raises `QbwatchError`."""
    url = database_url(config, start=True)
    assert url is not None
    try:
        migrate(url)
        return _run(config, url, Mode(force) if force else None, Scope(dataset, asked=True), files, tell)
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(failure_of(error)) from error
    finally:
        if config.database.is_embedded:
            embedded_of(config).stop()


def _run(
    config: Config, url: str, force: Mode | None, scope: Scope, files: Sequence[str], tell: Callable[[str], None]
) -> Json:
    parts = assembly.assemble(config, url, lambda: False, lambda step: tell(_line(step)))
    with parts.engine.connect() as connection:
        _lock(connection)
        assembly.recall(parts, connection)
        if files:
            picked = frozenset(parts.admitter.pick(Path(file)) for file in files)
            scope = replace(scope, file_ids=picked)
        else:
            _take_in(parts, tell)
        plan = parts.pipeline.plan(connection, force, scope)
        return outcome_json(None if plan is None else parts.pipeline.run(connection, plan))


def _lock(connection: Connection) -> None:
    if not try_lock(connection):
        raise QbwatchError(
            f"another qbwatch works on this database (backend {lock_holder(connection)}) and can't be asked",
            "is [control] socket the same in its configuration? Else wait until it has finished",
        )
    with connection.begin():
        store.recover(connection, utc_now(), count_crash=True)
        runs.abandon_runs(connection, utc_now())


def _take_in(parts: assembly.Parts, tell: Callable[[str], None]) -> None:
    intake = assembly.make_intake(parts, threading.Event(), lambda: None, lambda: None)
    state = intake.settle_now(_SETTLE_WITHIN)
    for problem in state.problems:
        tell(f"{problem.summary} ({problem.hint})")
    if state.settling:
        tell(f"{len(state.settling)} files are still being written; they come with the next run")


def _line(step: Step) -> str:
    if step.step == "load":
        return f"[{step.done + 1}/{step.total}] loading {step.file} into {step.dataset}"
    return "transforming with dbt" if step.step == "transform" else f"run {step.run_id} ended"
