"""dbt because a person wants it: a run of its own in the ledger, in which nothing is loaded.

Without a selection everything that was ever loaded is owed first and then paid, so that a build which is cut off is
taken up again like any other. A selection pays no debts: they are about whole datasets.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from qbwatch.core.facts import Json
from qbwatch.core.model import Mode, QbwatchError
from qbwatch.edges import runs
from qbwatch.edges.dbt import TransformResult
from qbwatch.pipeline import Pipeline, RunOutcome, Step
from qbwatch.progress import Progress
from qbwatch.run_json import outcome_json
from qbwatch.transforming import Transforming

_LOADED = "SELECT DISTINCT dataset FROM qbwatch.work_items WHERE state = 'loaded' AND dataset IS NOT NULL ORDER BY 1"


@dataclass(frozen=True, slots=True)
class Build:
    """What to build: dbt's own selection (None: all that stands on loaded data), and whether from scratch."""

    select: str | None = None
    full_refresh: bool = False

    @classmethod
    def of(cls, params: Json) -> Build:
        """From the parameters of a request. Raises `QbwatchError`."""
        select = params.get("select")
        if select is not None and (not isinstance(select, str) or not select.strip() or select.lstrip()[:1] == "-"):
            raise QbwatchError(f"{select!a} is no selection", "as in --select fct_orders, or --select +fct_orders")
        return cls(select, bool(params.get("full_refresh")))


def build_now(connection: Connection, pipeline: Pipeline, build: Build) -> Json:
    """Build and test over the pipeline's connection; the outcome as JSON, like that of any run."""
    why = "a person asked for dbt" + (f" --select {build.select}" if build.select else "")
    with connection.begin():
        if build.select is None:
            loaded = list(connection.scalars(text(_LOADED)))
            runs.owe(connection, loaded, None, full_refresh=build.full_refresh, at=pipeline.now())
        run_id = runs.start_run(connection, Mode.REPAIR, why, 0, pipeline.now())
        runs.show_progress(connection, run_id, step="transform", done=0)
    pipeline.changed(Step(run_id, "transform", 0, 0))
    progress = Progress(run_id, 0)
    transforming = Transforming(connection, pipeline.dbt, pipeline.should_stop, pipeline.now, progress)
    return outcome_json(_ended(connection, pipeline, progress, _built(transforming, build)))


def _built(transforming: Transforming, build: Build) -> TransformResult:
    if build.select is not None:
        return transforming.build_selected(build.select.split(), full=build.full_refresh)
    owed = transforming.owed()
    if not owed:  # nothing was ever loaded: the models are built empty
        return transforming.build_selected([], full=build.full_refresh)
    return transforming.pay(owed, full=build.full_refresh)


def _ended(connection: Connection, pipeline: Pipeline, progress: Progress, result: TransformResult) -> RunOutcome:
    status = progress.status(transformed=result.succeeded)
    with connection.begin():
        runs.end_run(connection, progress.run_id, status, progress.error, pipeline.now())
    pipeline.changed(Step(progress.run_id, "announce", 0, 0))
    return RunOutcome(
        progress.run_id, Mode.REPAIR, status, 0, 0, progress.rows, result, progress.error, progress.impact
    )
