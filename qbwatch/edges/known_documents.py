"""Which documents of a large export does the table hold already, to the last line?

An export that is made every day states a hundred thousand documents of which a few are new. The table is asked once
for a digest of each of its documents; whatever comes to the same digest is left out of the load before it is sent.
A document's digest is the exclusive or of its rows' (`formats.row_text`), which know their document and their place.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import pairwise
from operator import xor

from psycopg import sql

from qbwatch.edges.fold import STAGE, UNSTATED, Cursor
from qbwatch.formats.columns import Rows

_KNOWN = sql.Identifier("pg_temp", "qbwatch_known")
_UNSEEN = sql.Identifier("pg_temp", "qbwatch_unseen")
# Of COPY's binary format: its head, a row of one bigint (how many columns, how long, what), its end.
_HEAD, _TUPLE, _TRAILER = 19, struct.Struct("!hiq"), 2
_NOTHING = Rows([], [], [], [])


class KnownDocuments:
    """The documents of a table at one moment, and which of them a part stated as they are."""

    def __init__(self, cursor: Cursor, table: sql.Identifier) -> None:
        """Reads the whole table, but for what its rows say."""
        for statement in (
            "SET LOCAL work_mem = '64MB'",
            "DROP TABLE IF EXISTS {known}, {unseen}, {unstated}",
            "CREATE TEMP TABLE {known} ON COMMIT DROP AS SELECT _key, bit_xor(_row_hash) AS digest FROM {table}"
            " GROUP BY _key",
            "CREATE TEMP TABLE {unseen} (digest bigint) ON COMMIT DROP",
        ):
            cursor.execute(sql.SQL(statement).format(known=_KNOWN, unseen=_UNSEEN, unstated=UNSTATED, table=table))
        self._digests = _sorted_digests(cursor)
        self._seen = bytearray(len(self._digests))

    def changed(self, blocks: Iterable[Rows]) -> Iterator[Rows]:
        """The rows of documents that the table doesn't hold as they are, in their order."""
        held = _NOTHING  # the last document, which may go on in the next block
        for block in blocks:
            rows = _put_together(held, block)
            if rows.begins:
                held = _part_of(rows, rows.begins[-1], len(rows.said))
                yield self._sifted(rows, [*rows.begins])
        yield self._sifted(held, [0, len(held.said)] if held.said else [])

    def settle(self, cursor: Cursor) -> bool:
        """Note which documents the part doesn't state at all. False when it states one both as it is and otherwise."""
        with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(_UNSEEN)) as out:
            for digest, is_seen in zip(self._digests, self._seen, strict=True):
                if not is_seen:
                    out.write(b"%d\n" % digest)
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
            cursor.execute(sql.SQL(statement).format(**parts))
        twice = """SELECT FROM {stage} AS s JOIN {known} AS k USING (_key)
                   WHERE NOT EXISTS (SELECT FROM {unseen} AS u WHERE u.digest = k.digest) LIMIT 1"""
        return not cursor.execute(sql.SQL(twice).format(**parts)).rowcount

    def _sifted(self, rows: Rows, ends: list[int]) -> Rows:
        """What is changed of the documents between these places."""
        out = Rows([], [], [], [])
        numbers: list[int] = []
        for begin, end in pairwise(ends):
            if not self._see(reduce(xor, rows.digests[begin:end])):
                out.said.extend(rows.said[begin:end])
                out.digests.extend(rows.digests[begin:end])
                numbers.extend(rows.numbers[begin:end])
        return Rows(out.said, numbers, out.digests, [])

    def _see(self, digest: int) -> bool:
        """Whether a document is known as it is; only once."""
        place = bisect_left(self._digests, digest)
        if place == len(self._digests) or self._digests[place] != digest or self._seen[place]:
            return False
        self._seen[place] = 1
        return True


def _sorted_digests(cursor: Cursor) -> array[int]:
    data = bytearray()
    query = sql.SQL("COPY (SELECT digest FROM {} ORDER BY digest) TO STDOUT (FORMAT binary)").format(_KNOWN)
    with cursor.copy(query) as out:
        for piece in out:
            data += piece
    rows = memoryview(data)[_HEAD:-_TRAILER]
    return array("q", (digest for _, _, digest in _TUPLE.iter_unpack(rows)))


def _put_together(held: Rows, block: Rows) -> Rows:
    count = len(held.said)
    if not count:
        return block
    begins = [0, *(begin + count for begin in block.begins)]
    return Rows(held.said + block.said, [*held.numbers, *block.numbers], held.digests + block.digests, begins)


def _part_of(rows: Rows, begin: int, end: int) -> Rows:
    return Rows(rows.said[begin:end], rows.numbers[begin:end], rows.digests[begin:end], [])
