"""Is the ledger in the shape in which the migrations left it?

Every table, view, column and type of schema ``qbwatch`` stands in ``migrations/shape.txt``, as the newest migration
leaves them; a test compares the two, and prints what to write there. What people add is theirs; what is gone or of
another type was changed by hand, or comes from a restore that was cut short.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from qbwatch.edges.shipped import shipped

_SHAPE = """
SELECT format('%s.%s %s%s', relname, attname, format_type(atttypid, atttypmod),
              CASE WHEN attnotnull THEN ' not null' ELSE '' END) AS line
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = to_regnamespace('qbwatch') AND relkind IN ('r', 'v') AND attnum > 0 AND NOT attisdropped"""


def shape_of(connection: Connection) -> list[str]:
    """A line for each column: ``table.column type``, and ``not null`` where it is that."""
    return sorted(connection.scalars(text(_SHAPE)))


def drift_of(connection: Connection) -> Sequence[str]:
    """The lines that should be there and aren't. For a ledger that is at the newest migration."""
    wanted = (shipped("migrations") / "shape.txt").read_text("utf-8").splitlines()
    found = set(shape_of(connection))
    return [line for line in wanted if line and line not in found]
