"""What qbwatch knows of each dataset, read from the declarations beside this file.

The TOML files of this folder are the only place that names columns, types, keys, dependencies and file-name stems: a
new dataset is a few lines there and no code.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from qbwatch.core.model import QbwatchError


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
class Dataset:
    """One kind of record of a source. ``rank`` is its place in dependency order (parents are lower).

    ``keys`` are sets of columns that identify a record, best first: the first that a file has all columns of is its
    key. ``signatures`` are sets of columns by which a header is recognised; any one of them is enough.

    Of a report: ``titles`` names the column that its sections fill, by title; ``day`` is the column of the day that a
    row speaks for (None: the report's date); ``fill_down`` are columns that stand on a transaction's first row only,
    ``section_groups`` labels of sections that are no part of a name.
    """

    source: str
    name: str
    title: str
    kind: Kind
    keys: tuple[tuple[str, ...], ...]
    signatures: tuple[frozenset[str], ...]
    columns: dict[str, ColumnType]
    needs: tuple[str, ...]
    stems: tuple[str, ...]
    ignored: frozenset[str]
    aliases: dict[str, str] = field(default_factory=dict)
    rank: int = 0
    titles: dict[str, str] = field(default_factory=dict)
    day: str | None = None
    fill_down: tuple[str, ...] = ()
    section_groups: frozenset[str] = frozenset()

    @property
    def full_name(self) -> str:
        """``quickbooks.invoices``: the name in commands, JSON and the ledger, and the dbt source."""
        return f"{self.source}.{self.name}"

    @property
    def table(self) -> str:
        """Name of its table in schema ``raw``."""
        return f"{self.source}_{self.name}"

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


def _ranks(needs: dict[str, tuple[str, ...]]) -> dict[str, int]:
    """Depth of each dataset below its parents. Raises `QbwatchError` when the declarations form a cycle."""
    ranks: dict[str, int] = {}

    def rank(name: str, path: tuple[str, ...]) -> int:
        if name in path:
            raise QbwatchError("datasets need each other in a circle: " + " → ".join((*path, name)))
        if name not in ranks:
            parents = [parent for parent in needs[name] if parent in needs]
            ranks[name] = 1 + max((rank(parent, (*path, name)) for parent in parents), default=-1)
        return ranks[name]

    for name in needs:
        rank(name, ())
    return ranks


@cache
def spelled_by_hand() -> dict[str, str]:
    """Headers whose column name doesn't follow from the spelling (``Trans #`` → ``trans_no``)."""
    return {header.lower(): column for header, column in _declarations()["headers"].items()}


@cache
def _declarations() -> dict[str, dict[str, Any]]:
    """All declarations as one: each section's entries of every file, in the order of the files' names."""
    merged: dict[str, dict[str, Any]] = {}
    files = (file for file in resources.files(__package__).iterdir() if file.name.endswith(".toml"))
    for file in sorted(files, key=lambda file: file.name):
        for section, entries in tomllib.loads(file.read_text("utf-8")).items():
            merged.setdefault(section, {}).update(entries)
    return merged


@cache
def reports_not_loaded() -> dict[str, str]:
    """Titles of reports that are known and never loaded, and what each of them is."""
    return dict(_declarations().get("reports_not_loaded", {}))


def _aliases(kind: Kind, own: dict[str, str]) -> dict[str, str]:
    """A dataset's aliases; all reports share one vocabulary beneath their own."""
    shared = _declarations().get("report_aliases", {}) if kind is Kind.PERIOD else {}
    return {**shared, **own}


@cache
def datasets() -> dict[str, Dataset]:
    """All declared datasets by full name, in dependency order."""
    declared: dict[str, dict[str, Any]] = _declarations()["datasets"]
    ranks = _ranks({name: tuple(entry.get("needs", ())) for name, entry in declared.items()})
    found = [
        Dataset(
            source="quickbooks",
            name=name,
            title=entry["title"],
            kind=Kind(entry["kind"]),
            keys=tuple(tuple(key) for key in entry["keys"]),
            signatures=tuple(frozenset(signature) for signature in entry["signatures"]),
            columns={column: ColumnType(kind) for column, kind in entry["columns"].items()},
            needs=tuple(entry.get("needs", ())),
            stems=tuple(entry["stems"]),
            ignored=frozenset(entry.get("ignored", ())),
            aliases=_aliases(Kind(entry["kind"]), entry.get("aliases", {})),
            rank=ranks[name],
            titles=dict(entry.get("titles", {})),
            day=entry.get("day"),
            fill_down=tuple(entry.get("fill_down", ())),
            section_groups=frozenset(entry.get("section_groups", ())),
        )
        for name, entry in declared.items()
    ]
    return {dataset.full_name: dataset for dataset in sorted(found, key=lambda dataset: dataset.rank)}


def dataset_named(name: str) -> Dataset:
    """The dataset called ``quickbooks.invoices`` or just ``invoices``. Raises `QbwatchError` for an unknown name."""
    known = datasets()
    full_name = name if "." in name else f"quickbooks.{name}"
    if full_name not in known:
        raise QbwatchError(f"unknown dataset {name!r}", "known datasets: " + ", ".join(known))
    return known[full_name]
