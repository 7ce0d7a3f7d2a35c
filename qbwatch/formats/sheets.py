"""Which sheets of a workbook are to be loaded, which are a person's question, and which are passed over by a rule?

A workbook often holds more than data: tips, charts, empty sheets, hidden helpers. Those are passed over, each by a rule
that has a name, as long as another sheet is what it was exported for. Two sheets that fit one dataset are a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import Failure, FailureClass
from qbwatch.core.naming import folded_stem
from qbwatch.datasets import Kind
from qbwatch.formats.part import Part, Unread, open_parts
from qbwatch.formats.recognise import EMPLOYEES, HEADER_WITHIN, Remembered, named_by
from qbwatch.formats.records import Record, Rejected
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import WORKBOOKS, Opener, OpenWorkbook, Table
from qbwatch.formats.workbook import open_workbook

EMPTY = "empty_file"  # code of a refusal that passes a sheet over, as that of employees does
_UNKNOWN = frozenset({"unknown_layout", "missing_columns"})  # codes of tables that fit no dataset
_HEADER_AT_LEAST = 3  # filled cells, all of them words, make a row look like a header


@dataclass(frozen=True, slots=True)
class Passed:
    """A table that is passed over, and the rule that says so."""

    table: Table
    failure: Failure


Outcome = Part | Unread | Passed


def open_sheets(
    open_stream: Opener,
    name: str,
    order: DateOrder,
    open_book: OpenWorkbook = open_workbook,
    remembered: Remembered = (),
) -> tuple[Outcome, ...]:
    """Every table of a file with what becomes of it. Raises `Refusal` when that can be said of none."""
    found = open_parts(open_stream, name, order, open_book, remembered)
    if len(found) == 1 and found[0].table.hidden is None:
        return found
    judged = tuple(_judged(each, found) for each in found)
    if any(isinstance(each, Part) for each in judged):
        judged = tuple(_told_from_covers(each) for each in judged)
    passed = [each for each in judged if isinstance(each, Passed)]
    if len(passed) == len(judged) and not any(each.failure.code == EMPLOYEES for each in passed):
        told = "; ".join(f"{each.table.sheet!r}: {each.failure.reason}" for each in passed)
        raise Refusal(EMPTY, f"none of its sheets is to be loaded ({told})", "export it again, or unhide the sheet")
    return judged


def _judged(each: Part | Unread, found: Sequence[Part | Unread]) -> Outcome:
    table = each.table
    if table.hidden is not None:
        return _passed(table, "hidden_sheet", f"the sheet is passed over, because {table.hidden}")
    if isinstance(each, Unread):
        if each.failure.code == EMPTY:
            return _passed(table, "empty_sheet", "an empty sheet")
        return Passed(table, each.failure) if each.failure.code == EMPLOYEES else each
    rivals = _rivals(each, found)
    if (whole := _named_whole(each, rivals)) is not None and _holds_all_of(whole, each):
        return _passed(table, "listed_elsewhere", f"all of its records stand on the sheet {whole.table.sheet!r} too")
    if not rivals or (_is_called_by_its_dataset(each) and not any(map(_is_called_by_its_dataset, rivals))):
        return each
    sheets = ", ".join(repr(rival.table.sheet) for rival in rivals)
    return Unread(table, Failure(
        FailureClass.DATA,
        "ambiguous_sheets",
        f"the sheet {table.sheet!r} fits {each.layout.dataset.full_name}, and so does {sheets}",
        "keep one of them in the workbook and save it again; `qbwatch retry` loads the sheet beside the others",
    ))  # fmt: skip


def _rivals(part: Part, found: Sequence[Part | Unread]) -> list[Part]:
    """Other sheets that may be seen and fit the same dataset."""
    if part.table.format not in WORKBOOKS:
        return []
    return [
        other
        for other in found
        if isinstance(other, Part)
        and other is not part
        and other.table.hidden is None
        and other.layout.dataset == part.layout.dataset
    ]


def _named_whole(part: Part, rivals: Sequence[Part]) -> Part | None:
    """The sheet that has the dataset's own name, where this one lists some of its records apart (*Item Discount*)."""
    if part.layout.dataset.kind is not Kind.LIST or _is_called_by_its_dataset(part):
        return None
    named = [rival for rival in rivals if _is_called_by_its_dataset(rival)]
    return named[0] if len(named) == 1 and named[0].layout.key_columns == part.layout.key_columns else None


def _holds_all_of(whole: Part, part: Part) -> bool:
    """Whether every record of the one stands in the other, too; False where either can't be read to its end."""
    try:
        own, others = ({each.key for each in read.readings() if isinstance(each, Record)} for read in (part, whole))
        has_rejects = any(isinstance(each, Rejected) for each in part.readings())
    except Refusal:
        return False
    return own <= others and not has_rejects


def _is_called_by_its_dataset(part: Part) -> bool:
    name = folded_stem(part.table.sheet or "")
    return any(name in (folded_stem(stem), folded_stem(stem) + "s") for stem in part.layout.dataset.stems)


def _told_from_covers(each: Outcome) -> Outcome:
    """Beside a sheet of data, one without a row that looks like a header is a cover, not an export gone wrong."""
    if not isinstance(each, Unread) or each.table.format not in WORKBOOKS or each.failure.code not in _UNKNOWN:
        return each
    if named_by(each.table.sheet or "") is not None:
        return each
    return each if _has_header(each.table) else _passed(each.table, "cover_sheet", "a sheet of text, without a table")


def _has_header(table: Table) -> bool:
    try:
        with closing(table.rows()) as rows:
            head = list(islice(rows, HEADER_WITHIN))
    except Refusal:
        return True
    filled = ([cell for cell in row.cells if cell.strip()] for row in head)
    return any(len(cells) >= _HEADER_AT_LEAST and not any(_is_figure(cell) for cell in cells) for cells in filled)


def _is_figure(cell: str) -> bool:
    return not any(letter.isalpha() for letter in cell)


def _passed(table: Table, code: str, reason: str) -> Passed:
    return Passed(table, Failure(FailureClass.DATA, code, reason))
