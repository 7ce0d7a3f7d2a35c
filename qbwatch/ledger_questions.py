"""What may be asked of the ledger, by the names under which the daemon answers it at its socket.

The daemon answers these for whoever may speak to it but has no login to the database; a command that has one can ask
the ledger itself by the same functions, when no daemon is up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from qbwatch.core.facts import Json
from qbwatch.core.model import QbwatchError
from qbwatch.edges.dbt_answers import failing_rows, newest_nodes
from qbwatch.edges.file_answers import versions_of
from qbwatch.edges.file_pages import Wish, page_of_files
from qbwatch.edges.incidents import listed
from qbwatch.edges.page_facts import rows_by_day
from qbwatch.edges.run_answers import newest_runs, whole_run

_PATIENCE = "SET LOCAL statement_timeout = '10s'"
_MOST_RUNS = 500


@dataclass(frozen=True, slots=True)
class Asking:
    """In whose transaction, what, and which day and zone it is about."""

    connection: Connection
    params: Json
    at: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The office's."""
        return self.at.astimezone(self.zone).date()

    def number(self, name: str) -> int:
        """A whole number of the parameters. Raises `QbwatchError`."""
        value = self.params.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise QbwatchError(f"the request lacks a number {name!r}", "qbwatch tui sends it")
        return value

    def word(self, name: str) -> str:
        """A text of the parameters. Raises `QbwatchError`."""
        value = self.params.get(name)
        if not isinstance(value, str) or not value:
            raise QbwatchError(f"the request lacks a text {name!r}", "qbwatch tui sends it")
        return value


Question = Callable[[Asking], Json]


def ask(name: str, asking: Asking) -> Json:
    """Answer one question in the caller's transaction, within some seconds. Raises `QbwatchError`."""
    asking.connection.execute(text(_PATIENCE))
    return QUESTIONS[name](asking)


def _files(asking: Asking) -> Json:
    return page_of_files(asking.connection, Wish.of(asking.params))


def _why(asking: Asking) -> Json:
    name = asking.word("file")
    versions = versions_of(asking.connection, name)
    wanted = asking.params.get("file_id")
    return {"name": name, "versions": [each for each in versions if wanted in (None, each["id"])]}


def _runs(asking: Asking) -> Json:
    return {"runs": newest_runs(asking.connection, min(asking.number("limit"), _MOST_RUNS))}


def _run(asking: Asking) -> Json:
    found = whole_run(asking.connection, asking.number("id"))
    if found is None:
        raise QbwatchError(f"there is no run {asking.number('id')}", "`qbwatch runs` lists the newest")
    return {"run": found}


def _nodes(asking: Asking) -> Json:
    return {"nodes": newest_nodes(asking.connection)}


def _failing(asking: Asking) -> Json:
    return failing_rows(asking.connection, asking.word("node"))


def _alerts(asking: Asking) -> Json:
    incidents, waiting = listed(asking.connection)
    return {"incidents": incidents, "undelivered": waiting}


def _days(asking: Asking) -> Json:
    found = rows_by_day(asking.connection, asking.zone, asking.today)
    return {"days": {day.isoformat(): rows for day, rows in sorted(found.items())}}


QUESTIONS: Mapping[str, Question] = {
    "files": _files,
    "why": _why,
    "runs": _runs,
    "run": _run,
    "nodes": _nodes,
    "failing-rows": _failing,
    "alerts": _alerts,
    "rows-by-day": _days,
}
"""All of them only read."""
