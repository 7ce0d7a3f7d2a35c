"""Two schemas with tables of the same names: what can be compared of them, and is it the same?

Only what the *old* side has is asked for: whoever reads the old tables must find everything in the new ones. What the
new side has besides is told, and is no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from qbwatch.core.facts import Json

_NUMBERS = frozenset({"numeric", "integer", "bigint", "smallint", "real", "double precision", "money"})
_MOMENTS = frozenset({"date", "timestamp without time zone", "timestamp with time zone"})


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as the catalog describes it: its columns with their types, in order, and the columns of its unique
    indexes, the primary key first."""

    columns: Mapping[str, str]
    unique: Sequence[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """A table that both sides have."""

    table: str
    new: Shape
    old: Shape
    ignored: frozenset[str] = frozenset()

    @property
    def shared(self) -> list[str]:
        """Columns of both, in the old table's order."""
        return [name for name in self.old.columns if name in self.new.columns and name not in self.ignored]

    @property
    def only_new(self) -> list[str]:
        """Columns that only the new table has."""
        return [name for name in self.new.columns if name not in self.old.columns and name not in self.ignored]

    @property
    def only_old(self) -> list[str]:
        """Columns that only the old table has."""
        return [name for name in self.old.columns if name not in self.new.columns and name not in self.ignored]

    @property
    def summed(self) -> list[str]:
        """Shared columns whose totals are compared: exact decimals with us, numbers of any kind there."""
        return [name for name in self.shared if self.new.columns[name] == "numeric" and self.kind_of(name) == "number"]

    def kind_of(self, column: str) -> str:
        """As what the values of both sides are compared: ``number``, ``moment``, or else ``text``.

        1 and 1.00 are one number, and a date is its day's first moment, whatever the types.
        """
        types = {self.new.columns[column], self.old.columns[column]}
        if types <= _NUMBERS:
            return "number"
        return "moment" if types <= _MOMENTS and len(types) > 1 else "text"

    def keys(self, declared: Iterable[str], asked: Sequence[str] = ()) -> list[tuple[str, ...]]:
        """What may tell rows apart on both sides, best first: what was asked for, the columns that the project tests
        as unique, the old table's unique indexes."""
        candidates = [tuple(asked)] if asked else [*((name,) for name in declared), *self.old.unique]
        shared = set(self.shared)
        return [each for each in dict.fromkeys(candidates) if each and shared.issuperset(each)]


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of comparing a table. ``key`` is None where rows were compared as wholes; ``totals`` are the new and
    the old one, as text; ``columns`` count the rows in which a column differs. Examples are at most as many as asked.
    """

    pair: Pair
    key: tuple[str, ...] | None
    rows: tuple[int, int]
    totals: Mapping[str, tuple[str | None, str | None]]
    only_new: int
    only_old: int
    differing: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    examples: Json = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """Whether a reader of the old table would find the very same in the new one."""
        return not (self.only_new or self.only_old or self.differing or self.pair.only_old)

    def json(self) -> Json:
        """As it stands in the answer."""
        return {
            "table": self.pair.table,
            "equal": self.is_equal,
            "key": None if self.key is None else list(self.key),
            "rows": {"new": self.rows[0], "old": self.rows[1]},
            "columns_only_new": self.pair.only_new,
            "columns_only_old": self.pair.only_old,
            "totals": [
                {"column": name, "new": new, "old": old, "equal": new == old}
                for name, (new, old) in self.totals.items()
            ],
            "rows_only_new": self.only_new,
            "rows_only_old": self.only_old,
            "rows_differing": self.differing,
            "columns_differing": dict(self.columns),
            "examples": {"only_new": [], "only_old": [], "differing": []} | self.examples,
        }
