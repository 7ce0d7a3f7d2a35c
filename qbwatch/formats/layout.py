"""Where does each column of this file go? By name, never by position."""

from __future__ import annotations

from dataclasses import dataclass

from qbwatch.core.dates import DateOrder
from qbwatch.datasets import ColumnType, Dataset, percent_twin
from qbwatch.formats.cells import Reader, read_rate_percent, reader_for
from qbwatch.formats.recognise import Header


@dataclass(frozen=True, slots=True)
class Cell:
    """One stored column: the position of its cell in a row (0-based), its name, and how it is read."""

    position: int
    column: str
    read: Reader


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file's rows map to a dataset.

    ``cells`` are declared columns that the file has, ``extra`` what it has beyond them (position, name),
    ``summed`` the places in ``cells`` whose sums are compared, ``key`` the positions of the key's cells,
    ``lost`` declared columns that the file lacks, ``width`` the number of header cells up to the last named one.
    """

    dataset: Dataset
    header: Header
    cells: tuple[Cell, ...]
    extra: tuple[tuple[int, str], ...]
    key: tuple[int, ...]
    summed: tuple[tuple[int, str], ...]
    lost: tuple[str, ...]
    width: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the stored columns that the file has, in the order of ``cells``."""
        return tuple(cell.column for cell in self.cells)

    @property
    def new(self) -> tuple[str, ...]:
        """Columns that no declaration knows; they go to ``_extra``."""
        return tuple(name for _, name in self.extra)


def lay_out(header: Header, dataset: Dataset, order: DateOrder) -> Layout:
    """Map a header to its dataset's declared columns."""
    cells: list[Cell] = []
    extra: list[tuple[int, str]] = []
    width = max((position for position, name in enumerate(header.columns, start=1) if name), default=0)
    for position, name in enumerate(header.columns[:width]):
        kind = dataset.columns.get(name)
        if kind is not None:
            cells.append(Cell(position, name, reader_for(kind, order)))
            if kind is ColumnType.RATE:
                cells.append(Cell(position, percent_twin(name), read_rate_percent))
        elif name not in dataset.ignored:
            extra.append((position, name or f"unnamed_{position + 1}"))
    places = {cell.column: place for place, cell in enumerate(cells)}
    return Layout(
        dataset=dataset,
        header=header,
        cells=tuple(cells),
        extra=tuple(extra),
        key=tuple(header.columns.index(name) for name in _key_of(header, dataset)),
        summed=tuple((places[name], name) for name in dataset.summed_columns if name in places),
        lost=tuple(name for name in dataset.columns if name not in places),
        width=width,
    )


def _key_of(header: Header, dataset: Dataset) -> tuple[str, ...]:
    """The best key whose columns the file has; recognition saw to it that there is one."""
    present = set(header.columns)
    return next((key for key in dataset.keys if present.issuperset(key)), dataset.keys[0])
