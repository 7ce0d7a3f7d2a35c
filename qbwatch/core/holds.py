"""Does this part say something so surprising that a person should be asked before it counts?

A hold is a quarantine with a question. ``qbwatch accept`` answers it, and the answer is kept with the work item, so
that neither a retry nor a rebuild asks again. The rules compare a part with what its dataset accepted before it in the
order of the fold, never with what happened to arrive before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from shlex import quote

from qbwatch.core.model import Failure, FailureClass
from qbwatch.core.period import Period

FEW_ROWS = "few_rows"
NO_ROWS = "no_rows"
PERIOD_OVERLAPS = "period_overlaps"
OTHER_REPORT = "other_report"
NAME_DISAGREES = "name_disagrees"  # found when the file is recognised

HOLDS = frozenset({FEW_ROWS, NO_ROWS, PERIOD_OVERLAPS, OTHER_REPORT, NAME_DISAGREES})
"""Codes of a quarantine that a person may override with ``qbwatch accept``."""

FEW = Decimal("0.5")  # of the last full export's rows; a firm doesn't lose half of its customers between two exports
FEW_COUNTS_FROM = 20  # rows of the last full export; below that, half of them is a handful


@dataclass(frozen=True, slots=True)
class Said:
    """A part in few words: its file's shown name, how many of its rows are readable, the days that a report speaks for.

    ``lists_everything`` is true of a full export: what it lacks is gone. ``report`` is a report's title, if known.
    """

    name: str
    rows: int
    lists_everything: bool = False
    period: Period | None = None
    report: str | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """What a dataset accepted that a part is compared with.

    ``last``: the last full export before a full one, the last report before a report that shares a day with it.
    ``last_full``: the last full export, or report of all dates, before one of these. ``overlapping``: accepted reports
    that share days with a report, earlier and later ones; ``other`` is one of these with another title, where that
    means other rows. ``is_rolling``: a person accepted the overlap of an earlier report of this title and length.
    """

    last: Said | None = None
    last_full: Said | None = None
    overlapping: tuple[Said, ...] = ()
    other: Said | None = None
    is_rolling: bool = False


def questions(new: Said, before: Before) -> list[Failure]:
    """What a person should be asked about a part; usually nothing."""
    overlapping = () if before.is_rolling else before.overlapping
    found = (
        _no_rows(new, before.last),
        _few_rows(new, before.last_full),
        _other_report(new, before.other),
        _overlap(new, overlapping),
    )
    return [each for each in found if each is not None]


def _no_rows(new: Said, last: Said | None) -> Failure | None:
    if new.rows or last is None or not last.rows:
        return None
    reason = f"it has no row, where {last.name} had {last.rows:,}"
    return _hold(NO_ROWS, reason, "what it speaks for is emptied", new)


def _few_rows(new: Said, last: Said | None) -> Failure | None:
    if last is None or not new.lists_everything or new.rows == 0:
        return None
    if last.rows < FEW_COUNTS_FROM or new.rows >= last.rows * FEW:
        return None
    reason = f"a full export of {_rows(new.rows)}, where {last.name} had {last.rows:,}"
    return _hold(FEW_ROWS, reason, "what it lacks is gone", new)


def _other_report(new: Said, other: Said | None) -> Failure | None:
    if other is None:
        return None
    reason = f"it is a {new.report!r}, and shares days with {other.name}, a {other.report!r}, which lists other rows"
    return _hold(OTHER_REPORT, reason, "the later of the two counts for the days that both cover", new)


def _overlap(new: Said, overlapping: Sequence[Said]) -> Failure | None:
    """Contained, containing and equal periods are no question: one of the two statements is whole in the other."""
    if new.period is None:
        return None
    for other in overlapping:
        if other.period is not None and new.period.overlaps_in_part(other.period):
            reason = f"its period, {new.period}, overlaps in part that of {other.name}, {other.period}"
            return _hold(PERIOD_OVERLAPS, reason, "the later report counts for the days that both cover", new)
    return None


def _rows(count: int) -> str:
    return f"{count:,} row" + ("" if count == 1 else "s")


def _hold(code: str, reason: str, consequence: str, new: Said) -> Failure:
    name = quote(new.name.rsplit("/", 1)[-1])
    hint = f"is that right? `qbwatch accept {name}`: {consequence}; else export it again, or `qbwatch skip {name}`"
    return Failure(FailureClass.DATA, code, reason, hint)
