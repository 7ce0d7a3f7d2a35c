"""What every format becomes before anything of it is understood: rows of cells, each cell as text."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import BinaryIO

from qbwatch.core.model import RowClass
from qbwatch.formats.facts import ReportFacts

Opener = Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the number of its first line in the file, or of its row in the sheet (1-based), and its cells as text.

    A spreadsheet's cells are told as a text file would write them: a date as ``YYYY-MM-DD``, a number in plain
    notation without trailing zeros, a truth value as ``true`` or ``false``.

    ``row_class`` is set by a format that knows a row to be no record.
    """

    line: int
    cells: list[str]
    row_class: RowClass | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet of a workbook, one kind of record of an IIF file, or a whole text file.

    ``sheet`` names it inside its file (None for a text file), ``format`` is ``csv``, ``xlsx``, ``xls``, ``ods`` or
    ``iif``, ``encoding`` the codec of a text file, ``delimiter`` what parts its cells. ``rows`` gives all rows from
    the beginning, header and blank ones included, as often as it is called; it streams, and raises `Refusal`.
    ``facts`` is what the file says of all its tables, ``notes`` what a person should know of this one.
    """

    sheet: str | None
    format: str
    encoding: str | None
    delimiter: str | None
    rows: Callable[[], Generator[Row, None, None]]
    facts: ReportFacts = field(default_factory=ReportFacts)
    notes: tuple[str, ...] = ()
