"""dbt now, without a daemon: under the one-instance lock, over a connection of its own."""

from __future__ import annotations

from contextlib import closing

from qbwatch import assembly
from qbwatch.config import Config
from qbwatch.core.facts import Json
from qbwatch.database import reachable
from qbwatch.edges.migrate import migrate
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, failure_of
from qbwatch.one_run import Say, lock_alone, step_line, stop_signal
from qbwatch.transform_now import Build, build_now


def transform_by_itself(config: Config, build: Build, tell: Say) -> Json:
    """The outcome as JSON; ``tell`` gets each step. Raises `QbwatchError`."""
    with stop_signal() as stop, reachable(config) as url:
        try:
            migrate(url)
            parts = assembly.assemble(config, url, stop.is_set, lambda step: tell(step_line(step)))
            with closing(parts.dbt), parts.engine.connect() as connection:
                lock_alone(connection)
                assembly.end_leftovers(parts)
                return build_now(connection, parts.pipeline, build)
        except DATABASE_ERRORS as error:
            raise DatabaseUnavailable(failure_of(error)) from error
