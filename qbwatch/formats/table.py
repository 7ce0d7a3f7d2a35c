"""What every format becomes before anything of it is understood: rows of cells, each cell as text."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import BinaryIO

from qbwatch.core.model import RowClass
from qbwatch.formats.facts import ReportFacts

Opener = Callable[[], BinaryIO]

WORKBOOKS = frozenset({"xlsx", "xls", "ods"})  # formats whose tables are sheets


class Unusable(str):
    """The text of a spreadsheet's cell that holds no value: an error (``#REF!``), or a formula nobody worked out.

    It reads as that text (a formula's is empty), so a report's total rows may ignore it; a record that holds one is
    rejected with ``reason``, which names sheet and cell.
    """

    reason: str

    def __new__(cls, text: str, reason: str) -> Unusable:
        """``text`` as the sheet shows it, and why it is no value."""
        self = super().__new__(cls, text)
        self.reason = reason
        return self


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the number of its first line in the file, or of its row in the sheet (1-based), and its cells as text.

    A spreadsheet's cells are told as a text file would write them: a date as ``YYYY-MM-DD`` (with `` HH:MM:SS`` unless
    that is midnight), a number in plain notation without trailing zeros, one that is shown in percent with its sign
    (``6.625%``), a truth value as ``true`` or ``false``. A number beyond 2**53 has lost digits when the sheet was
    saved: it is told in scientific notation (``1.91431E+18``), which neither an identifier nor an amount may be. A text
    of nothing but blanks is told as a blank (one of the readers can't tell the two apart). A cell without a value of
    its own is `Unusable`.

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
    ``hidden`` says why a person who opens the workbook doesn't see it as a sheet of cells, if so. ``facts`` is what the
    file says of all its tables, ``notes`` what a person should know of this one. ``is_surmised``: the encoding is what
    the beginning of the text tells, and whoever reads all of it must prove it.
    """

    sheet: str | None
    format: str
    encoding: str | None
    delimiter: str | None
    rows: Callable[[], Generator[Row, None, None]]
    hidden: str | None = None
    facts: ReportFacts = field(default_factory=ReportFacts)
    notes: tuple[str, ...] = ()
    is_surmised: bool = False


OpenWorkbook = Callable[[Opener], tuple[Table, ...]]
