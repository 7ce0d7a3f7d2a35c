"""Which documents a table holds at one moment, by their digests, and which of them a part doesn't state at all.

What is stated as it is known isn't sent (`formats.sieve`).
"""

from __future__ import annotations

from psycopg import sql

from qbwatch.edges.fold import STAGE, UNSTATED, Cursor

_KNOWN = sql.Identifier("pg_temp", "qbwatch_known")
_UNSEEN = sql.Identifier("pg_temp", "qbwatch_unseen")


class KnownDocuments:
    """The documents of a table. ``digests`` are theirs in order, as COPY's binary format has them."""

    def __init__(self, cursor: Cursor, table: sql.Identifier) -> None:
        """Reads the whole table, but for what its rows say."""
        self._cursor = cursor
        for statement in (
            "SET LOCAL work_mem = '64MB'",
            "DROP TABLE IF EXISTS {known}, {unseen}, {unstated}",
            "CREATE TEMP TABLE {known} ON COMMIT DROP AS SELECT _key, bit_xor(_row_hash) AS digest FROM {table}"
            " GROUP BY _key",
            "CREATE TEMP TABLE {unseen} (digest bigint) ON COMMIT DROP",
        ):
            cursor.execute(sql.SQL(statement).format(known=_KNOWN, unseen=_UNSEEN, unstated=UNSTATED, table=table))
        query = sql.SQL("COPY (SELECT digest FROM {} ORDER BY digest) TO STDOUT (FORMAT binary)").format(_KNOWN)
        with cursor.copy(query) as out:
            self.digests = b"".join(out)

    def settle(self, unseen: bytes) -> bool:
        """Note which documents the part doesn't state at all; ``unseen`` are digests of those that it doesn't state as
        they are, a line each. False when it states one both as it is and otherwise."""
        with self._cursor.copy(sql.SQL("COPY {} FROM STDIN").format(_UNSEEN)) as out:
            out.write(unseen)
        parts = {"known": _KNOWN, "unseen": _UNSEEN, "stage": STAGE, "unstated": UNSTATED}
        for statement in (
            "ANALYZE {known}",
            "ANALYZE {unseen}",
            "ANALYZE {stage} (_key, _line)",
            "CREATE TEMP TABLE {unstated} ON COMMIT DROP AS SELECT k._key FROM {known} AS k"
            " WHERE EXISTS (SELECT FROM {unseen} AS u WHERE u.digest = k.digest)"
            " AND NOT EXISTS (SELECT FROM {stage} AS s WHERE s._key = k._key)",
            "ANALYZE {unstated}",
        ):
            self._cursor.execute(sql.SQL(statement).format(**parts))
        twice = """SELECT FROM {stage} AS s JOIN {known} AS k USING (_key)
                   WHERE NOT EXISTS (SELECT FROM {unseen} AS u WHERE u.digest = k.digest) LIMIT 1"""
        return not self._cursor.execute(sql.SQL(twice).format(**parts)).rowcount
