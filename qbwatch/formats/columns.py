"""Blocks of a plain text → rows as COPY reads them, a column at a time.

A cell is read by the very readers that the careful lane uses (`formats.cells`), but each text that a column holds is
read once, however often it stands there, and a column whose texts are all written as the reader would return them is
taken as it is. Whatever a reader refuses is left to the careful lane, by `NotPlain`.

Arrow weighs 40 MB: only loads of large files import this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from qbwatch.core.model import RowClass
from qbwatch.datasets import Kind
from qbwatch.formats import cells
from qbwatch.formats.as_written import as_written, every, is_as_written
from qbwatch.formats.column_sums import add_sums
from qbwatch.formats.layout import Layout
from qbwatch.formats.plain_cells import Cells
from qbwatch.formats.plain_text import NotPlain
from qbwatch.formats.records import extra_json
from qbwatch.formats.row_text import ESCAPES, NULL, RowText
from qbwatch.formats.tally import Tally

pa.set_cpu_count(1)
with suppress(NotImplementedError):  # of Arrow's pools the one that gives back what is free
    pa.set_memory_pool(pa.jemalloc_memory_pool())

Column = Any  # of Arrow, which has no types
_REMEMBERED = 20_000  # texts of one column
_LONGEST_KEY = 500  # as in `formats.keys`

_PLAIN_KEY = r"^[!-~]+( [!-~]+)*$"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that are to be loaded: what each says, its number in the part, its digest, and where documents begin.

    ``begins`` are places in these lists. Rows before the first of them belong to the last document of the rows before.
    """

    said: list[bytes]
    numbers: Sequence[int]
    digests: list[int]
    begins: list[int]


