"""Where do a report's columns go, and which cells of its rows are labels, days and figures?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qbwatch.core.dates import DateOrder
from qbwatch.datasets import SUMMED, ColumnType, never_loaded, percent_twin
from qbwatch.formats.cells import read_rate_percent, read_text, reader_for
from qbwatch.formats.layout import Cell, Layout
from qbwatch.formats.recognise import Header
from qbwatch.formats.report_head import Head

# Columns that no cell of the report has; their texts are put behind the row's own cells.
ADDED = ("section", "report", "basis", "report_date")
BALANCE = "balance"
_FIGURES = SUMMED | {ColumnType.NUMBER, ColumnType.RATE, ColumnType.PERCENT}


@dataclass(frozen=True, slots=True)
class ReportLayout(Layout):
    """A layout whose rows are the report's own cells, padded to ``width``, followed by the texts of `ADDED` and of the
    column that sections name.

    ``labels`` is the number of unnamed cells before the first named one, 0 where labels stand in the first column;
    ``figures`` are positions that a total may be printed in, ``printed`` those of them that add up, by name.
    """

    labels: int = 0
    day: int | None = None
    balance: int | None = None
    figures: frozenset[int] = frozenset()
    printed: tuple[tuple[int, str], ...] = ()
    filled_down: tuple[int, ...] = ()
    section_as: int | None = None
    named: frozenset[int] = frozenset()


def lay_out_report(head: Head, order: DateOrder) -> ReportLayout:
    """Map a report's header to its dataset's columns, and its sections' labels to the column they name."""
    dataset, columns = head.dataset, head.header.columns
    width = max((position for position, name in enumerate(columns, start=1) if name), default=0)
    columns = columns[:width]
    added = (*ADDED, head.section_as) if head.section_as else ADDED
    places = {name: position for position, name in enumerate(columns) if name}
    by_section = places.get(head.section_as)
    everything = {name: width + place for place, name in enumerate(added)} | places
    cells: list[Cell] = []
    for name, position in everything.items():
        kind = dataset.columns.get(name)
        if kind is None:
            continue
        cells.append(Cell(position, name, read_text if position >= width else reader_for(kind, order)))
        if kind is ColumnType.RATE:
            cells.append(Cell(position, percent_twin(name), read_rate_percent))
    stored = {cell.column: place for place, cell in enumerate(cells)}
    kinds = {position: dataset.columns.get(name) for name, position in places.items()}
    beyond = [name for name in columns if name and name not in dataset.columns]
    return ReportLayout(
        dataset=dataset,
        header=Header(head.header.line, (*columns, *added), (*head.header.written[:width], *added), head.header.form),
        cells=tuple(cells),
        extra=tuple((places[name], name) for name in beyond if not never_loaded().search(name)),
        withheld=tuple(name for name in beyond if never_loaded().search(name)),
        key=(),
        summed=tuple((stored[name], name) for name in dataset.summed_columns if name in stored),
        lost=tuple(name for name in dataset.columns if name not in stored),
        width=width,
        labels=next((position for position, name in enumerate(columns) if name), 0),
        day=places.get(dataset.day) if dataset.day else None,
        balance=places.get(BALANCE) if BALANCE in dataset.columns else None,
        figures=frozenset(position for position, kind in kinds.items() if kind in _FIGURES),
        printed=tuple((position, columns[position]) for position, kind in kinds.items() if kind in SUMMED),
        filled_down=tuple(places[name] for name in dataset.fill_down if name in places),
        section_as=by_section if by_section is not None else (width + len(ADDED) if head.section_as else None),
        named=frozenset(places.values()),
    )


def label_of(cells: Sequence[str], layout: ReportLayout) -> str:
    """The label of a row that has one where labels stand, else ''."""
    if not layout.labels:
        return cells[0].strip() if cells else ""
    return next((cell.strip() for cell in cells[: layout.labels] if cell and not cell.isspace()), "")
