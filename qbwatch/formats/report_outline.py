"""The skeleton of a sectioned report: which rows are labels, and which total closes which section.

A first pass over the table, keeping labels alone. It needs the whole report, because only a total further down says
whether the label after a section's rows is a section inside of it or the next one beside it, and whether "Total Wine"
is a sum or a customer of that name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from qbwatch.core.model import RowClass
from qbwatch.core.money import is_amount
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.report_layout import ReportLayout, label_of
from qbwatch.formats.report_names import (
    OPENING,
    is_alike,
    is_grand_total,
    is_same,
    same_blanks,
    says_total,
    says_total_for,
    totalled,
    whole_name,
    with_sub_accounts,
)
from qbwatch.formats.report_text import Footer, read_footer
from qbwatch.formats.table import Row


class Look(Enum):
    """What a row looks like by itself."""

    BLANK = auto()
    PLAIN = auto()  # no label
    LABEL = auto()  # a label alone
    FIGURED = auto()  # a label and figures
    FOOTER = auto()
    ODD = auto()  # a label and more than figures


@dataclass(slots=True, eq=False)
class Section:
    """A label that rows stand below. ``around`` is the one it was opened in, which had ``rows_before`` rows then."""

    line: int
    label: str
    around: Section | None
    rows_before: int
    rows: int = 0
    is_closed: bool = False

    @property
    def parent(self) -> Section | None:
        """The section it is nested in. One with rows and without a total of its own was only left open before it."""
        inner, outer = self, self.around
        while outer is not None and not outer.is_closed and inner.rows_before:
            inner, outer = outer, outer.around
        return outer

    @property
    def path(self) -> str:
        """The labels of all sections around it, and its own."""
        return f"{self.parent.path}:{self.label}" if self.parent else self.label

    def name(self, groups: frozenset[str]) -> str | None:
        """The whole name of what it is about; None for a section that only sorts others."""
        if self.label in groups and self.parent is None:
            return None
        return whole_name(self.parent.name(groups) if self.parent else None, self.label)


@dataclass(frozen=True, slots=True)
class Mark:
    """A structural row: its class, the section that it opens or closes, and whether only its own rows are meant."""

    row_class: RowClass
    section: Section | None = None
    is_own: bool = False


@dataclass(slots=True)
class Outline:
    """Structural rows by line, the footer, and whether the report ends as its other parts do."""

    marks: dict[int, Mark] = field(default_factory=dict)
    footer: Footer | None = None
    is_complete: bool = True


def look_at(cells: Sequence[str], layout: ReportLayout) -> Look:
    """What a row looks like by itself."""
    label = label_of(cells, layout)
    day = layout.day
    if not label:
        return Look.PLAIN if any(cell and not cell.isspace() for cell in cells) else Look.BLANK
    has_day = day is not None and day < len(cells) and bool(cells[day].strip())
    if not layout.labels and has_day and day != 0:
        return Look.PLAIN
    if read_footer(cells):
        return Look.FOOTER
    filled = [place for place, cell in enumerate(cells) if place >= (layout.labels or 1) and cell.strip()]
    if not filled:
        return Look.PLAIN if has_day and _has_digit_first(label) else Look.LABEL
    if same_blanks(label) in OPENING:
        return Look.PLAIN
    if all(is_amount(cells[place]) for place in filled) and not (layout.labels and has_day):
        return Look.FIGURED if layout.labels or says_total(label) else Look.PLAIN
    return Look.ODD if layout.labels else Look.PLAIN


def _has_digit_first(label: str) -> bool:
    return label[:1].isdigit()


def outline_of(rows: Iterable[Row], layout: ReportLayout) -> Outline:
    """The outline of the rows below a header. Raises `Refusal` for a row whose place can't be told."""
    found: list[tuple[int, str, Look]] = []
    plain: dict[int, int] = {}  # rows without a label, counted by how many labels stand above them
    outline, transaction_totals, ends_in_total = Outline(), 0, True
    for row in rows:
        look = look_at(row.cells, layout)
        match look:
            case Look.PLAIN:
                plain[len(found)] = plain.get(len(found), 0) + 1
                ends_in_total = is_transaction_total(row.cells, layout)
                transaction_totals += ends_in_total
            case Look.FOOTER:
                outline.footer = read_footer(row.cells)
                outline.marks[row.line] = Mark(RowClass.FOOTER)
            case Look.LABEL | Look.FIGURED:
                found.append((row.line, label_of(row.cells, layout), look))
            case Look.ODD:
                raise unclear(row.line, "it has a label and the values of a record beside it")
            case Look.BLANK:
                pass
    _place(found, plain, outline)
    if transaction_totals and not ends_in_total:
        outline.is_complete = False
    return outline


