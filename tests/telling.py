"""An announcer whose clock, troubles and database a test sets; what the ledger knows to be wrong is asked of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from qbwatch.announcing import Announcer, Announcing
from qbwatch.core.calendar import closed_days
from qbwatch.core.expect import Expectation
from qbwatch.core.facts import DaemonFacts, Json, Limits, Problem, Severity
from qbwatch.core.freshness import IsClosed
from qbwatch.core.model import DaemonState, FailureClass
from qbwatch.core.status import problems_in, standings
from qbwatch.core.trouble import Trouble
from qbwatch.edges.answers import trouble_facts
from qbwatch.edges.notify import services_of
from qbwatch.edges.postgres import driver, engine_for

START = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
TROUBLE = Problem(
    "watch_dead", FailureClass.INFRASTRUCTURE, Severity.ERROR, "the folder watch is dead", "see the journal"
)
DOWN = replace(TROUBLE, code="database_down", summary="Postgres can't be asked: connection refused")
NEW_YORK = ZoneInfo("America/New_York")
CALENDAR = closed_days("US", [])
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


class World:
    """An announcer whose clock, troubles and database a test sets."""

    def __init__(self, url: str, state: Path, *services: str, **settings: Any) -> None:
        self.url, self.at, self.limit = url, START, None
        self.problems: list[Problem] = []
        self.expected: dict[str, Expectation | None] = {}
        self.is_closed: IsClosed = CALENDAR
        self.limit: int | None
        self.run: Json | None = None
        self.settings = Announcing(services_of(services), state, **settings)
        self._engines: dict[str, Engine] = {}
        self.restart()

    @property
    def engine(self) -> Engine:
        """Connections to the database that the url names at the moment."""
        return self._engines.setdefault(self.url, engine_for(self.url, connect_timeout=2))

    def restart(self) -> None:
        """A new process: all that isn't in the database or the state folder is gone."""
        self.announcer = Announcer(
            self.settings, self.trouble, lambda: self.engine, threading.Event(), now=lambda: self.at
        )

    def trouble(self) -> Trouble:
        """What the ledger knows to be wrong, and what the test says besides."""
        if self.url == NOWHERE:
            return Trouble(self.problems, is_known=False)
        with self.engine.begin() as connection:
            facts = trouble_facts(driver(connection), NEW_YORK, self.at)
        found = problems_in(facts, DaemonFacts(DaemonState.IDLE), self.limits, self.at)
        expected = standings(facts, self.limits, self.at)
        week = self.limits.week
        return Trouble([*found, *self.problems], True, last_run=self.run, expected=expected, week=week)

    @property
    def limits(self) -> Limits:
        """The same limit for every relation, by default none."""
        today = self.at.astimezone(NEW_YORK).date()
        return Limits(today, self.is_closed, lambda _: self.limit, NEW_YORK, self.expected)

    def looks(self, seconds: float, *problems: Problem) -> None:
        """Look every 15 seconds of the test's clock."""
        self.problems = list(problems)
        for _ in range(int(seconds // 15)):
            self.announcer.look()
            self.at += timedelta(seconds=15)