@dataclass(slots=True)
class ColumnReader:
    """Reads a part's blocks from top to bottom; ``tally`` counts their rows."""

    layout: Layout
    tally: Tally
    text: RowText
    _known: dict[tuple[int, cells.Reader], dict[str, str | None]] = field(default_factory=dict)
    _document: str | None = None  # the last one, and how many of its lines were read
    _lines: int = 0

    def read(self, block: Cells) -> Rows:
        """The rows of a block. Raises `NotPlain`."""
        joined, numbers, begins = self._said(block)
        said: list[bytes] = joined.cast(pa.binary()).to_pylist()
        return Rows(said, numbers, self.text.digests(said), begins)

    def finish(self, block: Cells, lineage: bytes) -> memoryview:
        """The rows of a block as `row_text.finished` writes them. Raises `NotPlain`."""
        joined, numbers, _ = self._said(block)
        digests = self.text.digests(joined.cast(pa.binary()).to_pylist())
        told = (pa.array(numbers, pa.int32()), pa.array(digests, pa.int64()))
        lines = pc.binary_join_element_wise(
            joined, *(each.cast(pa.string()) for each in told), lineage[1:].decode(), "\t"
        )
        _, offsets, data = lines.buffers()
        return memoryview(data or b"")[: memoryview(offsets).cast("i")[len(lines)]]

    def _said(self, block: Cells) -> tuple[Column, Sequence[int], list[int]]:
        """What each row says, its number in the part, and where documents begin."""
        raw = block.columns
        first = self.tally.read + 1
        numbers: Sequence[int] = range(first, first + raw.num_rows)
        self.tally.read += raw.num_rows
        values = self._values(raw)
        key = self._key(values)
        if key.null_count:
            self._count_blank_rows(raw, key)
            kept = pc.is_valid(key)
            numbers = [number for number, is_kept in zip(numbers, kept.to_pylist(), strict=True) if is_kept]
            raw, key, *values = (each.filter(kept) for each in (raw, key, *values))
        if not raw.num_rows:
            return pa.array([], pa.string()), [], []
        begins, ordinals = self._numbered(key)
        said = self._joined(block.is_bare, [key, ordinals, *values, *self._extra(raw)])
        self.tally.accepted += raw.num_rows
        self.tally.row_classes[RowClass.DETAIL] += raw.num_rows
        add_sums(self.tally.sums, {name: values[place] for place, name in self.layout.summed})
        return said, numbers, begins

    def _key(self, values: list[Column]) -> Column:
        [cell] = self.layout.key
        key = values[self.layout.cells.index(cell)]
        is_plain = every(pc.match_substring_regex(key, _PLAIN_KEY))
        if is_plain and (pc.max(pc.binary_length(key)).as_py() or 0) <= _LONGEST_KEY:
            return key
        return self._by_values(key, _comparable, cell.position)

    def _count_blank_rows(self, raw: Column, key: Column) -> None:
        """Rows of blanks are structure; any other row without a key is for the careful lane."""
        keyless = raw.filter(pc.is_null(key))
        if any(text and not text.isspace() for column in keyless.columns for text in column.to_pylist()):
            raise NotPlain("a row without a key can't be read here")
        self.tally.structural += keyless.num_rows
        self.tally.row_classes[RowClass.BLANK] += keyless.num_rows

    def _values(self, raw: Column) -> list[Column]:
        """The columns of `Layout.cells` by their readers.

        Those of one reader are looked at together: on blocks this small it is the calls that cost, not the texts.
        """
        together: dict[cells.Reader, list[Column]] = {}
        for cell in self.layout.cells:
            together.setdefault(cell.read, []).append(raw.column(cell.position))
        plain = {read for read, columns in together.items() if is_as_written(pa.concat_arrays(columns), read)}
        return [
            as_written(column, cell.read) if cell.read in plain else self._read(column, cell.read, cell.position)
            for cell in self.layout.cells
            for column in (raw.column(cell.position),)
        ]

    def _read(self, column: Column, read: cells.Reader, position: int) -> Column:
        """A column by its reader."""
        if column.null_count == len(column):
            return column
        if is_as_written(column, read):
            return as_written(column, read)
        return self._by_values(column, read, position)

    def _by_values(self, column: Column, read: cells.Reader, position: int) -> Column:
        """Each different text of a column, read once."""
        known = self._known.setdefault((position, read), {})
        if len(known) > _REMEMBERED:
            known.clear()
        encoded = column.dictionary_encode()
        values: list[str | None] = []
        try:
            for text in encoded.dictionary.to_pylist():
                if text not in known:
                    known[text] = read(text)
                values.append(known[text])
        except ValueError as error:
            raise NotPlain(f"a cell that can't be read: {error}") from error
        return pa.array(values, pa.string()).take(encoded.indices)

    def _numbered(self, key: Column) -> tuple[list[int], Column]:
        """Where documents begin, and each line's place in its own; a list's row is a record by itself."""
        count = len(key)
        if self.layout.dataset.kind is Kind.LIST:
            return list(range(count)), pa.repeat("1", count)
        is_continued = key[0].as_py() == self._document
        before = self._lines if is_continued else 0
        is_first = pa.concat_arrays([pa.array([True]), pc.not_equal(key[1:], key[:-1])])
        places = _places(count)
        begun = pc.fill_null_forward(pc.if_else(is_first, places, None))
        ordinals = pc.add(pc.subtract(places, begun), 1)
        if before:
            ordinals = pc.if_else(pc.equal(begun, 0), pc.add(ordinals, before), ordinals)
        self._document, self._lines = key[-1].as_py(), ordinals[-1].as_py()
        starts: list[int] = pc.indices_nonzero(is_first).to_pylist()
        return starts[1:] if is_continued else starts, ordinals.cast(pa.string())

    def _extra(self, raw: Column) -> list[Column]:
        if not self.layout.extra:
            return []
        texts = zip(*(raw.column(position).to_pylist() for position, _ in self.layout.extra), strict=True)
        return [pa.array([extra_json(row, self.layout) for row in texts], pa.string())]

    def _joined(self, is_bare: bool, columns: list[Column]) -> Column:
        """What each row says, as `RowText.said` writes it."""
        if not is_bare or self.layout.extra:
            columns = [_escaped(column) for column in columns]
        return pc.binary_join_element_wise(*columns, "\t", null_handling="replace", null_replacement=NULL)


def _places(count: int) -> Column:
    """The numbers from 0 on, so many of them."""
    return pc.subtract(pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int32()), count)), 1)


def _comparable(text: str) -> str:
    """A key in comparable form, as `formats.keys` has it."""
    key = " ".join(text.split())
    if not key or len(key) > _LONGEST_KEY:
        raise ValueError("no key")
    return key


def _escaped(column: Column) -> Column:
    for character, escape in ESCAPES:
        column = pc.replace_substring(column, character, escape)
    return column
