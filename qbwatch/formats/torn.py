"""Was a row torn at a comma that lacks its quotes, or only padded with blanks?

A torn row is longer than its header, and what follows the tear stands a column too far to the right. Where something
stands beyond the header, that is plain to see. Where the row ends in blanks, as records with many columns do, nothing
does, and each moved value may still be readable under its new column. So a row that only blanks make longer is taken
for padded where the table's first rows are padded just so, or where its last column is filled as it is in all of them
(a torn row's would be blank), or where no text of it could be the two halves of one. Any other is rejected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from qbwatch.formats.cells import Reader

Readers = Sequence[Reader | None]

_TORN = 20  # characters on either side of a comma that seems to lack its quotes
_THOUSANDS = re.compile(r"-?\$?[0-9]{1,3}")
_GROUP = re.compile(r"[0-9]{3}(?:\.[0-9]+)?")
_AGREE_AT_LEAST = 2  # rows; one by itself shows no habit


@dataclass(frozen=True, slots=True)
class Habit:
    """How the first rows of a table end: ``excess`` is the number of cells that all of them have beyond the header,
    ``fills_last`` whether each of those that aren't longer has something in the last column."""

    excess: int = 0
    fills_last: bool = False


def habit_of(rows: Sequence[Sequence[str]], written: int, width: int) -> Habit:
    """The habit of these rows below a header of ``written`` cells, the last named one of which is the ``width``-th."""
    filled = [cells for cells in rows if any(cell and not cell.isspace() for cell in cells)]
    common = min(len(cells) - written for cells in filled) if len(filled) >= _AGREE_AT_LEAST else 0
    whole = [cells for cells in filled if width <= len(cells) <= written]
    return Habit(max(common, 0), bool(whole) and all(cells[width - 1].strip() for cells in whole))


def why_torn(cells: Sequence[str], written: int, columns: Callable[[], Readers], habit: Habit) -> str | None:
    """Why a row that only blanks make longer than its header can't be trusted; None for one that is merely padded.

    ``columns`` gives the readers of the named columns in order, None where one holds text. A comma that is missing its
    quotes shows by what it tore: the rest of a text begins with a blank (``Smith, LLC``), that of an amount is three
    digits behind one to three (``1,234``).
    """
    for before, cell in pairwise(cells):
        if (cell[:1] == " " and before.strip() and cell.strip()) or (
            _THOUSANDS.fullmatch(before) and _GROUP.fullmatch(cell)
        ):
            return _told(before, cell)
    excess = len(cells) - written
    if excess == habit.excess:
        return None
    readers = columns()
    if habit.fills_last and cells[len(readers) - 1].strip():
        return None
    for place, (before, cell) in enumerate(pairwise(cells[: len(readers)])):
        may_be_one = readers[place] is None and before.strip() and cell.strip()
        if may_be_one and (excess > 1 or _fits(cells[place + 2 :], readers[place + 1 :])):
            return _told(before, cell)
    return None


def _told(before: str, cell: str) -> str:
    return f"more cells than the header, and {before[-_TORN:] + ',' + cell[:_TORN]!r} looks torn at a comma"


def _fits(cells: Sequence[str], readers: Readers) -> bool:
    """Whether the rest of a row is readable under these columns."""
    for reader, cell in zip(readers, cells, strict=False):
        try:
            if reader is not None:
                reader(cell)
        except ValueError:
            return False
    return True
