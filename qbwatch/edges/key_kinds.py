"""Are a part's records told apart by the same kind of key as those that its table holds?

The same invoice by its internal id and by its number, day and name would be two documents, and no rule says safely
that they are one. So all accepted files of a dataset are keyed alike; a part with another kind of key is refused,
whichever came first. Whoever wants to change over takes the other files back (`qbwatch revert`).
"""

from __future__ import annotations

from psycopg import sql

from qbwatch.core.model import Failure, FailureClass
from qbwatch.datasets import Dataset
from qbwatch.edges.fold import Cursor
from qbwatch.formats.layout import Layout

OTHER_KEY = "other_key"


def check_key_kind(cursor: Cursor, target: sql.Identifier, layout: Layout) -> Failure | None:
    """None when the table is empty or keyed as the part is. A document's first line has all of its key's columns.

    All rows are keyed alike, as this is asked of every part; so one of them tells, and none needs be looked for.
    """
    dataset, own = layout.dataset, layout.key_columns
    if len(dataset.keys) < 2 or own not in dataset.keys:
        return None
    query = sql.SQL("SELECT {rank} FROM {target} AS t WHERE t._line = 1 LIMIT 1").format(
        rank=_rank(dataset), target=target
    )
    row = cursor.execute(query).fetchone()
    if row is None or row[0] == dataset.keys.index(own):
        return None
    theirs = ", ".join(dataset.keys[row[0]])
    return Failure(
        FailureClass.DATA,
        OTHER_KEY,
        f"its records are told apart by {', '.join(own)}, those of {dataset.full_name} so far by {theirs}: the same "
        "ones would be there twice",
        f"export it with {theirs}; or `qbwatch revert` the other files, then `qbwatch retry` this one",
    )


def _rank(dataset: Dataset) -> sql.Composed:
    """Which of the dataset's keys a row has: the best whose columns are all filled, as a file is read."""
    cases = [
        sql.SQL("WHEN {} THEN {}").format(
            sql.SQL(" AND ").join(sql.SQL("t.{} IS NOT NULL").format(sql.Identifier(name)) for name in key),
            sql.Literal(rank),
        )
        for rank, key in enumerate(dataset.keys)
    ]
    last = sql.Literal(len(dataset.keys) - 1)
    return sql.SQL("(CASE {} ELSE {} END)").format(sql.SQL(" ").join(cases), last)
