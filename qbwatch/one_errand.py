"""An errand for whoever asks at a shell: the daemon's, when one is up, else done here under the one-instance lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qbwatch import assembly
from qbwatch.config import Config
from qbwatch.core.facts import Json
from qbwatch.database import reachable
from qbwatch.edges.clock import utc_now
from qbwatch.edges.control_client import ControlUnreachable, Unreachable, call
from qbwatch.edges.migrate import migrate
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, failure_of
from qbwatch.errands import run_errand
from qbwatch.one_run import lock_alone, stop_signal

_WITHIN = 3600.0  # seconds that an errand of the daemon is waited for

Ask = Callable[[str, Json], Json]


@contextmanager
def errands(config: Config, *, alone: bool) -> Iterator[tuple[Ask, bool]]:
    """A way to have errands done, and whether a daemon does them. Raises `QbwatchError`.

    ``alone``: it changes rows, so without a daemon the lock is taken first.
    """
    try:
        call(config.control.socket, "ping", timeout=5.0)
    except ControlUnreachable as unreachable:
        if unreachable.kind in (Unreachable.TIMED_OUT, Unreachable.BROKEN):
            raise  # it is there: to work beside it would be none of ours
        with _by_itself(config, alone=alone) as ask:
            yield ask, False
    else:
        yield lambda name, params: dict(call(config.control.socket, name, params, timeout=_WITHIN)), True


@contextmanager
def _by_itself(config: Config, *, alone: bool) -> Iterator[Ask]:
    with stop_signal() as stop, reachable(config) as url:
        try:
            migrate(url, config.database.raw_schema)
            parts = assembly.assemble(config, url, stop.is_set, lambda _: None)
            with parts.engine.connect() as connection:
                if alone:
                    lock_alone(connection)
                loader = parts.pipeline.loader
                yield lambda name, params: run_errand(name, connection, loader, params, utc_now())
        except DATABASE_ERRORS as error:
            raise DatabaseUnavailable(failure_of(error)) from error