def is_transaction_total(cells: Sequence[str], layout: ReportLayout) -> bool:
    """A journal's row of nothing but figures, two of them or more: what the transaction above amounts to."""
    if not layout.filled_down:
        return False
    filled = [place for place, cell in enumerate(cells) if cell and not cell.isspace()]
    return len(filled) > 1 and layout.figures.issuperset(filled)


def _place(found: Sequence[tuple[int, str, Look]], plain: dict[int, int], outline: Outline) -> None:
    """Open and close sections label by label."""
    open_sections: list[Section] = []
    later = Counter(
        name for _, label, _ in found if says_total(label) and with_sub_accounts(label) for name in _names(label)
    )
    closed, named = 0, _named_by_totals(found)
    for number, (line, label, look) in enumerate(found, start=1):
        is_section = look is Look.LABEL and same_blanks(label) in named  # "Total Wine", which has a total of its own
        mark = None if is_section else _total(label, look, open_sections, later)
        if mark is None:
            if not named and open_sections and open_sections[-1].rows:
                open_sections.clear()  # nothing says where a section ends: each ends where the next begins
            around = open_sections[-1] if open_sections else None
            section = Section(line, label, around, around.rows if around else 0)
            open_sections.append(section)
            mark = Mark(RowClass.SECTION, section)
        elif mark.row_class is RowClass.GRAND_TOTAL:
            open_sections.clear()
        elif mark.section is None:
            raise unclear(line, "it is a total, and no section is open above it")
        elif not mark.is_own:
            mark.section.is_closed = True
            closed += 1
            del open_sections[open_sections.index(mark.section) :]
        outline.marks[line] = mark
        if open_sections:
            open_sections[-1].rows += plain.get(number, 0)
    if closed and open_sections:
        outline.is_complete = False


def _named_by_totals(found: Sequence[tuple[int, str, Look]]) -> frozenset[str]:
    """What all totals name; nothing of totals without figures where others have some."""
    totals = [(label, look) for _, label, look in found if says_total(label)]
    figured = [label for label, look in totals if look is Look.FIGURED]
    return frozenset(name for label in figured or [label for label, _ in totals] for name in _names(label))


def _names(label: str) -> tuple[str, ...]:
    return tuple(map(same_blanks, totalled(label)))


def _total(label: str, look: Look, sections: Sequence[Section], later: Counter[str]) -> Mark | None:
    """What a label closes, or None where it opens a section of its own.

    A total that names no open section is the innermost one's if it has figures (whether they tie is checked later), or
    if it says "Total for", which no name does.
    """
    if is_grand_total(label):
        return Mark(RowClass.GRAND_TOTAL)
    if not says_total(label):
        return None
    names = totalled(label)
    if with_sub_accounts(label):
        later.subtract(_names(label))
    for fits in (is_same, is_alike):
        for section in reversed(sections):
            if fits(section.label, names):
                is_own = not with_sub_accounts(label) and later[same_blanks(section.label)] > 0
                return Mark(RowClass.SUBTOTAL, section, is_own)
    if look is Look.LABEL and not (sections and says_total_for(label)):
        return None
    return Mark(RowClass.SUBTOTAL, sections[-1] if sections else None)


def unclear(line: int, why: str) -> Refusal:
    """A row that fits no class."""
    return Refusal(
        "unclear_row",
        f"line {line} can't be told for a record, a section or a total: {why}",
        "export the report again; if it was edited by hand, take that row out",
    )
