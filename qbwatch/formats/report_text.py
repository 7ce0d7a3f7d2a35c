"""What do the lines above a report's header and below its last row say?

The footer is told from data by its whole form (a weekday, a date, a time of day), never by where it stands: a customer
may be called "Monday Market". Its basis stands first in the new view and last in the classic one; without a basis the
line begins with a blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from qbwatch.formats.facts import Basis, ReportFacts
from qbwatch.formats.report_period import read_month
from qbwatch.formats.table import Row

_BASIS = r"(?P<{name}>accrual|cash)\s+basis"
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_FOOTER = re.compile(
    rf"(?:{_BASIS.format(name='before')}\s+)?{_WEEKDAY},?\s+(?P<day>[a-z0-9 .,]+?)[,\s]\s*"
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?\s*(?P<half>[ap]\.?m\.?)?"
    r"\s*(?P<zone>(?:GMT|UTC)(?:Z|[+-][0-9]{1,2}(?::?[0-9]{2})?)?)?"
    rf"(?:\s*-\s*{_BASIS.format(name='after')})?",
    re.IGNORECASE,
)
_BASIS_ALONE = re.compile(_BASIS.format(name="basis"), re.IGNORECASE)
_MAY_BE_FOOTER = re.compile(rf"\s*(?:accrual|cash|{_WEEKDAY})", re.IGNORECASE)
_OFFSET = re.compile(r"([+-])([0-9]{1,2}):?([0-9]{2})?$")


@dataclass(frozen=True, slots=True)
class Footer:
    """What the line at the end says: the basis, and when it was printed, with the offset that it states."""

    basis: Basis | None
    printed_at: datetime | None


def filled(cells: Iterable[str]) -> list[str]:
    """The texts of a row, blanks left out."""
    return [cell for cell in cells if cell and not cell.isspace()]


def read_basis(text: str) -> Basis | None:
    """``Cash Basis`` as a line by itself."""
    match = _BASIS_ALONE.fullmatch(text.strip())
    return Basis(match["basis"].lower()) if match else None


def read_footer(cells: Sequence[str]) -> Footer | None:
    """The footer that a row is, or None. A footer that lost its quotes lies in several cells."""
    if not any(map(_MAY_BE_FOOTER.match, cells)):
        return None
    text = " ".join(",".join(filled(cells)).replace("\u00a0", " ").split())
    if (basis := read_basis(text)) is not None:
        return Footer(basis, None)
    match = _FOOTER.fullmatch(text)
    if match is None:
        return None
    stated = match["before"] or match["after"]
    return Footer(Basis(stated.lower()) if stated else None, _moment(match))


def last_footer(rows: Iterable[Row]) -> Footer | None:
    """The footer below a printed list or a statement."""
    found = None
    for row in rows:
        found = read_footer(row.cells) or found
    return found


def with_footer(facts: ReportFacts, footer: Footer | None) -> ReportFacts:
    """The facts with those of the footer, which knows better than the lines above the header."""
    if footer is None:
        return facts
    return replace(facts, basis=footer.basis or facts.basis, printed_at=footer.printed_at or facts.printed_at)


def _moment(match: re.Match[str]) -> datetime | None:
    words = match["day"].replace(",", " ").split()
    months = [month for word in words if (month := read_month(word))]
    numbers = [int(word) for word in words if word.isdigit()]
    if len(months) != 1 or len(numbers) != 2 or len(words) != 3:
        return None
    day, year = sorted(numbers)
    hour, half = int(match["hour"]), (match["half"] or "").lower().replace(".", "")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        zone = _zone(match["zone"])
        return datetime(year, months[0], day, hour, int(match["minute"]), int(match["second"] or 0), tzinfo=zone)
    except ValueError:
        return None


def _zone(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    offset = _OFFSET.search(text)
    if offset is None:
        return UTC
    ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
    return timezone(ahead if offset[1] == "+" else -ahead)
