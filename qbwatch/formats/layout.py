"""Where does each column of this file go? By name, never by position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qbwatch.core.dates import DateOrder
from qbwatch.datasets import ColumnType, Dataset, never_loaded, percent_twin
from qbwatch.formats.cells import Reader, read_negation, read_rate_percent, reader_for
from qbwatch.formats.recognise import Header, names_of
from qbwatch.formats.torn import Habit


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
    ``summed`` the places in ``cells`` whose sums are compared, ``key`` the cells that identify a record,
    ``lost`` columns that the exporter's own file should have and lacks, ``withheld`` those that are never loaded,
    ``width`` the number of header cells up to the last named one. ``fills_down``: the key's cells may be blank below
    the first line of a document. ``notes`` is what a person should know of the table. ``habit`` is how the rows of a
    delimited text end; None for other tables, whose rows no comma can tear.
    """

    dataset: Dataset
    header: Header
    cells: tuple[Cell, ...]
    extra: tuple[tuple[int, str], ...]
    key: tuple[Cell, ...]
    summed: tuple[tuple[int, str], ...]
    lost: tuple[str, ...]
    width: int
    withheld: tuple[str, ...] = ()
    fills_down: bool = False
    notes: tuple[str, ...] = ()
    habit: Habit | None = None

    def readers(self) -> list[Reader | None]:
        """How the cells of each named column are read, in order; None where it holds words."""
        readers: list[Reader | None] = [None] * self.width
        identifiers = self.dataset.keys[0]
        for cell in self.cells:
            if self.dataset.columns.get(cell.column) is not ColumnType.TEXT or cell.column in identifiers:
                readers[cell.position] = cell.read
        return readers

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the stored columns that the file has, in the order of ``cells``."""
        return tuple(cell.column for cell in self.cells)

    @property
    def new(self) -> tuple[str, ...]:
        """Columns that no declaration knows; they go to ``_extra``."""
        return tuple(name for _, name in self.extra)

    @property
    def absent(self) -> tuple[str, ...]:
        """All declared columns that the file lacks, expected or not."""
        present = set(self.columns)
        return tuple(name for name in self.dataset.columns if name not in present)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Names of the columns that identify a record of this file."""
        return tuple(cell.column for cell in self.key)

    @property
    def missed_keys(self) -> tuple[str, ...]:
        """Columns of better keys that the file lacks."""
        keys, own = self.dataset.keys, self.key_columns
        better = keys[: keys.index(own)] if own in keys else ()
        present = set(self.header.columns)
        return tuple(dict.fromkeys(column for key in better for column in key if column not in present))


def lay_out(header: Header, dataset: Dataset, order: DateOrder, notes: tuple[str, ...] = ()) -> Layout:
    """Map a header to its dataset's declared columns."""
    cells: list[Cell] = []
    extra: list[tuple[int, str]] = []
    withheld: list[str] = []
    width = max((position for position, name in enumerate(header.columns, start=1) if name), default=0)
    ignored = dataset.ignored | header.form.ignored
    plain = names_of(header.written)
    for position, name in enumerate(header.columns[:width]):
        if name in dataset.columns:
            cells.extend(_cells(position, name, plain[position] in header.form.negated, dataset, order))
        elif name in ignored:
            continue
        elif never_loaded().search(name):
            withheld.append(name)
        elif name or position:  # a first column without a name is a margin
            extra.append((position, name or f"unnamed_{position + 1}"))
    places = {cell.column: place for place, cell in enumerate(cells)}
    key = dataset.key_of(header.columns) or ()  # recognition saw to it that there is one; only a report has none
    is_exporters = not dataset.keys or key == dataset.keys[0]  # what a template or a printed list lacks isn't lost
    expected = dataset.expected if is_exporters else ()
    return Layout(
        dataset=dataset,
        header=header,
        cells=tuple(cells),
        extra=tuple(extra),
        key=tuple(cells[places[name]] for name in key),
        summed=tuple((places[name], name) for name in dataset.summed_columns if name in places),
        lost=tuple(name for name in expected if name not in places),
        width=width,
        withheld=tuple(withheld),
        fills_down=bool(key) and set(key) <= set(dataset.fill_down),
        notes=notes,
    )


def _cells(position: int, name: str, is_negated: bool, dataset: Dataset, order: DateOrder) -> Iterator[Cell]:
    kind = dataset.columns[name]
    yield Cell(position, name, read_negation if is_negated else reader_for(kind, order))
    if kind is ColumnType.RATE:
        yield Cell(position, percent_twin(name), read_rate_percent)
