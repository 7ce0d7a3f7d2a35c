"""Which files that an old pipeline loaded needn't be loaded again?

The old tables are no help: they may lack lines and hold others twice, and the raw tables are a function of the accepted
files and of nothing else. What a file says is in them only if that file is folded, or if another one says it anew. So a
file of documents may be passed over when a *full export* of the same dataset comes after it in the fold: that replaces
every document that it lists and removes all others, so nothing of what stands before it is left. Everything else is
loaded, whatever the old state says:

* the full export itself, and what comes after it: they are what the tables are made of;
* lists, which are folded column by column: an older file may hold the last known value of a column, the row of a
  record that was removed since, and a price that an item once had;
* reports, of which each speaks for its own days.

The reason lasts only as long as the full export counts. Once it is refused, reverted or found to have rows that can't
be read, what was passed over because of it is loaded after all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from qbwatch.core.model import ItemState, WorkItem
from qbwatch.core.old_state import plain_name

Place = tuple[datetime, bool, str, int]


@dataclass(frozen=True, slots=True)
class Decided:
    """A waiting part that the old pipeline names: the newest full export that states all it says, or why it is loaded
    nevertheless."""

    item: WorkItem
    covered_by: WorkItem | None
    reason: str | None = None


def place_in_fold(item: WorkItem) -> Place:
    """Where an item stands in the fold of its dataset: a full export after the windows of its moment."""
    return (item.as_of, item.is_full, item.content_hash, item.id)


def cover_of(item: WorkItem, full_exports: Iterable[WorkItem]) -> WorkItem | None:
    """The newest full export of the item's dataset that comes after it in the fold."""
    later = [
        each
        for each in full_exports
        if each.dataset == item.dataset and each.id != item.id and place_in_fold(each) > place_in_fold(item)
    ]
    return max(later, key=place_in_fold, default=None)


def decide(items: Sequence[WorkItem], names: Collection[str], documents: Collection[str]) -> list[Decided]:
    """What becomes of the waiting parts that the old pipeline names, in the order in which they came.

    ``items`` are all parts that wait or are loaded; ``documents`` the datasets whose full exports replace everything.
    """
    full_exports = [each for each in items if each.is_full and each.dataset in documents]
    waiting = [each for each in items if each.state in (ItemState.PENDING, ItemState.RETRYING)]
    return [_decided(each, full_exports, documents) for each in waiting if plain_name(each.name) in names]


def _decided(item: WorkItem, full_exports: Sequence[WorkItem], documents: Collection[str]) -> Decided:
    if item.dataset not in documents:
        return Decided(item, None, "its kind is folded as a whole: older files count beside newer ones")
    cover = cover_of(item, full_exports)
    if cover is None and item.is_full:
        return Decided(item, None, "it is the newest full export: the tables begin with it")
    return Decided(item, cover, None if cover else "no newer full export states what it says")


def uncovered(adopted: Sequence[WorkItem], full_exports: Sequence[WorkItem]) -> list[WorkItem]:
    """Those that were passed over because of a full export that doesn't count any more."""
    return [each for each in adopted if cover_of(each, full_exports) is None]
