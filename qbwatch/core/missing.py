"""Missing exports in words: what was expected, since when nothing came, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from qbwatch.core.cadence import learned
from qbwatch.core.expect import WEEKDAYS, WHOLE_WEEK, WORKWEEK, Expectation, Export, Standing, Week, standing
from qbwatch.core.facts import Json, Problem, Severity, moment
from qbwatch.core.message import Ending
from qbwatch.core.model import FailureClass

MISSING = "missing_export"
_HINT = "did the exporter run on the office PC, is that PC on, does the sync client run on both sides?"


def standings_of(
    exports: Mapping[str, Sequence[Export]],
    asked: Mapping[str, Expectation | None],
    week: Week,
    known_since: datetime | None,
    now: datetime,
) -> list[Standing]:
    """How every expectation stands: those that are configured (None: never), and learned ones of other datasets.

    ``known_since``: since when there is a ledger; what came earlier by the clock shows that this one was ahead then.
    """
    if known_since is None:
        return []
    known_since = min([known_since, *(each.arrived_at for came in exports.values() for each in came)])
    found = []
    for dataset in sorted({*asked, *exports}):
        came = exports.get(dataset, ())
        expectation = asked[dataset] if dataset in asked else learned(dataset, came, week)
        if expectation is not None:
            found.append(standing(expectation, came, week, known_since, now))
    return found


def problems_of(standings: Sequence[Standing], week: Week) -> list[Problem]:
    """One for each dataset of which an export is missing."""
    return [
        Problem(
            MISSING,
            FailureClass.MISSING_FILES,
            Severity.WARNING,
            f"{expected(each.expectation)}; {_none_since(each, week)}",
            _HINT,
            each.missing_since,
            concerns=each.expectation.dataset,
        )
        for each in standings
        if each.missing_since is not None
    ]


def ending_of(standing: Standing, opened_at: datetime, week: Week) -> Ending:
    """What is told when an export came again: whether it was the missing one, or which days' never came."""
    if standing.last is None:
        return Ending()
    name = label(standing.expectation.dataset)
    came = f"{name} came: {_day_and_time(standing.last.arrived_at, week)}."
    first = next(
        (day for day in standing.missed if week.at(day, standing.expectation.by) >= opened_at - timedelta(days=1)), None
    )
    never = [day for day in standing.missed if first is not None and day >= first]
    if not never:
        return Ending(f"{came} It was late; nothing is missing.")
    days = ", ".join(map(_day, never))
    again = f"if an export holds a single day, export {_that(never)} again"
    return Ending(f"{came} Those of {days} never did: {again}.", has_gap=True)


def to_json(standing: Standing, week: Week) -> Json:
    """An expectation as the status shows it."""
    asked = standing.expectation
    return {
        "dataset": asked.dataset,
        "every": _every(asked),
        "by": _clock(asked.by),
        "usually_by": None if asked.usually is None else _clock(asked.usually),
        "last_as_of": moment(standing.last.as_of) if standing.last else None,
        "last_arrived_at": moment(standing.last.arrived_at) if standing.last else None,
        "missing_since": moment(standing.missing_since.astimezone(week.zone)) if standing.missing_since else None,
        "missed": [day.isoformat() for day in standing.missed],
    }


def expected(expectation: Expectation) -> str:
    """``Invoices usually come by 02:05 on business days``, or that they should."""
    name = label(expectation.dataset)
    if expectation.usually is not None:
        return f"{name} usually come by {_clock(expectation.usually)} {_every(expectation)}"
    return f"{name} should come by {_clock(expectation.by)} {_every(expectation)}"


def label(dataset: str) -> str:
    """``quickbooks.sales_receipts`` as the office calls it: ``Sales receipts``."""
    return dataset.partition(".")[2].replace("_", " ").capitalize()


def _none_since(standing: Standing, week: Week) -> str:
    if standing.last is None:
        return "none has come yet"
    return f"none since {_day_and_time(standing.last.as_of, week)}"


def _every(expectation: Expectation) -> str:
    if expectation.weekdays == WHOLE_WEEK:
        return "every day"
    if expectation.weekdays == WORKWEEK:
        return "on business days"
    return "on " + " and ".join(f"{WEEKDAYS[each].capitalize()}s" for each in sorted(expectation.weekdays))


def _clock(after_midnight: timedelta) -> str:
    minutes = int(after_midnight.total_seconds()) // 60
    days, minutes = divmod(minutes, 24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}" + (" the day after" if days > 0 else "")


def _day_and_time(at: datetime, week: Week) -> str:
    return f"{_day(week.day_of(at))}, {at.astimezone(week.zone):%H:%M}"


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B}"


def _that(days: Sequence[date]) -> str:
    return "that day" if len(days) == 1 else "those days"
