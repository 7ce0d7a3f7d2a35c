"""The demo from start to end: seed, three days in waves, one damaged file, and what came of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, text

from qbwatch.core.model import QbwatchError
from qbwatch.database import embedded_of
from qbwatch.demo.drop import drop
from qbwatch.demo.expected import Expected
from qbwatch.demo.exports import ExportFile
from qbwatch.demo.figures import Figure, compare, latest_orders
from qbwatch.demo.site import Site
from qbwatch.demo.story import Story, story
from qbwatch.edges.file_answers import versions_of
from qbwatch.edges.postgres import engine_for

_WAVE_WITHIN = 120.0  # seconds; a hang, not a slow machine


class Stage(Protocol):
    """Where the demo is shown: a progress bar on a terminal, plain lines elsewhere."""

    def say(self, line: str) -> None:
        """A line that stays."""

    def progress(self, done: int, total: int, doing: str) -> None:
        """How far the whole is."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What the demo came to."""

    status: dict[str, Any]
    figures: list[Figure]
    orders: list[tuple[str, ...]]
    damaged: dict[str, Any]
    site: Site

    @property
    def is_right(self) -> bool:
        """True when every figure agrees and the damaged file, and nothing else, was set aside."""
        aside = [entry["name"] for entry in self.status["quarantined"]]
        return all(figure.agrees for figure in self.figures) and aside == [self.damaged["name"]]


def play(directory: Path | None, today: date, stage: Stage, finish: Callable[[Ending], None], *, keep: bool) -> bool:
    """Play the demo; ``finish`` shows its ending while everything still runs. Returns whether all was right.

    Without ``keep``, everything is stopped and removed at the end, also after Ctrl-C; after an error the folder stays,
    for its log.
    """
    root = (directory or Path(tempfile.mkdtemp(prefix="qbwatch-demo-"))).absolute()
    site = Site(root)
    told = story(today)
    try:
        site.prepare()
        stage.say(f"Everything of this demo lies below {root}")
        ending = _perform(site, told, stage)
        finish(ending)
    except QbwatchError:
        site.stop()
        raise
    except BaseException:
        _clear(site, directory)
        raise
    if not keep:
        _clear(site, directory)
    return ending.is_right


def _clear(site: Site, directory: Path | None) -> None:
    """Stop, and remove the folder if it was a temporary one of ours."""
    site.stop()
    if directory is None:
        shutil.rmtree(site.root, ignore_errors=True)


def _perform(site: Site, told: Story, stage: Stage) -> Ending:
    acts = _acts(told)
    files = sum(len(batch) for _, batch, _ in acts)
    stage.progress(0, files, "starting a private Postgres and the daemon")
    site.start()
    engine = _engine(site)
    dropped, figures = 0, []
    status: dict[str, Any] = {}
    for title, batch, expected in acts:
        stage.progress(dropped, files, title)
        drop(batch, site.drop_folder)
        dropped += len(batch)
        status = _wait_until_settled(site, engine, dropped, files, stage, title)
        figures = _compare(engine, expected)
        stage.say(_wave_line(title, batch, status, figures))
        wrong = [figure for figure in figures if not figure.agrees]
        if wrong:
            names = ", ".join(f"{each.name}: {each.in_database}, should be {each.in_books}" for each in wrong)
            raise QbwatchError(f"the demo's figures disagree: {names}", f"the daemon's log: {site.log}")
    stage.progress(files, files, "done")
    with engine.connect() as connection:
        damaged = versions_of(connection, told.damaged.name)[0]
        return Ending(status, figures, latest_orders(connection, 8), damaged, site)


def _acts(told: Story) -> list[tuple[str, Sequence[ExportFile], Expected]]:
    seed = [("seed: full exports of the whole history", told.seed, told.expected_after_seed)]
    return [*seed, *((wave.title, wave.files, wave.expected) for wave in told.waves)]


def _engine(site: Site) -> Engine:
    from qbwatch.config import load

    url = embedded_of(load(site.config, {})).url_if_running()
    assert url is not None, "the daemon answers, so its Postgres runs"
    return engine_for(url, name="qbwatch-demo")


def _wait_until_settled(
    site: Site, engine: Engine, dropped: int, total: int, stage: Stage, title: str
) -> dict[str, Any]:
    """The status once every dropped file has its outcome and dbt owes nothing."""

    def is_idle(status: dict[str, Any]) -> bool:
        run = status["current_run"]
        if run:
            stage.progress(dropped, total, f"{title}: {run['step']} {run['done']}/{run['total']} {run['file'] or ''}")
        return not (run or status["pending"]["count"] or status["transform"]["debt"])

    # Counted before the status is asked for: a file that isn't known yet isn't waiting either.
    site.wait_for(lambda _: _known_files(engine) >= dropped, _WAVE_WITHIN)
    return site.wait_for(is_idle, _WAVE_WITHIN)


def _known_files(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM qbwatch.files")) or 0)


def _compare(engine: Engine, expected: Expected) -> list[Figure]:
    with engine.connect() as connection:
        return compare(connection, expected)


def _wave_line(title: str, batch: Sequence[ExportFile], status: dict[str, Any], figures: Sequence[Figure]) -> str:
    rows = status["last_run"]["rows"]
    agree = f"{sum(figure.agrees for figure in figures)} of {len(figures)} figures agree with the firm's books"
    return (
        f"{title}: {len(batch)} files; {rows['inserted']} rows inserted, {rows['updated']} updated, "
        f"{rows['unchanged']} unchanged, {rows['removed']} removed; {agree}"
    )
