"""Which documents of a large export does the table hold already, to the last line?

An export that is made every day states a hundred thousand documents of which a few are new. The table is asked once
for a digest of each of its documents; whatever comes to the same digest is left out of the load before it is sent.
A document's digest is the exclusive or of its rows' (`formats.row_text`), which know their document and their place.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import pairwise
from operator import xor

from qbwatch.formats.columns import Rows

_NOTHING = Rows([], [], [], [])


class Sieve:
    """Lets through what isn't known, and notes which of the known ``digests``, in order, were stated as they are."""

    def __init__(self, digests: array[int]) -> None:
        self._digests = digests
        self._seen = bytearray(len(digests))

    def changed(self, blocks: Iterable[Rows]) -> Iterator[Rows]:
        """The rows of documents that aren't known as they are, in their order; some or none for each block."""
        held = _NOTHING  # the last document, which may go on in the next block
        for block in blocks:
            rows = _put_together(held, block)
            if rows.begins:
                held = _part_of(rows, rows.begins[-1], len(rows.said))
                yield self._sifted(rows, [*rows.begins])
            else:
                yield _NOTHING
        yield self._sifted(held, [0, len(held.said)] if held.said else [])

    def unseen(self) -> array[int]:
        """Digests of the known documents that weren't stated as they are."""
        return array("q", (digest for digest, is_seen in zip(self._digests, self._seen, strict=True) if not is_seen))

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


def _put_together(held: Rows, block: Rows) -> Rows:
    count = len(held.said)
    if not count:
        return block
    begins = [0, *(begin + count for begin in block.begins)]
    return Rows(held.said + block.said, [*held.numbers, *block.numbers], held.digests + block.digests, begins)


def _part_of(rows: Rows, begin: int, end: int) -> Rows:
    return Rows(rows.said[begin:end], rows.numbers[begin:end], rows.digests[begin:end], [])
