"""Builds for loaded data, without the views that are there already.

A view is a function of the project alone: once it was built from a project, new data changes nothing about it. Building
it again with every load would take longer than the tables that are wanted. So while the project stays as it is, builds
of datasets leave out views that this process has built; where that isn't enough, somebody dropped one, say, the same
build runs with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from qbwatch.edges.dbt import Dbt
from qbwatch.edges.dbt_result import Outcome, TransformResult
from qbwatch.edges.dbt_warmth import Stamp

_OF_A_DATASET = re.compile(r"source:[\w.]+\+")


@dataclass(slots=True)
class SparingDbt:
    """Builds like the `Dbt` it is made of; for one thread."""

    dbt: Dbt
    _stamp: Stamp | None = None
    _built: frozenset[str] = field(default_factory=frozenset)

    @property
    def target_schema(self) -> str:
        """What the names of the schemas begin with."""
        return self.dbt.target_schema

    def build(
        self, select: Sequence[str] = (), full_refresh: bool = False, should_stop: Callable[[], bool] = lambda: False
    ) -> TransformResult:
        """Build what is selected, or everything; what was left out as current counts as built."""
        stamp = self.dbt.project_stamp()
        if stamp != self._stamp:
            self._stamp, self._built = stamp, frozenset()
        is_of_datasets = bool(select) and all(_OF_A_DATASET.fullmatch(each) for each in select)
        if self._built and is_of_datasets and not full_refresh:
            spared = self.dbt.build(select, should_stop=should_stop, with_views=False)
            spared = replace(spared, current=self._built)
            if _is_enough(spared, select):
                return spared
        result = self.dbt.build(select, full_refresh, should_stop)
        if stamp == self.dbt.project_stamp():  # else nobody knows from which of the two
            self._built |= {node.unique_id for node in result.nodes if node.is_good}
        return result


def _is_enough(result: TransformResult, select: Sequence[str]) -> bool:
    """Whether a build without views has told all there is to tell: no view was missing, in the database or to us."""
    if result.outcome in (Outcome.MODEL_ERROR, Outcome.CONFIGURATION):
        return False
    if not result.nodes:
        return True
    datasets = [each.removeprefix("source:").removesuffix("+") for each in select]
    below = {name for dataset in datasets for name in result.readers.get(dataset, ()) if not name.startswith("test.")}
    return below <= result.current | {node.unique_id for node in result.nodes}
