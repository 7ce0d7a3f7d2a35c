"""What a dataset accepted before a part, in the order of the fold: what holds and differences compare it with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from qbwatch.core.holds import Before, Said
from qbwatch.core.model import LoadResult, WorkItem
from qbwatch.core.period import ALL_DATES, Period
from qbwatch.datasets import Dataset, Kind
from qbwatch.edges.store import last_item_where

_SAID = """SELECT file.name, item.rows_inserted + item.rows_updated + item.rows_unchanged AS rows,
                  item.is_full, item.period_first, item.period_last, item.report
           FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
           WHERE item.dataset = :dataset AND item.state = 'loaded' AND item.id <> :id"""
_BEFORE = """(item.as_of, item.is_full, item.content_hash, item.id) < (:as_of, :is_full, :content_hash, :id)"""
_LATEST = "ORDER BY item.as_of DESC, item.is_full DESC, item.content_hash DESC, item.id DESC LIMIT 1"
_SAME_DAYS = "item.period_first = :first AND item.period_last = :last"
_WITHIN = "item.period_first >= :first AND item.period_last <= :last"
_AROUND = "item.period_first <= :first AND item.period_last >= :last"
_OTHER_TITLE = "item.report <> :report"
_ACCEPTED_BEFORE = """item.answers->>'accepted_at' IS NOT NULL AND item.answers->'accepted' ? 'period_overlaps'
                      AND item.report = :report AND item.period_last - item.period_first = :length"""
_SHARES_A_DAY = "item.period_first <= :last AND item.period_last >= :first"


def said_by(item: WorkItem, result: LoadResult, kind: Kind) -> Said:
    """A part that was just folded, in few words."""
    lists_everything = result.period == ALL_DATES if kind is Kind.PERIOD else item.is_full
    return Said(item.name, result.rows.accepted, lists_everything, result.period, result.report)


def before(connection: Connection, item: WorkItem, new: Said, dataset: Dataset) -> Before:
    """What the part is compared with.

    A report that speaks for no day (neither a period nor a row) is compared with the last one of its dataset. What is
    no report and lists only what changed has nothing to be compared with.
    """
    if dataset.kind is Kind.PERIOD:
        last_full = _last(connection, item, _SAME_DAYS, new.period) if new.lists_everything else None
        if new.period is None:
            return Before(_last(connection, item, "true"))
        return Before(
            _last(connection, item, _SHARES_A_DAY, new.period),
            last_full,
            _overlapping(connection, item, new.period),
            None if dataset.is_one_listing else _any(connection, item, f"{_SHARES_A_DAY} AND {_OTHER_TITLE}", new),
            _any(connection, item, _ACCEPTED_BEFORE, new) is not None,
        )
    if not item.is_full:
        return Before()
    last_full = _last(connection, item, "item.is_full")
    return Before(last_full, last_full)


def _last(connection: Connection, item: WorkItem, where: str, period: Period | None = None) -> Said | None:
    query = f"{_SAID} AND {where} AND {_BEFORE} {_LATEST}"
    row = connection.execute(text(query), _values(item, period)).mappings().one_or_none()
    return None if row is None else _said(row)


def _any(connection: Connection, item: WorkItem, where: str, new: Said) -> Said | None:
    """The newest accepted report, earlier or later, of which this is so; a report of no known title has none."""
    if new.report is None or new.period is None:
        return None
    values = _values(item, new.period) | {"report": new.report, "length": (new.period.last - new.period.first).days}
    row = connection.execute(text(f"{_SAID} AND {where} {_LATEST}"), values).mappings().one_or_none()
    return None if row is None else _said(row)


def _overlapping(connection: Connection, item: WorkItem, period: Period) -> tuple[Said, ...]:
    """Accepted reports, earlier and later ones, that share a day with the period."""
    query = f"{_SAID} AND {_SHARES_A_DAY} AND NOT ({_WITHIN}) AND NOT ({_AROUND}) ORDER BY item.as_of, item.id"
    return tuple(_said(row) for row in connection.execute(text(query), _values(item, period)).mappings())


def replaced_by(connection: Connection, item: WorkItem, result: LoadResult) -> WorkItem | None:
    """The earlier file that this one replaces, if any: the former version of its path, else the last full export before
    a full one, else the last report of just its period."""
    former = "item.superseded_by = :id"
    if (found := _earlier(connection, former, _values(item))) is not None:
        return found
    if result.period is not None:
        same = f"item.state = 'loaded' AND {_SAME_DAYS} AND {_BEFORE}"
        return _earlier(connection, same, _values(item, result.period))
    if item.is_full:
        return _earlier(connection, f"item.state = 'loaded' AND item.is_full AND {_BEFORE}", _values(item))
    return None


def _earlier(connection: Connection, where: str, values: Mapping[str, Any]) -> WorkItem | None:
    return last_item_where(connection, f"item.dataset = :dataset AND item.id <> :id AND {where}", values)


def _values(item: WorkItem, period: Period | None = None) -> dict[str, Any]:
    return {
        "dataset": item.dataset,
        "id": item.id,
        "as_of": item.as_of,
        "is_full": item.is_full,
        "content_hash": item.content_hash,
        "first": period.first if period else None,
        "last": period.last if period else None,
    }


def _said(row: Mapping[Any, Any]) -> Said:
    period = Period(row["period_first"], row["period_last"]) if row["period_first"] is not None else None
    return Said(row["name"], int(row["rows"]), bool(row["is_full"]), period, row["report"])
