"""Take a file's effect back: the set of accepted files minus one, folded again.

To have taken the place of an earlier version was an effect of it too, so that version counts again.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from qbwatch.core.facts import Json, moment
from qbwatch.core.model import ItemState
from qbwatch.datasets import datasets
from qbwatch.edges import decisions
from qbwatch.edges.file_search import Named, choose
from qbwatch.edges.loader import Loader
from qbwatch.folding import fold_changes
from qbwatch.log import get_logger

log = get_logger(__name__)


def revert(
    connection: Connection,
    loader: Loader,
    asked: str,
    at: datetime,
    *,
    dry_run: bool = False,
    file_id: int | None = None,
) -> Json:
    """Revert the newest loaded version of the file that ``asked`` means, or the version ``file_id`` of it, in one
    transaction; what that did, as JSON.

    ``removed`` counts rows that are gone from the raw tables, ``restored`` those that are as they would be without the
    file. With ``dry_run`` all of it is rolled back. Raises `QbwatchError`.
    """
    with connection.begin() as transaction:
        chosen = choose(connection, asked, lambda found: _is_loaded(found, file_id), "nothing to revert")
        said = _revert(connection, loader, chosen, at) | {"dry_run": dry_run}
        if dry_run:
            transaction.rollback()
    if not dry_run:
        log.info("reverted", file=said["name"], removed=said["removed"], restored=said["restored"])
    return said


def _is_loaded(found: Named, file_id: int | None) -> bool:
    return found.state is ItemState.LOADED and file_id in (None, found.file_id)


def _revert(connection: Connection, loader: Loader, chosen: list[Named], at: datetime) -> Json:
    ids = [each.item_id for each in chosen]
    taken = decisions.take_back(connection, ids, at)
    restored = decisions.restore_superseded(connection, ids, at)
    names = {item.dataset for item in (*taken, *restored)}
    effects = []
    for name, dataset in datasets().items():
        if name in names:
            applied = fold_changes(connection, loader, dataset, at)
            effects.append(
                {"dataset": name, "removed": applied.removed, "restored": applied.inserted + applied.updated}
            )
    return {
        "name": chosen[0].name,
        "as_of": moment(chosen[0].as_of),
        "removed": sum(effect["removed"] for effect in effects),
        "restored": sum(effect["restored"] for effect in effects),
        "datasets": effects,
        "restored_files": sorted({item.name for item in restored}),
        "owed": [effect["dataset"] for effect in effects if effect["removed"] or effect["restored"]],
    }
