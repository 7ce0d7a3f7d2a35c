"""What a dataset is: its columns and their types, what identifies a record, and in which forms it is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What is replaced as a unit: a list's row (upsert), a document with all its lines, a report's period.

    A report's rows have the day they speak for as their key, and their place within it as their line: its period is
    replaced day by day, and the period's other days are emptied.
    """

    LIST = "list"
    DOCUMENT = "document"
    PERIOD = "period"


class ColumnType(StrEnum):
    """How a cell is read; what it becomes in Postgres is `SQL_TYPES`."""

    TEXT = "text"
    ID = "id"  # text; a thousands comma in a number ("9,876") is the exporter's, not the identifier's
    DATE = "date"
    MONEY = "money"  # exact decimal; summed over file and table
    QUANTITY = "quantity"  # exact decimal; summed over file and table
    NUMBER = "number"  # exact decimal; not summed (an exchange rate)
    PERCENT = "percent"  # exact decimal, "6.625" or "6.625%"
    RATE = "rate"  # a price, or a percentage ("-10%"), which goes to the column's twin "…_percent"
    BOOLEAN = "boolean"


SQL_TYPES: dict[ColumnType, str] = {
    ColumnType.TEXT: "text",
    ColumnType.ID: "text",
    ColumnType.DATE: "date",
    ColumnType.MONEY: "numeric",
    ColumnType.QUANTITY: "numeric",
    ColumnType.NUMBER: "numeric",
    ColumnType.PERCENT: "numeric",
    ColumnType.RATE: "numeric",
    ColumnType.BOOLEAN: "boolean",
}

SUMMED = frozenset({ColumnType.MONEY, ColumnType.QUANTITY})


def percent_twin(column: str) -> str:
    """Where a rate column's percentages are stored: ``-10%`` is -10 in ``product_service_rate_percent``."""
    return f"{column}_percent"


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which a dataset is written: an exporter's columns, a report's, a template's, a kind of IIF record.

    ``signature`` are the columns by which its header is recognised, after ``aliases`` (a header in snake_case → the
    column it is). ``needs_name``: other datasets are written just so, hence the name of the file or sheet must say
    which one it is. ``keyword`` is the record's in an IIF file. ``negated`` are headers that say the opposite of
    their column, ``ignored`` those that aren't data.
    """

    signature: frozenset[str] = frozenset()
    aliases: dict[str, str] = field(default_factory=dict)
    needs_name: bool = False
    keyword: str | None = None
    negated: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    _ways: tuple[frozenset[str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Note the names under which each column of the signature may stand, so that most headers are told quickly."""
        ways = (frozenset({column, *_names_of(column, self.aliases)}) for column in self.signature)
        object.__setattr__(self, "_ways", tuple(ways))

    def columns_of(self, names: Sequence[str]) -> list[str]:
        """The columns that these headers (in snake_case) stand for.

        A header that has the column's own name comes before its aliases, and the first of several aliases wins:
        nothing is ever read from two cells.
        """
        taken = set(names)
        columns: list[str] = []
        for name in names:
            column = self.aliases.get(name, name)
            if column != name and column in taken:
                column = name
            taken.add(column)
            columns.append(column)
        return columns

    def fits(self, names: Sequence[str]) -> bool:
        """Whether a header of these names (in snake_case) is written in this form."""
        if not self.signature or any(way.isdisjoint(names) for way in self._ways):
            return False
        return self.signature <= set(self.columns_of(names))


def _names_of(column: str, aliases: dict[str, str]) -> list[str]:
    return [name for name, meant in aliases.items() if meant == column]


@dataclass(frozen=True, slots=True)
class Dataset:
    """One kind of record of a source. ``rank`` is its place in dependency order (parents are lower).

    ``keys`` are sets of columns that identify a record, best first: the first that a file has all columns of is its
    key. ``fill_down`` are columns that a file may print on the first line of a document only. ``forms`` are the ways
    in which it is written; ``signatures`` are those of forms that no other dataset shares. ``aliases`` are other
    headers (in snake_case) of its columns, whatever the form. ``expected`` are the columns that the exporter's own
    files have.

    ``read_by`` names, by column, the dbt models of the shipped project that read it.

    Of a report: ``titles`` names the column that its sections fill, by title; ``day`` is the column of the day that a
    row speaks for (None: the report's date); ``section_groups`` are labels of sections that are no part of a name;
    ``is_one_listing``: all its reports list the same records, in another order at most.
    """

    source: str
    name: str
    title: str
    kind: Kind
    keys: tuple[tuple[str, ...], ...]
    forms: tuple[Form, ...]
    columns: dict[str, ColumnType]
    needs: tuple[str, ...]
    stems: tuple[str, ...]
    ignored: frozenset[str]
    fill_down: tuple[str, ...] = ()
    rank: int = 0
    aliases: dict[str, str] = field(default_factory=dict)
    expected: tuple[str, ...] = ()
    titles: dict[str, str] = field(default_factory=dict)
    day: str | None = None
    section_groups: frozenset[str] = frozenset()
    is_one_listing: bool = False
    read_by: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """``quickbooks.invoices``: the name in commands, JSON and the ledger, and the dbt source."""
        return f"{self.source}.{self.name}"

    @property
    def table(self) -> str:
        """Name of its table in schema ``raw``."""
        return f"{self.source}_{self.name}"

    @property
    def signatures(self) -> tuple[frozenset[str], ...]:
        """Sets of columns, any of which tells this dataset from all others."""
        return tuple(form.signature for form in self.forms if form.signature and not form.needs_name)

    @property
    def stored(self) -> dict[str, str]:
        """Declared columns of the raw table with their SQL types, in order; a rate has a twin for percentages."""
        stored: dict[str, str] = {}
        for name, kind in self.columns.items():
            stored[name] = SQL_TYPES[kind]
            if kind is ColumnType.RATE:
                stored[percent_twin(name)] = "numeric"
        return stored

    @property
    def summed_columns(self) -> tuple[str, ...]:
        """Columns whose sums must agree between file and table."""
        return tuple(name for name, kind in self.columns.items() if kind in SUMMED)

    def key_of(self, columns: Iterable[str]) -> tuple[str, ...] | None:
        """The best key whose columns are all among these."""
        present = set(columns)
        return next((key for key in self.keys if present.issuperset(key)), None)
