"""Builds for loaded data, without the views that are there already.

A view is a function of the project alone: once it was built from a project, new data changes nothing about it. Building
it again with every load would take longer than the tables that are wanted. So builds of datasets leave out the views
that this process has built from the project as it is, and that the database still has just as they were built then:
that is asked before each build, since a view may have been dropped or replaced, a dump restored, another database put
in place. It is asked after a build that makes a table anew as well: the views on that table go with the old one.

A project that isn't the one that everything was last built from is built as a whole, whatever datasets were asked for:
what they stand beside was made by models of before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from qbwatch.edges.dbt import Dbt
from qbwatch.edges.dbt_project import Digest, Note
from qbwatch.edges.dbt_relations import Version
from qbwatch.edges.dbt_result import Outcome, Relation, TransformResult
from qbwatch.edges.dbt_warmth import Stamp

# How a build ends that came to its last model; all others are tried again, with the views that are missing then.
_WENT_THROUGH = (Outcome.BUILT, Outcome.WARNINGS, Outcome.TESTS_FAILED, Outcome.MODEL_ERROR)
_OF_A_DATASET = re.compile(r"source:([\w.]+)\+")


@dataclass(slots=True)
class SparingDbt:
    """Builds like the `Dbt` it is made of; for one thread."""

    dbt: Dbt
    _stamp: Stamp | None = None
    _readers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _views: Mapping[str, Relation] = field(default_factory=dict)
    _built: dict[str, Version] = field(default_factory=dict)
    _loses_views: bool = False
    _digest: Digest = ""
    _is_changed: bool = False

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
            self._stamp, self._readers, self._views, self._built = stamp, {}, {}, {}
            self._loses_views, self._digest = False, self.dbt.project.digest()
            self._is_changed = not self.dbt.project.is_noted(Note.BUILT)
        if self._is_changed and all(map(_OF_A_DATASET.fullmatch, select)):
            select = ()
        if not full_refresh and not self._loses_views and self._stand_below(select):
            spared = self.dbt.build(select, should_stop=should_stop, with_views=False)
            self._loses_views = self._may_lose_views(spared) and not self._stand_below(select)
            if spared.outcome is not Outcome.CONFIGURATION and not self._loses_views:
                return replace(spared, current=frozenset(self._built))
        result = self.dbt.build(select, full_refresh, should_stop)
        if stamp == self.dbt.project_stamp():  # else nobody knows from which of the two
            self._remember(result)
            if not select and _made_all(result):
                self.dbt.project.write(Note.BUILT, self._digest)
                self._is_changed = False
        return result

    def _may_lose_views(self, spared: TransformResult) -> bool:
        """Whether the build came to its last model and made anything anew that views may have stood on."""
        made = (spared.relations.get(node.unique_id) for node in spared.nodes)
        is_anew = any(place is not None and place.materialized != "incremental" for place in made)
        return is_anew and spared.outcome in _WENT_THROUGH

    def _stand_below(self, select: Sequence[str]) -> bool:
        """Whether all views below the selected datasets are in the database as they were built."""
        asked = [_OF_A_DATASET.fullmatch(each) for each in select]
        below = {name for each in asked if each for name in self._readers.get(each[1], ()) if name in self._views}
        if not asked or not all(asked) or not self._readers or not below <= self._built.keys():
            return False
        there = self.dbt.versions(self._views[name] for name in below)
        return all(there.get(self._views[name]) == self._built[name] for name in below)

    def _remember(self, result: TransformResult) -> None:
        if result.relations:
            self._readers = result.readers
            self._views = {name: place for name, place in result.relations.items() if place.is_view}
        built = {node.unique_id for node in result.nodes if node.is_good} & self._views.keys()
        there = self.dbt.versions(self._views[name] for name in built)
        self._built |= {name: there[place] for name in built if (place := self._views[name]) in there}


def _made_all(result: TransformResult) -> bool:
    """Whether nothing but tests may have gone wrong."""
    return result.outcome in _WENT_THROUGH and all(
        node.is_good for node in result.nodes if node.resource_type != "test"
    )
