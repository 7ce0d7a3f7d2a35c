"""What is wrong now, for those who tell people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from qbwatch.core.expect import Standing, Week
from qbwatch.core.facts import Json, Problem, Severity


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, as far as it can be known. ``is_known``: the ledger answered; else only that Postgres didn't."""

    problems: Sequence[Problem]
    is_known: bool
    last_success_at: datetime | None = None
    through: date | None = None
    last_run: Json | None = None
    expected: Sequence[Standing] = ()
    week: Week | None = None

    @property
    def is_error(self) -> bool:
        """Whether anything is wrong that somebody has to mend."""
        return any(each.severity is Severity.ERROR for each in self.problems)
