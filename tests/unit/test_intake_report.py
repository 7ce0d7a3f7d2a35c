"""What the intake says of itself, when there is much to say."""

from __future__ import annotations

from datetime import UTC, datetime

from qbwatch.core.intake_problems import unreadable
from qbwatch.intake_report import _not_too_many

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_of_thousands_with_the_same_trouble_the_first_are_named_and_the_others_counted() -> None:
    told = list(_not_too_many(unreadable(b"%d.csv" % number, NOON) for number in range(4000)))
    assert [problem.file for problem in told] == [*(f"{number}.csv" for number in range(20)), None]
    assert told[-1].summary.startswith("3980 more files like this: ")
    assert {problem.code for problem in told} == {"file_unreadable"}
