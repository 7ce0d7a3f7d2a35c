"""What ``check FILE --json`` says of a part, under fixed names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from qbwatch.core.facts import Json
from qbwatch.core.model import RowClass, RowCounts, WorkItem
from qbwatch.core.period import Period
from qbwatch.datasets.dataset import ColumnType
from qbwatch.edges.rehearsal import Rehearsed
from qbwatch.formats.notes import notes_of, renames_in
from qbwatch.formats.part import Part
from qbwatch.formats.tally import Tally

_CENTS = -2  # exponent of a cent

UNREAD: Json = {
    "sheet": None,
    "dataset": None,
    "format": None,
    "encoding": None,
    "as_of": None,
    "full": False,
    "period": None,
    "basis": None,
    "rows": None,
    "row_classes": {},
    "sums": {},
    "printed_totals": {"checked": 0, "wrong": 0},
    "drift": {"new": [], "lost": [], "renamed": {}},
    "rejects": [],
    "notes": [],
    "complete": True,
    "verdict": "load",
    "reason": None,
    "hint": None,
}
"""A part of which nothing is known yet; every answer has these keys."""


def place_notes(rehearsed: Rehearsed) -> list[str]:
    """Where a part would come to stand among those that are loaded already."""
    if not rehearsed.newer:
        return []
    older = f"{rehearsed.newer:,} loaded file" + (" is newer" if rehearsed.newer == 1 else "s are newer")
    if rehearsed.is_in_place:
        return [f"{older}: what it would change is told for its place before that, not for today's table"]
    return [f"{older}, and the files before it couldn't be read: what it would change is told as if it were the newest"]


def quarantined(reason: str, hint: str) -> Json:
    """The part would wait for a person."""
    return {"verdict": "quarantine", "reason": reason, "hint": hint}


def stated(part: Part, days: Collection[str] = ()) -> Json:
    """What the part is and says of itself, whatever its rows hold. Without a period, a report's is that of ``days``."""
    period = part.facts.period
    if period is None and days and not part.facts.is_all_dates:
        period = Period(date.fromisoformat(min(days)), date.fromisoformat(max(days)))
    told: Json = {
        "dataset": part.layout.dataset.full_name,
        "period": {"from": period.first.isoformat(), "to": period.last.isoformat()} if period else None,
        "basis": part.facts.basis,
    }
    return told if part.is_complete else told | {"complete": False}


def counted(part: Part, tally: Tally, item: WorkItem) -> Json:
    """What its rows come to; without a table to compare with, all of them count as to be inserted."""
    rows = RowCounts(read=tally.read, structural=tally.structural, inserted=tally.accepted, rejected=tally.rejected)
    return {
        "rows": rows_told(rows),
        "printed_totals": {"checked": tally.totals_checked, "wrong": 0},
        "row_classes": {RowClass.HEADER.value: 1} | {each.value: count for each, count in tally.row_classes.items()},
        "sums": {name: _shown(total, part.layout.dataset.columns[name]) for name, total in tally.sums.items()},
        "drift": {"new": list(part.layout.new), "lost": list(part.layout.lost), "renamed": renames_in(part.layout)},
        "rejects": [
            {"line": each.line, "column": each.column, "text": each.text, "reason": each.reason}
            for each in tally.rejects
        ],
        "notes": [*part.notes, *notes_of(part.layout, part.table.encoding, tally, is_full=item.is_full)],
    }


def _shown(total: Decimal, kind: ColumnType) -> str:
    """A sum as text, to the last digit; money with cents also where a workbook's numbers have none."""
    exponent = total.as_tuple().exponent
    is_short = kind is ColumnType.MONEY and isinstance(exponent, int) and exponent > _CENTS
    return str(total.quantize(Decimal(1).scaleb(_CENTS))) if is_short else str(total)


def rows_told(rows: RowCounts) -> dict[str, int]:
    """The accounting of rows by fate."""
    names = ("read", "structural", "inserted", "updated", "unchanged", "removed", "rejected")
    return {name: getattr(rows, name) for name in names}
