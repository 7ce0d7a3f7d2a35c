"""What a person may ask of the pipeline's thread, each with a future for its answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from qbwatch.core.model import Mode
from qbwatch.pipeline import RunOutcome, Scope


@dataclass(frozen=True, slots=True)
class Request:
    """A person's wish for one run now; the future gets its `RunOutcome`, or None when there was nothing to do."""

    force: Mode | None
    scope: Scope
    answer: Future[RunOutcome | None] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Errand:
    """Something else to be done over the pipeline's connection, between runs; the future gets what came of it."""

    work: Callable[[Connection], Any]
    answer: Future[Any] = field(default_factory=Future)
