"""In what order, in which mode, and why?

The mode is found, not chosen: nothing loaded yet → ``seed``; new files → ``incremental``; only things left unfinished
or owed → ``repair``; nothing → no run at all. A person may force one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from qbwatch.core.model import Mode, WorkItem


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision rests on. ``due`` are items that may be loaded now, ``owed`` datasets whose dbt work is due,
    ``refused`` items that were set aside as soon as they came and that no run has reported yet, ``unfolded`` datasets
    whose raw table was made anew and lacks what is loaded."""

    has_loaded: bool
    due: Sequence[WorkItem]
    owed: Sequence[str]
    refused: Sequence[WorkItem] = ()
    unfolded: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that is worth running: items in order, those to report as ``refused``, whether to fold everything (or
    ``only`` one dataset) anew, and why, in one line. ``refold`` are datasets to fold anew before anything is loaded."""

    mode: Mode
    items: tuple[WorkItem, ...]
    refold_all: bool
    full_refresh: bool
    why: str
    refused: tuple[WorkItem, ...] = ()
    only: str | None = None
    refold: tuple[str, ...] = ()


def make_plan(facts: Facts, ranks: Mapping[str, int], force: Mode | None = None) -> Plan | None:
    """The run to do now, or None when there is nothing to do. ``ranks`` is each dataset's place in dependency order."""
    items = tuple(sorted(facts.due, key=lambda item: load_order(item, ranks)))
    if force is Mode.SEED:
        why = "seed was asked for: everything is folded and built anew"
        return Plan(Mode.SEED, items, refold_all=True, full_refresh=True, why=why, refused=tuple(facts.refused))
    if not items and not facts.owed and not facts.refused and not facts.unfolded:
        return None
    mode = force or _mode(facts)
    why, refused, refold = _why(facts, mode, force), tuple(facts.refused), tuple(facts.unfolded)
    return Plan(mode, items, refold_all=False, full_refresh=mode is Mode.SEED, why=why, refused=refused, refold=refold)


def load_order(item: WorkItem, ranks: Mapping[str, int]) -> tuple[int, str, datetime, bool, str, int]:
    """Parents before children; inside a dataset by ``as_of``, a full export after the windows of its moment."""
    name = item.dataset or ""
    return (ranks.get(name, 0), name, item.as_of, item.is_full, item.content_hash, item.id)


def _mode(facts: Facts) -> Mode:
    if facts.due and not facts.has_loaded:
        return Mode.SEED
    if facts.refused or any(item.is_new for item in facts.due):
        return Mode.INCREMENTAL
    return Mode.REPAIR


def _why(facts: Facts, mode: Mode, force: Mode | None) -> str:
    count = len(facts.due)
    new = sum(1 for item in facts.due if item.is_new)
    if force is not None:
        return f"{force.value} was asked for: {_files(count)} waiting"
    if mode is Mode.SEED:
        return f"nothing was loaded yet: {_files(count)} to begin with"
    if mode is Mode.INCREMENTAL:
        parts = [f"{_files(new)} new"] if new else []
        parts += [f"{_files(count - new)} tried before"] if count > new else []
        parts += [f"{_files(len(facts.refused))} refused"] if facts.refused else []
        return ", ".join(parts)
    parts = [f"{_files(count)} unfinished"] if count else []
    if facts.unfolded:
        parts.append("raw tables made anew are to be filled from the vault: " + ", ".join(facts.unfolded))
    if facts.owed:
        parts.append("dbt is owed for " + ", ".join(facts.owed))
    return "; ".join(parts)


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
