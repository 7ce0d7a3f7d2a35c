"""The parts of qbwatch, put together from a configuration: the one place that knows how they fit.

The daemon and the one-shot commands assemble the same parts and differ only in who drives them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine

from qbwatch.admission import Admitter, KnownFiles
from qbwatch.announcing import Announcing
from qbwatch.config import Config
from qbwatch.core.arrival import Admission, Arrival
from qbwatch.core.dates import DateOrder
from qbwatch.core.incident import Pace
from qbwatch.core.intake_state import Watcher
from qbwatch.core.model import QbwatchError
from qbwatch.edges import dbt_history, runs
from qbwatch.edges.clock import SteadyClock, utc_now
from qbwatch.edges.dbt import Dbt, DbtSettings
from qbwatch.edges.dbt_project import Note
from qbwatch.edges.dbt_views import SparingDbt
from qbwatch.edges.disk_room import Reserve
from qbwatch.edges.lane_reader import READER
from qbwatch.edges.loader import Loader
from qbwatch.edges.notify import check_services, services_of
from qbwatch.edges.postgres import DATABASE_ERRORS, engine_for
from qbwatch.edges.shipped import shipped
from qbwatch.edges.silent_sessions import SilentSessions
from qbwatch.edges.staging import LARGE
from qbwatch.edges.vault import Vault
from qbwatch.edges.workbook_reader import WorkbookReader
from qbwatch.intake import Intake, IntakeSettings
from qbwatch.intake_means import Ledger, Means
from qbwatch.log import get_logger
from qbwatch.pipeline import Pipeline, Step
from qbwatch.publishing import Publishing

log = get_logger(__name__)

_DOUBT_AT_LEAST = timedelta(seconds=10)
_DOUBT_FACTOR = 15  # how many times the settle time a file with an incomplete end is waited for


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that a run needs, connected."""

    config: Config
    engine: Engine
    sessions: SilentSessions
    vault: Vault
    admitter: Admitter
    known: KnownFiles
    pipeline: Pipeline
    dbt: Dbt


def assemble(config: Config, url: str, should_stop: Callable[[], bool], changed: Callable[[Step], None]) -> Parts:
    """Connect the parts; nothing is opened, started or written yet."""
    state = config.state.directory
    sessions = SilentSessions(url)
    engine = engine_for(url, opened=sessions.add)
    vault = Vault(state / "vault", Reserve(config.state.reserve))
    order = DateOrder(config.quickbooks.date_order)
    known = KnownFiles()
    open_book = WorkbookReader(scratch=state)
    intake_engine = engine_for(url, name="qbwatch-intake", opened=sessions.add, keep=True)
    admitter = Admitter(intake_engine, vault, config.quickbooks.timezone, order, known, open_book=open_book)
    dbt = Dbt(
        DbtSettings(
            project=config.transform.project or shipped("dbt"),
            state=state,
            database_url=url,
            target_schema=config.transform.target_schema,
            role=config.transform.role or "",
            timeout=config.transform.timeout,
            timezone=str(config.quickbooks.timezone),
        )
    )
    loader = Loader(vault, order, should_stop, zone=config.quickbooks.timezone)
    pipeline = Pipeline(loader, SparingDbt(dbt), should_stop, changed)
    return Parts(config, engine, sessions, vault, admitter, known, pipeline, dbt)


def make_intake(parts: Parts, stop: threading.Event, beat: Callable[[], None], admitted: Callable[[], None]) -> Intake:
    """The intake over the configured folders; ``admitted`` is called whenever the ledger got something."""

    def admit(arrivals: Sequence[Arrival]) -> list[Admission]:
        parts.dbt.warm_up()
        if any(arrival.size_bytes >= LARGE for arrival in arrivals):
            READER.prepare()
        admissions = parts.admitter.admit_all(arrivals)
        admitted()
        return admissions

    def look() -> None:
        """A file that settles will be loaded, and then dbt is wanted: its start overlaps with both."""
        beat()
        if intake.state().settling:
            parts.dbt.warm_up()

    ledger = Ledger(parts.known.is_known, admit, DATABASE_ERRORS, parts.known.count)
    settings = intake_settings(parts.config)
    intake = Intake(settings, Means(parts.vault, ledger, SteadyClock(), parts.config.input.ignore), stop, look)
    return intake


def intake_settings(config: Config) -> IntakeSettings:
    """Where the intake looks, and how long it waits."""
    settle = config.input.settle
    return IntakeSettings(
        input_directory=config.input.directory,
        seed_directory=config.input.seed_directory,
        settle_for=settle,
        doubt_for=max(settle * _DOUBT_FACTOR, _DOUBT_AT_LEAST),
        rescan_every=config.input.rescan,
        watcher=Watcher(config.input.watcher),
        canary_directory=config.state.directory / "canary",
    )


def announcing_of(config: Config, pace: Pace | None = None) -> Announcing:
    """Whom to tell, and how often. Raises `UnknownService` for an address that can't be used."""
    alerts = config.alerts
    urls, fallback = ([url.get_secret_value() for url in some] for some in (alerts.urls, alerts.fallback))
    check_services(urls, fallback)
    return Announcing(
        services_of(urls),
        config.state.directory,
        pace or Pace(remind=alerts.remind),
        alerts.on_success,
        fallback=services_of(fallback),
        redact=alerts.redact,
        zone=config.quickbooks.timezone,
    )


def publishing_of(config: Config) -> Publishing | None:
    """Where the status page goes; None when there is to be none."""
    if config.page.file is None:
        return None
    schema = f"{config.transform.target_schema}_mart"
    return Publishing(config.page.file, config.quickbooks.timezone, schema, config.page.receipts)


def recall(parts: Parts, connection: Connection) -> None:
    """Remember from the ledger which files were judged before."""
    with connection.begin():
        parts.known.recall(connection)


def end_leftovers(parts: Parts) -> None:
    """End the queries of a dbt whose process was killed. For the holder of the one-instance lock, at its start."""
    try:
        ended = parts.dbt.leftovers()
    except QbwatchError as error:
        log.warning("can't ask for queries that an interrupted dbt left", reason=error.message)
        return
    if ended:
        log.warning("queries of an interrupted dbt were ended", queries=ended)


def owe_changed_project(parts: Parts, connection: Connection) -> None:
    """Have dbt build everything once from a project that isn't the one that it was built from, though no data came.
    For the holder of the one-instance lock, at its start."""
    project = parts.dbt.project
    if project.is_noted(Note.BUILT) or project.is_noted(Note.OWED):
        return
    digest = project.digest()
    with connection.begin():
        owed = runs.owe_again(connection, utc_now()) if dbt_history.was_built(connection) else []
    project.write(Note.OWED, digest)
    if owed:
        log.info("the dbt project has changed; everything is built anew", owed=owed)
