"""What the raw tables should hold, said a second time: a fold over dictionaries that shares no code with the product.

A statement is made of rows as the test invented them, so that not even the reading of a file is the product's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

NUMBERS = frozenset({"credit_limit", "product_service_amount", "test_amount"})
NO_ROWS = "no_rows"


@dataclass(frozen=True)
class Line:
    """One row of a file: its key (None: unreadable), its cells by column as text, and whether one is damaged."""

    key: str | None
    cells: tuple[tuple[str, str], ...]
    is_damaged: bool = False


@dataclass(frozen=True)
class Content:
    """What a file says. ``columns`` are the columns it has, ``extra`` those of them that no declaration knows;
    ``period`` is None, ``"all"``, or the first and last day that it prints."""

    kind: str  # list, document, period
    columns: tuple[str, ...]
    extra: tuple[str, ...]
    lines: tuple[Line, ...]
    period: str | tuple[str, str] | None = None


@dataclass(frozen=True)
class Spoken:
    """A file that counts, with what the ledger says of it."""

    content: Content
    file_id: int
    as_of: datetime
    is_full: bool
    content_hash: str
    item_id: int
    accepted: frozenset[str]


@dataclass
class Row:
    """A row of a raw table: where it came from, and what it holds (numbers as text, as written)."""

    file_id: int
    row_number: int
    as_of: datetime
    values: dict[str, str | None]
    extra: dict[str, str] = field(default_factory=dict)
    removed_at: datetime | None = None

    def says(self) -> tuple[Any, ...]:
        return tuple(sorted((name, _comparable(name, value)) for name, value in self.values.items() if value)), tuple(
            sorted(self.extra.items())
        )


Table = dict[tuple[str, int], Row]


def fold(statements: Iterable[Spoken]) -> Table:
    """Everything said about one dataset, oldest first; a full export comes after the windows of its moment."""
    table: Table = {}
    for each in sorted(statements, key=lambda s: (s.as_of, s.is_full, s.content_hash, s.item_id)):
        if each.content.kind == "list":
            _say_list(table, each)
        else:
            _say_groups(table, each)
    return table


def _comparable(name: str, value: str | None) -> Any:
    return Decimal(value) if name in NUMBERS and value else value


def _row(said: Spoken, number: int, line: Line) -> Row:
    cells = dict(line.cells)
    values = {name: cells.get(name) or None for name in said.content.columns if name not in said.content.extra}
    extra = {name: cells[name] for name in said.content.extra if cells.get(name)}
    return Row(said.file_id, number, said.as_of, values, extra)


def _damaged(said: Spoken) -> tuple[set[str], bool]:
    """Keys of rows that can't be read, and whether a row's key itself can't."""
    lines = said.content.lines
    keys = {line.key for line in lines if line.is_damaged and line.key is not None}
    if said.content.kind != "list":
        with_key = [(place, line.key) for place, line in enumerate(lines) if line.key is not None]
        for (place, key), (after, next_key) in pairwise(with_key):
            if key == next_key and after > place + 1:
                keys.add(key)  # a row without a key between two lines of one document is a line of it
    return keys, any(line.key is None for line in lines)


def _readable(said: Spoken) -> list[tuple[int, Line]]:
    damaged, _ = _damaged(said)
    is_document = said.content.kind == "document"
    return [
        (number, line)
        for number, line in enumerate(said.content.lines, start=1)
        if line.key is not None and not line.is_damaged and not (is_document and line.key in damaged)
    ]


def _say_list(table: Table, said: Spoken) -> None:
    readable = _readable(said)
    for number, line in readable:
        assert line.key is not None
        place, fresh = (line.key, 1), _row(said, number, line)
        old = table.get(place)
        if old is None:
            table[place] = fresh
            continue
        blanked = {name for name in said.content.extra if name not in fresh.extra}
        merged = Row(
            fresh.file_id,
            number,
            fresh.as_of,
            {**old.values, **fresh.values},
            {name: value for name, value in {**old.extra, **fresh.extra}.items() if name not in blanked},
        )
        if old.removed_at is not None or merged.says() != old.says():
            table[place] = merged
    spared, has_keyless = _damaged(said)
    if said.is_full and not has_keyless and (readable or NO_ROWS in said.accepted):
        stated = {line.key for _, line in readable} | spared
        for (key, _), row in table.items():
            if key not in stated and row.removed_at is None:
                row.removed_at = said.as_of


def _say_groups(table: Table, said: Spoken) -> None:
    """Documents and days: each one that is stated is replaced as a whole."""
    readable = _readable(said)
    stated: dict[str, list[Row]] = {}
    for number, line in readable:
        assert line.key is not None
        stated.setdefault(line.key, []).append(_row(said, number, line))
    for key, rows in stated.items():
        for place in [place for place in table if place[0] == key and place[1] > len(rows)]:
            del table[place]
        for ordinal, row in enumerate(rows, start=1):
            old = table.get((key, ordinal))
            if old is None or old.says() != row.says():
                table[key, ordinal] = row
    spared, has_keyless = _damaged(said)
    if has_keyless or not (readable or NO_ROWS in said.accepted):
        return
    for place in [place for place in table if place[0] not in stated and place[0] not in spared]:
        if _speaks_for(said, place[0], stated):
            del table[place]


def _speaks_for(said: Spoken, key: str, stated: Mapping[str, Any]) -> bool:
    if said.content.kind == "document":
        return said.is_full
    if said.content.period == "all":
        return True
    if isinstance(said.content.period, tuple):
        return said.content.period[0] <= key <= said.content.period[1]
    return bool(stated) and min(stated) <= key <= max(stated)
