"""A person says that a column has another header now: is that so, and which waiting files does it help?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from qbwatch.core.filename import part_name
from qbwatch.core.model import QbwatchError, WorkItem
from qbwatch.edges import decisions, mappings
from qbwatch.edges.loader import Loader
from qbwatch.edges.store import items_where
from qbwatch.edges.vault import VaultError
from qbwatch.formats.part import Part
from qbwatch.formats.recognise import names_of
from qbwatch.formats.refusal import Refusal

_SHOWN = 12  # headers that an error lists


def map_columns(
    connection: Connection, loader: Loader, item_ids: Sequence[int], renamed: Mapping[str, str], at: datetime
) -> list[str]:
    """Read these parts of a file by a mapping (column → the header it has now), in the caller's transaction.

    Other parts that wait for the same reason, and have the same headers, are read by it too. Returns the names of all
    parts that go back into the queue. Raises `QbwatchError` when the mapping doesn't fit.
    """
    items = items_where(connection, "item.id = ANY(:ids)", {"ids": list(item_ids)})
    fitting = [(item, part) for item in items if (part := _read_by(loader, item, renamed)) is not None]
    if not fitting:
        raise _misfit(loader, items[0], renamed)
    for item, part in fitting:
        mappings.keep(connection, item, part.layout.dataset.full_name, part.renamed)
        mappings.remember(connection, item, at)
    names = {part.layout.dataset.full_name for _, part in fitting}
    chosen = {item.id for item, _ in fitting}
    for item in mappings.in_want(connection):
        if item.id in chosen or (part := _read_by(loader, item, renamed)) is None:
            continue
        if part.layout.dataset.full_name in names:
            mappings.keep(connection, item, part.layout.dataset.full_name, part.renamed)
            fitting.append((item, part))
    ids = [item.id for item, _ in fitting]
    decisions.accept(connection, ids, at)
    decisions.release(connection, ids, at)
    return [part_name(item.name, item.sheet) for item, _ in fitting]


def _read_by(loader: Loader, item: WorkItem, renamed: Mapping[str, str]) -> Part | None:
    """The part as the mapping reads it; None where it doesn't fit in every word."""
    known = item.answers.get("renamed", {})
    mapped = replace(item, answers={**item.answers, "renamed": {**known, **renamed}})
    try:
        part = loader.open(mapped)
    except (Refusal, VaultError):
        return None
    is_whole = renamed.keys() <= part.renamed.keys()
    return part if is_whole and all(_is_declared(part, header) for header in part.renamed.values()) else None


def _is_declared(part: Part, header: str) -> bool:
    """Whether what stands under this header goes to a column of the dataset now."""
    place = part.layout.header.written.index(header)
    return part.layout.header.columns[place] in part.layout.dataset.columns


def _misfit(loader: Loader, item: WorkItem, renamed: Mapping[str, str]) -> QbwatchError:
    """Why the mapping is of no use for the file, in the words of its first fault."""
    hint = '`qbwatch why` says what the file lacks; a mapping is "column=header that it has now"'
    try:
        part = loader.open(replace(item, answers={**item.answers, "renamed": dict(renamed)}))
    except (Refusal, VaultError) as refused:
        return QbwatchError(f"with that mapping {item.name} can't be read either: {refused.failure.reason}", hint)
    written = [header for header in part.layout.header.written if header.strip()]
    standing = set(names_of(written))
    for column, header in renamed.items():
        if names_of([header])[0] not in standing:
            told = ", ".join(repr(each) for each in written[:_SHOWN]) + (", …" if len(written) > _SHOWN else "")
            return QbwatchError(f"{item.name} has no column {header!r}", f"it has: {told}")
        if column in standing:
            return QbwatchError(f"{item.name} has a column {column!r} of its own, so it was not renamed", hint)
    full_name, names = (
        part.layout.dataset.full_name,
        ", ".join(column for column, header in part.renamed.items() if not _is_declared(part, header)),
    )
    return QbwatchError(f"{full_name} has no column {names}", "name a column as `qbwatch check` tells it under lacks")
