"""Fold a raw table anew from the vault, or prove that it equals what that gives.

The fold grows beside the raw table, in a table of this session alone. A rebuild then changes the rows that differ, in
the same transaction: readers see the old content until it commits and are never locked out.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, text

from qbwatch.core.facts import Json
from qbwatch.datasets import Dataset
from qbwatch.edges import store
from qbwatch.edges.comparing import compare
from qbwatch.edges.loader import Loader
from qbwatch.edges.postgres import driver
from qbwatch.edges.refolding import Refolding
from qbwatch.folding import fold_anew
from qbwatch.log import get_logger

log = get_logger(__name__)


def rebuild(connection: Connection, loader: Loader, dataset: Dataset, at: datetime) -> Json:
    """Make a raw table equal the fold of its accepted files, in one transaction. Raises `QbwatchError`."""
    with connection.begin():
        files = len(store.folded_items(connection, dataset.full_name))
        applied = fold_anew(connection, replace(loader, verifies_copies=True), dataset, at)
    log.info("rebuilt", dataset=dataset.full_name, files=files, touched=applied.touched)
    rows = {"inserted": applied.inserted, "updated": applied.updated, "removed": applied.removed}
    return {"dataset": dataset.full_name, "files": files, "rows": rows}


def verify(connection: Connection, loader: Loader, dataset: Dataset, at: datetime) -> Json:
    """Compare a raw table with the fold of its accepted files, as one moment has both; writes nothing.

    Needs no lock: a load that commits meanwhile is invisible here, its rows and its ledger entry alike. The answer
    holds values of a row, so it is for the person who asked, and no log.
    """
    with connection.begin() as transaction:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        items = store.folded_items(connection, dataset.full_name)
        Refolding(replace(loader, verifies_copies=True), connection, dataset, items, at).beside()
        differing, first = compare(driver(connection).cursor(), dataset, loader.raw_schema)
        transaction.rollback()
    said: Json = {"dataset": dataset.full_name, "files": len(items), "equal": not differing}
    return said | {"rows_differing": differing, "first_difference": first}
