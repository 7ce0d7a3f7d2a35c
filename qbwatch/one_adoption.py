"""The way over from an old pipeline: which of the files that it loaded needn't be loaded again?

Without a daemon the folders are taken in first, as a run does, and nothing is loaded; with one, the ledger is as it is.
Which parts are passed over, and why so few, `core.adoption` says. A rehearsal writes nothing at all: files that the
ledger doesn't know yet are foreseen as `qbwatch plan` does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from sqlalchemy import Connection

from qbwatch import assembly
from qbwatch.adopting import DOCUMENTS, OldState, known_of, names_of, told
from qbwatch.config import Config
from qbwatch.core.adoption import decide
from qbwatch.core.facts import Json
from qbwatch.database import reachable
from qbwatch.edges import adoptions
from qbwatch.edges.clock import utc_now
from qbwatch.edges.control_client import ControlUnreachable, Unreachable, call
from qbwatch.edges.mart_tables import marts_to_replace
from qbwatch.edges.migrate import migrate
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, failure_of
from qbwatch.edges.shipped import shipped
from qbwatch.edges.tables import foreign_tables
from qbwatch.one_run import lock_alone, stop_signal, take_in
from qbwatch.planning import new_files, read_only, with_ledger
from qbwatch.verdict import Fate

Say = Callable[[str], None]


def adopt(config: Config, old: OldState, warn: Say) -> Json:
    """Pass over what needn't be loaded; the answer as JSON. Raises `QbwatchError`."""
    is_alone = not _is_daemon_up(config)
    with stop_signal() as stop, reachable(config) as url:
        try:
            if is_alone:
                migrate(url, config.database.raw_schema)
            parts = assembly.assemble(config, url, stop.is_set, lambda _: None)
            with closing(parts.dbt), parts.engine.connect() as connection:
                return _adopt(connection, parts, old, stop, warn if is_alone else None)
        except DATABASE_ERRORS as error:
            raise DatabaseUnavailable(failure_of(error)) from error


def foresee_adoption(config: Config, old: OldState) -> Json:
    """What `adopt` would answer, and what stands in the way of a first run; writes nothing. Raises `QbwatchError`."""
    with read_only(config) as database:
        names, found_in = names_of(database, old)
        ledger = with_ledger(database)
        coming = [(each.item, each.verdict == Fate.LOAD) for each in new_files(ledger, config)]
        known = known_of(ledger, names, found_in, coming)
        said = told(known, decide(known.items, names, DOCUMENTS), config.quickbooks.timezone)
        return said | {"dry_run": True} | _in_the_way(database, config)


def _adopt(
    connection: Connection, parts: assembly.Parts, old: OldState, stop: threading.Event, warn: Say | None
) -> Json:
    """With ``warn`` there is no daemon, which would take in the files."""
    config = parts.config
    with connection.begin():
        names, found_in = names_of(connection, old)
    if warn is not None:
        lock_alone(connection)
        assembly.recall(parts, connection)
        take_in(parts, stop, warn)
    with connection.begin():
        known = known_of(connection, names, found_in)
        decided = decide(known.items, names, DOCUMENTS)
        adoptions.mark_adopted(connection, [each.item.id for each in decided if each.covered_by], utc_now())
        said = told(known, decided, config.quickbooks.timezone)
        return said | {"dry_run": False} | _in_the_way(connection, config)


def _in_the_way(connection: Connection | None, config: Config) -> Json:
    """What the old pipeline made under the names of ours."""
    if connection is None:
        return {"foreign_tables": [], "marts_to_replace": []}
    schema, project = config.database.raw_schema, config.transform.project or shipped("dbt")
    return {
        "foreign_tables": [f"{schema}.{name}" for name in foreign_tables(connection, schema)],
        "marts_to_replace": marts_to_replace(connection, config.transform.target_schema, project),
    }


def _is_daemon_up(config: Config) -> bool:
    try:
        call(config.control.socket, "ping", timeout=5.0)
    except ControlUnreachable as unreachable:
        if unreachable.kind in (Unreachable.TIMED_OUT, Unreachable.BROKEN):
            raise  # it is there: to work beside it would be none of ours
        return False
    return True
