"""The status as an answer in time: from Postgres when it answers at once, else the last known one, marked as such.

Asking Postgres happens in a thread of its own with a deadline, because a network that swallows packets must not make
`qbwatch status` hang.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from functools import partial
from zoneinfo import ZoneInfo

import psycopg

from qbwatch import __version__
from qbwatch.config import Config
from qbwatch.core.calendar import closed_days
from qbwatch.core.expect import configured
from qbwatch.core.facts import DaemonFacts, Json, LedgerFacts, Limits, Problem, Severity
from qbwatch.core.freshness import IsClosed
from qbwatch.core.model import Failure, FailureClass
from qbwatch.core.status import assemble, from_cache, problems_in, standings
from qbwatch.core.trouble import Trouble
from qbwatch.edges.answers import Session, ledger_facts, trouble_facts
from qbwatch.edges.session import Reach, failure_of_driver
from qbwatch.edges.status_cache import read_cache, write_cache

DEADLINE = 0.5  # seconds that Postgres may take before the last known answer is given; starting a command takes as long

PATIENCE = 10.0  # seconds that it may take where nobody waits for the answer
_RUNS_WITH_IT = "it runs with the daemon: `systemctl start qbwatch`, or `qbwatch run` in the foreground"


Calendar = Callable[[str, Collection[date]], IsClosed]


def limits_of(config: Config, at: datetime, calendar: Calendar = closed_days) -> Limits:
    """The office's today and calendar, and what is expected of it."""
    zone = config.quickbooks.timezone
    today: date = at.astimezone(zone).date()
    is_closed = calendar(config.freshness.country, config.freshness.closed)
    expected = {dataset: configured(dataset, asked.every, asked.by) for dataset, asked in config.expect.items()}
    return Limits(today, is_closed, config.freshness.limit_for, zone, expected)


Ask = Callable[[Session, ZoneInfo, datetime], LedgerFacts]


def ask_ledger(
    reach: Reach, config: Config, at: datetime, deadline: float = DEADLINE, ask_for: Ask | None = None
) -> LedgerFacts | Failure:
    """The ledger's facts, or why there are none within ``deadline`` seconds; all, unless ``ask_for`` asks for less."""
    found: list[LedgerFacts | Failure] = []
    asking = ask_for or partial(ledger_facts, raw_schema=config.database.raw_schema)

    def ask() -> None:
        try:
            with reach() as session:
                found.append(asking(session, config.quickbooks.timezone, at))
        except psycopg.Error as error:
            found.append(failure_of_driver(error))

    asker = threading.Thread(target=ask, name="ask-ledger", daemon=True)
    asker.start()
    asker.join(deadline)
    late = Failure(FailureClass.INFRASTRUCTURE, "database_slow", f"Postgres did not answer within {deadline:g} s")
    return found[0] if found else late


def trouble_of(
    config: Config,
    reach: Reach | None,
    daemon: DaemonFacts,
    calendar: Calendar = closed_days,
    at: datetime | None = None,
) -> Trouble:
    """What is wrong now, for those who tell people: cheaper than the whole status, and more patient with Postgres."""
    at = at or datetime.now(UTC)
    asked = ask_ledger(reach, config, at, PATIENCE, trouble_facts) if reach is not None else _private_postgres_down()
    if isinstance(asked, Failure):
        return unreachable(asked)
    limits = limits_of(config, at, calendar)
    found = tuple(problems_in(asked, daemon, limits, at))
    days = [each.current_through for each in asked.relations if each.current_through is not None]
    through = min(days, default=None)
    return Trouble(
        found, True, asked.last_success_at, through, asked.last_run, standings(asked, limits, at), limits.week
    )


def answer(
    config: Config,
    reach: Reach | None,
    daemon: DaemonFacts,
    *,
    answered_by: str,
    calendar: Calendar = closed_days,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Json:
    """The whole status. Without a way to the ledger (a private Postgres that is down) or its answer, the last known."""
    at = now()
    facts = ask_ledger(reach, config, at) if reach is not None else _private_postgres_down()
    if isinstance(facts, LedgerFacts):
        limits = limits_of(config, at, calendar)
        said = assemble(facts, daemon, limits, answered_by=answered_by, version=__version__, at=at)
        write_cache(config.state.directory, said)
        return said
    return _last_known(config, facts, daemon, at, calendar)


def _private_postgres_down() -> Failure:
    return Failure(FailureClass.INFRASTRUCTURE, "database_down", "the private Postgres is not running", _RUNS_WITH_IT)


def unreachable(failure: Failure) -> Trouble:
    """That Postgres can't be asked, and nothing else is known."""
    return Trouble([_database_down(failure)], is_known=False)


def _database_down(failure: Failure) -> Problem:
    return Problem(
        "database_down",
        failure.failure_class,
        Severity.ERROR,
        f"Postgres can't be asked: {failure.reason}",
        failure.hint or "start Postgres, or the daemon, which starts its private one",
    )


def _last_known(config: Config, failure: Failure, daemon: DaemonFacts, at: datetime, calendar: Calendar) -> Json:
    problem = _database_down(failure)
    cached = read_cache(config.state.directory)
    if cached is not None:
        return from_cache(cached[0], cached[1], problem, daemon, at)
    nothing = LedgerFacts(0, None, [], [], None, None, None, [], [], None, None, [], [])
    daemon_known = DaemonFacts(daemon.state, daemon.pid, daemon.started_at, problems=(problem,))
    limits = limits_of(config, at, calendar)
    return assemble(nothing, daemon_known, limits, answered_by="cache", version=__version__, at=at)
