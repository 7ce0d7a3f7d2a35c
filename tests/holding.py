"""Holding a load up in the middle: a person's session locks a table, and the load waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from installation import Installation
from psycopg import sql

from qbwatch.demo.exports import ExportFile


def drop_all(files: Sequence[ExportFile], root: Path) -> None:
    """Put files where they belong, each as a whole."""
    for file in files:
        unfinished = root / file.folder / f".{file.name}.tmp"
        unfinished.write_bytes(file.content)
        unfinished.rename(root / file.folder / file.name)


@contextmanager
def held(url: str, table: str) -> Iterator[None]:
    """Nobody can write to the table in the meantime."""
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.Identifier("raw", table)))
        yield
        connection.rollback()


def waits_in_a_load(installation: Installation) -> bool:
    """Whether an item is being loaded and its session waits for a lock."""
    query = """SELECT EXISTS (SELECT FROM qbwatch.work_items WHERE state = 'loading')
                      AND EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                                  AND application_name = 'qbwatch' AND datname = current_database())"""
    return bool(installation.query(query)[0][0])


def items(installation: Installation) -> dict[str, tuple[str, int, int]]:
    """State, attempts and crashes of each file's item."""
    rows = installation.query(
        """SELECT file.name, item.state, item.attempt, item.crashes FROM qbwatch.work_items AS item
           JOIN qbwatch.files AS file ON file.id = item.file_id"""
    )
    return {name: (state, attempt, crashes) for name, state, attempt, crashes in rows}
