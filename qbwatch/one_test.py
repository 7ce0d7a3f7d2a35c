"""The tests of the data for whoever asks at a shell: the daemon's work, when one is up, between its runs; else done
here under the one-instance lock, since two dbt commands at once would disturb each other."""

from __future__ import annotations

from collections.abc import Sequence

from qbwatch import assembly
from qbwatch.config import Config
from qbwatch.core.facts import Json
from qbwatch.data_tests import run_tests
from qbwatch.database import reachable
from qbwatch.edges.clock import utc_now
from qbwatch.edges.control_client import ControlUnreachable, Unreachable, call
from qbwatch.edges.migrate import migrate
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, failure_of
from qbwatch.one_run import lock_alone, stop_signal

_WITHIN = 3600.0  # seconds that the daemon is waited for


def test_now(config: Config, select: Sequence[str]) -> Json:
    """What the selected tests came to, all of them by default. Raises `QbwatchError`."""
    try:
        return dict(call(config.control.socket, "test", {"select": list(select)}, timeout=_WITHIN))
    except ControlUnreachable as unreachable:
        if unreachable.kind in (Unreachable.TIMED_OUT, Unreachable.BROKEN):
            raise  # it is there: to work beside it would be none of ours
        return _by_itself(config, select)


def _by_itself(config: Config, select: Sequence[str]) -> Json:
    with stop_signal() as stop, reachable(config) as url:
        try:
            migrate(url, config.database.raw_schema)
            parts = assembly.assemble(config, url, stop.is_set, lambda _: None)
            with parts.engine.connect() as connection:
                lock_alone(connection)
                assembly.end_leftovers(parts)
                return run_tests(connection, parts.dbt, select, stop.is_set, utc_now)
        except DATABASE_ERRORS as error:
            raise DatabaseUnavailable(failure_of(error)) from error
