"""What a dbt command came to: the words and the values, without any doing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from qbwatch.core.model import Failure, FailureClass


class Outcome(StrEnum):
    """How a dbt command ended. Only the first two left the marts built and no test failed."""

    BUILT = "built"
    WARNINGS = "warnings"
    TESTS_FAILED = "tests_failed"  # the data break a rule
    MODEL_ERROR = "model_error"  # a model or test cannot be computed
    INFRASTRUCTURE = "infrastructure"  # connection, lock, disk, memory: worth another try
    CONFIGURATION = "configuration"  # project, profile, rights or selection
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


# Whose fault it is; all others are those of the project or its settings. A model that can't be computed needs a person
# who mends the model, even where odd data brought it to light.
_CLASSES = {Outcome.TESTS_FAILED: FailureClass.DATA, Outcome.INFRASTRUCTURE: FailureClass.INFRASTRUCTURE}


@dataclass(frozen=True, slots=True)
class Relation:
    """Where a model lies in the database, and what dbt makes of it there: ``view``, ``table``, ``incremental``, …"""

    schema: str
    name: str
    materialized: str

    @property
    def is_view(self) -> bool:
        """True for what holds no rows of its own."""
        return self.materialized == "view"


@dataclass(frozen=True, slots=True)
class NodeResult:
    """One model or test of a build. ``rows``: rows written by a model, rows that break a test; None where unknown.
    ``found_in``: the relation that holds the rows a test found, where they were stored."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    seconds: float
    rows: int | None
    message: str | None
    found_in: str | None = None

    @property
    def is_good(self) -> bool:
        """True for a model that was built and for a test that passed or warned."""
        return self.status in ("success", "pass", "warn")


@dataclass(frozen=True, slots=True)
class TransformResult:
    """One dbt command: its outcome, its nodes in the order they ended, and a line for a person.

    ``readers``: everything that stands on each source table, by ``source.table``; empty when dbt came to no graph.
    ``relations``: where each model of the project lies, by its unique id, whether this command was about it or not.
    ``current``: what was left out since it was built before and stays as it is.
    ``cold_because``: why no warm dbt served; None when one did, or when dbt was not started at all.
    """

    outcome: Outcome
    nodes: tuple[NodeResult, ...] = ()
    message: str = ""
    hint: str = ""
    seconds: float = 0.0
    invocation_id: str | None = None
    readers: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)
    relations: Mapping[str, Relation] = field(default_factory=dict, repr=False)
    cold_because: str | None = None
    current: frozenset[str] = field(default_factory=frozenset, repr=False)

    @property
    def succeeded(self) -> bool:
        """True when everything that was asked for is built and no test failed (a warning may have been given)."""
        return self.outcome in (Outcome.BUILT, Outcome.WARNINGS)

    @property
    def is_transient(self) -> bool:
        """True when the same command may succeed without anybody mending something.

        A time-out is not: the next try would most likely wait as long and end the same.
        """
        return self.outcome is Outcome.INFRASTRUCTURE

    def failure(self) -> Failure:
        """The command's failure in the words that all failures have. For a command that failed."""
        return Failure(
            _CLASSES.get(self.outcome, FailureClass.CONFIGURATION), self.outcome.value, self.message, self.hint
        )

    def pays(self, dataset: str) -> bool:
        """Whether nothing of what stands on the dataset is left to be done.

        Every model downstream was built, and no test of them that ran failed; or the project reads other tables of the
        source and leaves this one out. Where dbt came to no graph, its own word for the whole must do.
        """
        if dataset in self.readers:
            reported = {node.unique_id for node in self.nodes}
            left = self.readers[dataset] - {node.unique_id for node in self.nodes if node.is_good}
            left -= self.current - reported
            return not any(name in left for name in (*reported, *filter(_is_built, left)))
        return self.leaves_out(dataset) or (self.succeeded and not self.readers)

    def leaves_out(self, dataset: str) -> bool:
        """Whether the project reads the source, and not this dataset of it: then nothing is to be built."""
        source = dataset.partition(".")[0] + "."
        return dataset not in self.readers and any(name.startswith(source) for name in self.readers)


def _is_built(unique_id: str) -> bool:
    """Tests may be left out of a build; models, snapshots and seeds are not."""
    return not unique_id.startswith("test.")
