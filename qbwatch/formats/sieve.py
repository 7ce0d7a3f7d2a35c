"""Which documents of a large export does the table hold already, to the last line?

An export that is made every day states a hundred thousand documents of which a few are new. The table is asked once
for a digest of each of its documents; whatever comes to the same digest is left out of the load before it is sent.
A document's digest is the exclusive or of its rows' (`formats.row_text`), which know their document and their place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise
from operator import xor

from qbwatch.formats.columns import Rows
from qbwatch.formats.plain_text import NotPlain

_NOTHING = Rows([], [], [], [])


class Sieve:
    """Lets through what isn't known. ``known`` are the keys of a table's documents by their digests."""

    def __init__(self, known: dict[int, bytes]) -> None:
        self._unseen = known
        self._seen: set[bytes] = set()  # keys of documents that were stated as they are
        self._changed: set[bytes] = set()

    def changed(self, blocks: Iterable[Rows]) -> Iterator[Rows]:
        """The rows of documents that aren't known as they are, in their order; some or none for each block."""
        held = _NOTHING  # the last document, which may go on in the next block
        for block in blocks:
            rows = _put_together(held, block)
            if rows.begins:
                held = _part_of(rows, rows.begins[-1], len(rows.said))
                yield self._sifted(rows, rows.begins)
            else:
                yield _NOTHING
        yield self._sifted(held, [0, len(held.said)] if held.said else [])

    def unstated(self) -> list[bytes]:
        """Keys of the known documents that weren't stated at all.

        Raises `NotPlain` when one was stated both as it is and otherwise.
        """
        if not self._seen.isdisjoint(self._changed):
            raise NotPlain("documents whose lines don't stand together")
        return [key for key in self._unseen.values() if key not in self._changed]

    def _sifted(self, rows: Rows, ends: list[int]) -> Rows:
        """What is changed of the documents between these places."""
        said: list[bytes] = []
        numbers: list[int] = []
        digests: list[int] = []
        unseen, until = self._unseen, list(accumulate(rows.digests, xor, initial=0))
        for begin, end in pairwise(ends):
            digest = until[begin] ^ until[end]
            if digest in unseen:
                self._seen.add(unseen.pop(digest))  # once: what is stated again isn't known as it is
            else:
                self._changed.add(rows.said[begin].partition(b"\t")[0])
                said.extend(rows.said[begin:end])
                numbers.extend(rows.numbers[begin:end])
                digests.extend(rows.digests[begin:end])
        return Rows(said, numbers, digests, [])


def _put_together(held: Rows, block: Rows) -> Rows:
    count = len(held.said)
    if not count:
        return block
    begins = [0, *(begin + count for begin in block.begins)]
    return Rows(held.said + block.said, [*held.numbers, *block.numbers], held.digests + block.digests, begins)


def _part_of(rows: Rows, begin: int, end: int) -> Rows:
    return Rows(rows.said[begin:end], rows.numbers[begin:end], rows.digests[begin:end], [])
