"""The rows of an IIF file, each with what it is: its keyword, its columns, and whether a group lists it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from qbwatch.formats.table import Row

ITEM = "INVITEM"
_GROUPS = {"GRP": "ENDGRP", "STAX": "ENDTAX"}  # type of a group → the keyword that ends the list of its members
_UNNAMED = "Unnamed "


@dataclass(frozen=True, slots=True)
class Entry:
    """One row that isn't blank. ``labels`` are the names of its cells, None where no header says them; of a header's
    own row ``is_header`` is true. ``is_member``: a group lists it, or it ends such a list."""

    line: int
    keyword: str
    cells: list[str]
    labels: tuple[str, ...] | None
    is_header: bool = False
    is_member: bool = False


def walk(rows: Iterable[Row]) -> Iterator[Entry]:
    """All rows of a file but blank ones, in order."""
    labels: dict[str, tuple[str, ...]] = {}
    ends_with: str | None = None
    for row in rows:
        keyword, cells = row.cells[0].replace("\x00", "").strip().upper() if row.cells else "", row.cells[1:]
        if not keyword and not any(cell.strip() for cell in cells):
            continue
        if keyword.startswith("!"):
            keyword = keyword[1:]
            labels[keyword] = label(cells)
            ends_with = ends_with if keyword != ITEM else None
            yield Entry(row.line, keyword, cells, labels[keyword], is_header=True)
            continue
        own = labels.get(keyword)
        if keyword == ITEM and (end := _GROUPS.get(_type_of(own, cells))):
            ends_with = end
            yield Entry(row.line, keyword, cells, own)
        elif keyword in _GROUPS.values():
            ends_with = None
            yield Entry(row.line, ITEM, cells, (), is_member=True)
        else:
            ends_with = ends_with if keyword == ITEM else None
            yield Entry(row.line, keyword, cells, own, is_member=ends_with is not None)


def _type_of(labels: Sequence[str] | None, cells: Sequence[str]) -> str:
    """The type of an item."""
    named = dict(zip(labels or (), cells, strict=False))
    return named.get("INVITEMTYPE", "").strip().upper()


def label(cells: Sequence[str]) -> tuple[str, ...]:
    """Names of a header's cells: one that occurs again is numbered, one without a name is called by its place."""
    seen: Counter[str] = Counter()
    labels = []
    for place, cell in enumerate(cells, start=1):
        name = cell.strip().upper() or f"{_UNNAMED}{place}"
        seen[name] += 1
        labels.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return tuple(labels)


def is_unnamed(name: str) -> bool:
    """Whether a header's cell was blank."""
    return name.startswith(_UNNAMED)
