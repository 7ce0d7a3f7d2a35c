"""Blocks of a plain text → its cells, by Arrow's reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from qbwatch.datasets import Kind
from qbwatch.formats.layout import Layout
from qbwatch.formats.plain_text import Block, NotPlain
from qbwatch.formats.records import structure_of

# A cell with which a line that closes a list may begin, whatever stands before the word.
_MAY_CLOSE = r"(?i)^\P{L}*(total|accrual|cash|(mon|tues|wednes|thurs|fri|satur|sun)day)"
_OTHER_ROWS = "rows of another width, or line ends whose halves stand apart"


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a block as Arrow's columns of text, blank ones as null; ``is_bare`` as in `Block`."""

    columns: Any  # of Arrow, which has no types
    is_bare: bool


@dataclass(frozen=True, slots=True)
class CellReader:
    """Reads the blocks of a part."""

    layout: Layout
    delimiter: str

    def read(self, block: Block) -> Cells:
        """The cells of a block, which stand for themselves: no other block is looked at. Raises `NotPlain`."""
        names = [str(position) for position in range(len(self.layout.header.written))]
        try:
            table = csv.read_csv(
                pa.py_buffer(block.rows),
                csv.ReadOptions(use_threads=False, block_size=len(block.rows) + 1, column_names=names),
                csv.ParseOptions(
                    delimiter=self.delimiter, newlines_in_values=not block.is_bare, ignore_empty_lines=False
                ),
                csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid as error:
            raise NotPlain(_OTHER_ROWS) from error
        if table.num_rows != block.count:
            raise NotPlain(_OTHER_ROWS)
        [batch] = table.combine_chunks().to_batches()
        beyond = range(self.layout.width, len(names))
        if any(batch.column(position).null_count < batch.num_rows for position in beyond):
            raise NotPlain("content beyond the header")
        if self.layout.dataset.kind is Kind.LIST:
            self._prove_no_footer(batch)
        return Cells(batch, block.is_bare)

    def _prove_no_footer(self, raw: Any) -> None:
        """What may close a printed list: its total, or a line with the day on which it was printed."""
        for column in raw.columns:
            rows = raw.filter(pc.match_substring_regex(column, _MAY_CLOSE)).columns
            for cells_of_row in zip(*(each.to_pylist() for each in rows), strict=True):
                if structure_of([cell or "" for cell in cells_of_row], is_list=True) is not None:
                    raise NotPlain("what closes a printed list")
