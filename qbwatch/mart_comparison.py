"""Are the new marts what the old ones are? Each table of both schemas, as one moment has them; writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from qbwatch.core.comparison import Compared, Pair
from qbwatch.core.facts import Json
from qbwatch.core.model import QbwatchError
from qbwatch.edges.dbt_keys import unique_columns
from qbwatch.edges.mart_difference import TableComparer
from qbwatch.edges.mart_tables import check_readable, shapes
from qbwatch.edges.postgres import driver


@dataclass(frozen=True, slots=True)
class Asked:
    """What to compare: all tables or one, by a key of one's own or the known ones, without some columns. ``limit``:
    examples of each kind that are told of a table."""

    new_schema: str
    old_schema: str
    table: str | None = None
    key: Sequence[str] = ()
    ignored: frozenset[str] = frozenset()
    limit: int = 5


def compare_marts(
    connection: Connection, project: Path, asked: Asked, progress: Callable[[str], None] = lambda _: None
) -> Json:
    """The answer to ``compare --json``; ``progress`` is told each table's name. Raises `QbwatchError`.

    ``connection`` must not be in a transaction yet: all is read in one that can't write.
    """
    if asked.new_schema == asked.old_schema:
        raise QbwatchError(
            f"{asked.old_schema} is the schema that dbt builds in: it would be compared with itself",
            "set target_schema in [transform] to a name of its own, and let dbt build there",
        )
    with connection.begin():
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        new, old = shapes(connection, asked.new_schema), shapes(connection, asked.old_schema)
        names = _wanted(asked, set(new), set(old))
        both = sorted(names & new.keys() & old.keys())
        for schema in (asked.new_schema, asked.old_schema):
            check_readable(connection, schema, both)
        pairs = [Pair(name, new[name], old[name], asked.ignored) for name in both]
        compared = list(_compared(connection, project, asked, pairs, progress))
        only_old = sorted(names & old.keys() - new.keys())
    return {
        "new_schema": asked.new_schema,
        "old_schema": asked.old_schema,
        "equal": not only_old and all(each.is_equal for each in compared),
        "tables_only_new": sorted(names & new.keys() - old.keys()),
        "tables_only_old": only_old,
        "tables": [each.json() for each in compared],
    }


def _wanted(asked: Asked, new: set[str], old: set[str]) -> set[str]:
    """The tables to compare. Raises `QbwatchError` when there is nothing to compare."""
    if asked.table is not None and asked.table not in new | old:
        raise QbwatchError(
            f"neither {asked.new_schema} nor {asked.old_schema} has a table {asked.table}",
            "they have: " + ", ".join(sorted(new | old)),
        )
    if not old:
        raise QbwatchError(f"{asked.old_schema} has no tables", "name the schema of the marts, such as analytics_mart")
    if not new:
        raise QbwatchError(f"{asked.new_schema} has no tables yet", "`qbwatch once` loads the files and runs dbt")
    return {asked.table} if asked.table is not None else new | old


def _compared(
    connection: Connection, project: Path, asked: Asked, pairs: Sequence[Pair], progress: Callable[[str], None]
) -> Iterator[Compared]:
    declared = unique_columns(project)
    for place, pair in enumerate(pairs, start=1):
        progress(f"[{place}/{len(pairs)}] comparing {pair.table}")
        keys = pair.keys(declared.get(pair.table, ()), asked.key)
        if asked.key and not keys:
            missing = ", ".join(name for name in asked.key if name not in pair.shared)
            raise QbwatchError(f"{pair.table} has no column {missing} on both sides", "name columns that both have")
        cursor = driver(connection).cursor()
        compared = TableComparer(cursor, pair, asked.new_schema, asked.old_schema, asked.limit).compare(keys)
        if asked.key and compared.key is None:
            raise QbwatchError(
                f"{', '.join(asked.key)} doesn't tell the rows of {pair.table} apart on both sides",
                "name more columns, or leave --key out to compare whole rows",
            )
        yield compared
