"""One run without a daemon: take in what lies in the folders, do what there is to do, stop.

SIGTERM and SIGINT end it like the daemon: the file in hand rolls back, dbt and its queries are ended, and a private
Postgres is stopped.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import FrameType

from sqlalchemy import Connection, Engine

from qbwatch import assembly
from qbwatch.announcing import Announcer, Announcing
from qbwatch.answering import answer, trouble_of, unreachable
from qbwatch.config import Config
from qbwatch.core.facts import DaemonFacts, Json, Problem
from qbwatch.core.incident import Pace
from qbwatch.core.model import DaemonState, Mode, QbwatchError
from qbwatch.core.trouble import Trouble
from qbwatch.database import reachable
from qbwatch.edges import runs, store
from qbwatch.edges.clock import utc_now
from qbwatch.edges.file_answers import standing_of
from qbwatch.edges.migrate import migrate
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, failure_of, lock_holder, reach_of, try_lock
from qbwatch.heartbeat import heartbeat_of_a_run
from qbwatch.pipeline import Scope, Step
from qbwatch.publishing import Publisher
from qbwatch.run_json import outcome_json
from qbwatch.running import problem_of

_SETTLE_WITHIN = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked for: a forced mode, one dataset, or single files, wherever they lie."""

    force: Mode | None = None
    dataset: str | None = None
    files: Sequence[str] = ()


Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Errand:
    """A run, and whom to tell how it went."""

    config: Config
    wish: Wish
    stop: threading.Event
    warn: Say
    announcing: Announcing
    ended: Callable[[Trouble], None]

    def tell(self, trouble: Trouble, engine: Engine | None) -> None:
        """Tell people what is wrong now, and the watchman elsewhere how it ended."""
        Announcer(self.announcing, lambda: trouble, lambda: engine, self.stop).look()
        self.ended(trouble)


def run_by_itself(config: Config, wish: Wish, warn: Say, tell: Say) -> Json:
    """The outcome as JSON. ``warn`` gets what a person should know, ``tell`` each step. Raises `QbwatchError`.

    Nobody looks again after it, so what is wrong at its end is told at once, and what isn't any more has recovered.
    """
    at_once = Pace(hold=timedelta(0), quiet=timedelta(0), remind=config.alerts.remind)
    announcing = assembly.announcing_of(config, at_once)
    with stop_signal() as stop, heartbeat_of_a_run(config) as ended:
        errand = _Errand(config, wish, stop, warn, announcing, ended)
        try:
            with reachable(config) as url:
                return _reached(errand, url, tell)
        except DatabaseUnavailable as error:
            errand.tell(unreachable(error.failure), None)
            raise


def _reached(errand: _Errand, url: str, tell: Say) -> Json:
    try:
        migrate(url, errand.config.database.raw_schema)
        parts = assembly.assemble(errand.config, url, errand.stop.is_set, lambda step: tell(step_line(step)))
        with closing(parts.dbt), parts.engine.connect() as connection:
            said = _run(connection, parts, errand)
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(failure_of(error)) from error
    # What `qbwatch status` can say while a private Postgres is down again.
    answer(errand.config, reach_of(parts.engine), DaemonFacts(DaemonState.DOWN), answered_by="ledger")
    return said


def _publish(errand: _Errand, facts: DaemonFacts, engine: Engine) -> None:
    """The office reads the same page, whether a daemon works or single runs do."""
    if (publishing := assembly.publishing_of(errand.config)) is None:
        return
    status = answer(errand.config, reach_of(engine), facts, answered_by="ledger")
    publisher = Publisher(publishing, lambda: status, lambda: engine, errand.stop)
    if (problem := publisher.say_ended()) is not None:
        errand.warn(f"{problem.summary} ({problem.hint})")


@contextmanager
def stop_signal() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, instead of ending the process, until the block ends."""
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(connection: Connection, parts: assembly.Parts, errand: _Errand) -> Json:
    wish = errand.wish
    lock_alone(connection)
    assembly.end_leftovers(parts)
    assembly.owe_changed_project(parts, connection)
    assembly.recall(parts, connection)
    picked = [parts.admitter.pick(Path(file)) for file in wish.files]
    problems = [] if picked else take_in(parts, errand.stop, errand.warn)
    scope = Scope(wish.dataset, frozenset(picked) if picked else None, asked=True)
    plan = parts.pipeline.plan(connection, wish.force, scope)
    outcome = None if plan is None else parts.pipeline.run(connection, plan)
    # Under the lock still, so that nobody tells the same twice, and no daemon's page is overwritten.
    facts = DaemonFacts(DaemonState.RUNNING, problems=problems)
    errand.tell(trouble_of(errand.config, reach_of(parts.engine), facts), parts.engine)
    _publish(errand, facts, parts.engine)
    with connection.begin():
        return outcome_json(outcome) | {"files": standing_of(connection, picked)}


def lock_alone(connection: Connection) -> None:
    """Take the one-instance lock and clean up after whoever held it before. Raises `QbwatchError`."""
    if not try_lock(connection):
        raise QbwatchError(
            f"another qbwatch works on this database (backend {lock_holder(connection)}) and can't be asked",
            "is [control] socket the same in its configuration? Else wait until it has finished",
        )
    with connection.begin():
        store.recover(connection, utc_now(), count_crash=True)
        runs.abandon_runs(connection, utc_now())


def take_in(parts: assembly.Parts, stop: threading.Event, warn: Say) -> list[Problem]:
    """Let the ledger know all files that lie in the folders; what is wrong with those, which ``warn`` gets too."""
    intake = assembly.make_intake(parts, stop, lambda: None, lambda: None)
    state = intake.settle_now(_SETTLE_WITHIN)
    for problem in state.problems:
        warn(f"{problem.summary} ({problem.hint})")
    if state.settling:
        warn(f"{state.settling_count} files are still being written; they come with the next run")
    return [problem_of(each) for each in state.problems]


def step_line(step: Step) -> str:
    """A step for a person who watches."""
    if step.step == "load":
        return f"[{step.done + 1}/{step.total}] loading {step.file} into {step.dataset}"
    return "transforming with dbt" if step.step == "transform" else f"run {step.run_id} ended"
