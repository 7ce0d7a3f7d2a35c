"""A page of the work table: parts of files, narrowed and sorted, wherever a list of thousands is looked at.

Postgres does the narrowing, the sorting and the counting, so that nobody holds more rows than fit on a screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from qbwatch.core.facts import Json, moment
from qbwatch.core.holds import HOLDS
from qbwatch.core.model import ItemState, QbwatchError
from qbwatch.edges.decisions import DECIDED

LONGEST_PAGE = 500

_SORTS = {
    "as_of": "item.as_of",
    "name": "file.name",
    "dataset": "item.dataset",
    "state": "item.state",
    "rows": "item.rows_read",
    "changed": "item.changed_at",
}
_COUNTS = ("read", "structural", "inserted", "updated", "unchanged", "removed", "rejected")


@dataclass(frozen=True, slots=True)
class Wish:
    """Which page. ``at`` is an item that is to be on it, ``lead`` rows below its top; else it begins at ``offset``."""

    states: tuple[str, ...] = ()
    dataset: str | None = None
    text: str = ""
    sort: str = "as_of"
    descending: bool = True
    offset: int = 0
    limit: int = 100
    at: int | None = None
    lead: int = 0

    @classmethod
    def of(cls, params: Json) -> Wish:
        """From the parameters of a request. Raises `QbwatchError` for what is none."""
        known = {name: params[name] for name in cls.__slots__ if params.get(name) is not None}
        try:
            wish = cls(**{**known, "states": tuple(known.get("states", ()))})
            numbers = (wish.offset, wish.limit, wish.lead, wish.at or 0)
            fits = wish.sort in _SORTS and all(isinstance(each, int) and each >= 0 for each in numbers)
            fits = fits and isinstance(wish.text, str) and set(wish.states) <= {each.value for each in ItemState}
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise QbwatchError("this is no page of files", "sort by one of: " + ", ".join(_SORTS))
        return wish


def page_of_files(connection: Connection, wish: Wish) -> Json:
    """The page, with the number of all parts that fit, and of the whole ledger by state."""
    values: dict[str, Any] = {
        "states": list(wish.states) or None,
        "dataset": wish.dataset,
        "like": f"%{_like(wish.text)}%" if wish.text else None,
    }
    order = _order(wish)
    states: dict[str, int] = {row[0]: row[1] for row in connection.execute(text(_STATES))}
    is_narrowed = bool(wish.dataset or wish.text)
    total = (
        int(connection.execute(text(f"SELECT count(*) {_FROM}"), values).scalar_one())
        if is_narrowed
        else sum(count for state, count in states.items() if not wish.states or state in wish.states)
    )
    offset, place = wish.offset, None
    if wish.at is not None:
        query = f"""SELECT place FROM (SELECT item.id, row_number() OVER (ORDER BY {order}) - 1 AS place {_FROM})
                    AS listed WHERE id = :at"""
        place = connection.scalar(text(query), {**values, "at": wish.at})
        offset = wish.offset if place is None else max(place - wish.lead, 0)
    limit = min(wish.limit, LONGEST_PAGE)
    offset = max(min(offset, total - 1), 0)
    query = f"{_SELECT} {_FROM} ORDER BY {order} LIMIT :limit OFFSET :offset"
    rows = connection.execute(text(query), {**values, "limit": limit, "offset": offset}).mappings()
    return {"total": total, "offset": offset, "place": place, "states": states, "files": [_shown(row) for row in rows]}


def _order(wish: Wish) -> str:
    way = "DESC NULLS LAST" if wish.descending else "ASC NULLS LAST"
    return f"{_SORTS[wish.sort]} {way}, item.id {'DESC' if wish.descending else 'ASC'}"


def _like(asked: str) -> str:
    return asked.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _shown(row: Any) -> Json:
    moments = {name: moment(row[name]) for name in ("as_of", "changed_at", "loaded_at", "next_attempt_at")}
    is_decided = row["state"] == "skipped" and row["code"] in DECIDED
    return {
        "id": row["id"],
        "file_id": row["file_id"],
        "name": row["name"].rsplit("/", 1)[-1],
        "path": row["name"],
        "root": row["root"],
        "sheet": row["sheet"],
        "dataset": row["dataset"],
        "full": row["is_full"],
        "state": row["state"],
        "code": row["code"],
        "is_question": row["state"] == "quarantined" and row["code"] in HOLDS,
        "is_decided": is_decided,
        "reason": row["reason"],
        "hint": row["hint"],
        "attempt": row["attempt"],
        **moments,
        "rows": None if row["rows_read"] is None else {name: row[f"rows_{name}"] for name in _COUNTS},
    }


_STATES = "SELECT state, count(*) FROM qbwatch.work_items GROUP BY state"

_SELECT = """
SELECT item.id, item.file_id, file.name, file.root, item.sheet, item.dataset, item.is_full, item.state,
       item.failure_code AS code, item.reason, item.hint, item.attempt, item.as_of, item.changed_at, item.loaded_at,
       item.next_attempt_at, item.rows_read, item.rows_structural, item.rows_inserted, item.rows_updated,
       item.rows_unchanged, item.rows_removed, item.rows_rejected"""

_FROM = """
FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE (CAST(:states AS text[]) IS NULL OR item.state = ANY(:states))
  AND (CAST(:dataset AS text) IS NULL OR item.dataset = :dataset)
  AND (CAST(:like AS text) IS NULL OR file.name ILIKE :like ESCAPE '!')"""
