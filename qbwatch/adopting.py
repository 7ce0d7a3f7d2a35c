"""What an old pipeline left behind, and what of it counts here: gathered from its state, the ledger and the catalog."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from qbwatch.core.adoption import Decided, place_in_fold
from qbwatch.core.facts import Json, moment
from qbwatch.core.model import ItemState, QbwatchError, WorkItem
from qbwatch.core.naming import read_file_name
from qbwatch.core.old_state import plain_name
from qbwatch.datasets import Kind, datasets
from qbwatch.edges import adoptions
from qbwatch.edges.old_pipeline import names_in_file, names_in_schema
from qbwatch.formats.recognise import named_by


@dataclass(frozen=True, slots=True)
class OldState:
    """Where the old pipeline kept what it had loaded: a JSON file, a schema or table of the database, or both."""

    file: Path | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """The ``names`` that the old pipeline notes, and where they were ``found_in``; the ``items`` that count or will,
    and the names of everything that ``lies`` in the folders or is in the ledger."""

    names: Collection[str]
    found_in: Sequence[str]
    items: Sequence[WorkItem]
    lies: Collection[str]


def names_of(connection: Connection | None, old: OldState) -> tuple[set[str], list[str]]:
    """The names that the old pipeline notes, and where. Raises `QbwatchError` where there are none."""
    names: set[str] = set()
    found_in: list[str] = []
    if old.file is not None:
        names, found_in = names_in_file(old.file), [str(old.file)]
    if old.place is not None:
        if connection is None:
            raise QbwatchError("the private Postgres was never started: it holds no old schema", "say --from-json")
        more, columns = names_in_schema(connection, old.place)
        names, found_in = names | more, [*found_in, *columns]
    return names, found_in


def known_of(
    connection: Connection | None,
    names: Collection[str],
    found_in: Sequence[str],
    foreseen: Iterable[tuple[WorkItem, bool]] = (),
) -> Known:
    """What the ledger knows, and what is ``foreseen`` of files that aren't in it yet, with whether each will count."""
    coming = list(foreseen)
    items = [item for item, will_count in coming if will_count]
    lies = {plain_name(item.name) for item, _ in coming}
    if connection is not None:
        items += adoptions.standing_items(connection)
        lies |= {plain_name(name) for name in connection.scalars(text("SELECT DISTINCT name FROM qbwatch.files"))}
    return Known(names, found_in, items, lies)


def told(known: Known, decided: Sequence[Decided], zone: ZoneInfo) -> Json:
    """What is passed over, loaded nevertheless, and gone, as the answer says it."""
    loaded = {plain_name(each.name) for each in known.items if each.state is ItemState.LOADED}
    waiting = {plain_name(each.item.name) for each in decided}
    return {
        "found_in": list(known.found_in),
        "named": len(known.names),
        "adopted": [
            _part(each.item) | {"covered_by": each.covered_by.name} for each in decided if each.covered_by is not None
        ],
        "loaded_anyway": [_part(each.item) | {"reason": each.reason} for each in decided if each.covered_by is None],
        "loaded_already": len(loaded & set(known.names) - waiting),
        "left_as_they_are": len(set(known.names) & set(known.lies) - loaded - waiting),
        "gone": [_gone(name, known.items, zone) for name in sorted(set(known.names) - set(known.lies))],
    }


def _part(item: WorkItem) -> Json:
    return {"name": item.name, "sheet": item.sheet, "dataset": item.dataset, "as_of": moment(item.as_of)}


def _gone(name: str, items: Sequence[WorkItem], zone: ZoneInfo) -> Json:
    """A file that lies nowhere any more: what its name says of it, and a newer full export of its dataset, which tells
    how things stand."""
    reading = read_file_name(name)
    dataset, as_of = named_by(reading.stem), reading.as_of(zone)
    newer = [
        each
        for each in items
        if dataset is not None
        and dataset.kind is not Kind.PERIOD
        and as_of is not None
        and each.is_full
        and each.dataset == dataset.full_name
        and each.as_of >= as_of
    ]
    covered_by = max(newer, key=place_in_fold, default=None)
    return {
        "name": name,
        "dataset": dataset.full_name if dataset else None,
        "as_of": moment(as_of) if as_of else None,
        "covered_by": covered_by.name if covered_by else None,
    }


DOCUMENTS = frozenset(name for name, dataset in datasets().items() if dataset.kind is Kind.DOCUMENT)
"""Datasets whose full exports replace everything that stands before them."""
