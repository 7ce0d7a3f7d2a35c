"""Which file does a person mean? By its name, its path, or a part of its name that only one fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from qbwatch.core.model import ItemState, QbwatchError

_FEW = 5  # names that an error lists


@dataclass(frozen=True, slots=True)
class Named:
    """A work item of a file that a name fits. ``name`` is the file's shown path."""

    item_id: int
    file_id: int
    root: str
    name: str
    state: ItemState
    code: str | None
    dataset: str | None
    as_of: datetime


def choose(connection: Connection, asked: str, wanted: Callable[[Named], bool], what: str) -> list[Named]:
    """The wanted items of the one file that ``asked`` means, of its newest version that has such.

    ``what`` says in an error what was looked for ("nothing to retry"). Raises `QbwatchError` when no file fits, none is
    in a fitting state, or several are.
    """
    found = _fitting(connection, asked)
    if not found:
        raise QbwatchError(f"{what}: {asked} is not in the ledger", "`qbwatch files` lists what is")
    fitting = [each for each in found if wanted(each)]
    if not fitting:
        newest = max(found, key=lambda each: each.item_id)
        raise QbwatchError(f"{what}: {newest.name} is {newest.state.value}", f"`qbwatch why {_short(newest)}` says why")
    names = list(dict.fromkeys((each.root, each.name) for each in fitting))
    if len(names) > 1:
        shown = ", ".join(name for _, name in names[:_FEW]) + (", …" if len(names) > _FEW else "")
        raise QbwatchError(f"{asked} fits {len(names)} files: {shown}", "name one of them, with its folder if need be")
    newest_file = max(each.file_id for each in fitting)
    return [each for each in fitting if each.file_id == newest_file]


def _short(found: Named) -> str:
    return found.name.rsplit("/", 1)[-1]


def _fitting(connection: Connection, asked: str) -> list[Named]:
    """Items of the files that fit best: the very name, its last part, a longer path, or a part of names."""
    fits = (
        "file.name = :asked",
        "right(file.name, length(:asked) + 1) = '/' || :asked",
        "right(:asked, length(file.name) + 1) = '/' || file.name",
        "position(lower(:asked) IN lower(file.name)) > 0",
    )
    for each in fits:
        query = f"""SELECT item.id AS item_id, file.id AS file_id, file.root, file.name, item.state,
                           item.failure_code AS code, item.dataset, item.as_of
                    FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
                    WHERE {each} ORDER BY item.id"""
        rows = connection.execute(text(query), {"asked": asked}).mappings().all()
        if rows:
            return [Named(**{**row, "state": ItemState(row["state"])}) for row in rows]
    return []
