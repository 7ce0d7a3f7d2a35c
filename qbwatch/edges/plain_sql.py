"""SQL that reads cells as `formats.cells` does, where they stand in the plainest notation, and tells where they don't.

The proof of plainness is the way back: a cell is plain when the typed value, written by Postgres, is the cell again to
the letter. ``1234.50`` is; ``1e5``, ``1_000``, ``+5``, ``.5`` and ``(5.00)`` aren't, though Postgres would take some.
Rows with any other cell are left to the careful readers. A *bare* cast ends in an error at text that Postgres can't
take at all; *guarded* ones look first, cost more, and take every cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from psycopg import sql

from qbwatch.core.dates import DateOrder
from qbwatch.datasets import ColumnType, Kind, percent_twin
from qbwatch.formats.layout import Layout
from qbwatch.formats.plain_text import PlainText

PLAIN_KEY = "(key ~ '^[!-~]+( [!-~]+)*$' AND octet_length(key) <= 500)"
"""Whether a key as `key_sql` has it is what `formats.keys` reads: no blanks but single ones between its words."""

# Braces are doubled throughout: the texts go through a format.
_DIGITS = "'^-?[0-9]+(\\.[0-9]+)?$'"
_GROUPED = "'^-?[0-9]{{1,3}}(,[0-9]{{3}})+(\\.[0-9]+)?$'"
_GROUPED_ID = "'^[0-9]{{1,3}}(,[0-9]{{3}})+$'"
_TRUE, _FALSE = "('true', 'TRUE', 'True', 'y', 'Y', 'yes', 'Yes')", "('false', 'FALSE', 'False', 'n', 'N', 'no', 'No')"
# How Postgres writes dates so that they read like the file's, and what those look like.
_STYLES = {"": "ISO", "-": "Postgres", "/": "SQL", ".": "German"}
_DAYS = {DateOrder.MDY: "MDY", DateOrder.DMY: "DMY", DateOrder.YMD: "YMD"}


@dataclass(frozen=True, slots=True)
class Notation:
    """How a file writes its dates, which the session's DateStyle must say, and whether casts must be guarded.

    ``separator`` is what stands between two digits for the day, two for the month and four for the year, in the
    configured order; an empty one stands for ``YYYY-MM-DD``, which is read in any order.
    """

    order: DateOrder
    separator: str = "-"
    is_guarded: bool = False

    @property
    def _separator(self) -> str:
        return "" if self.order is DateOrder.YMD else self.separator

    @property
    def date_style(self) -> str:
        """Postgres' DateStyle whose output looks like the file's dates."""
        return f"{_STYLES[self._separator]}, {_DAYS[self.order]}"

    @property
    def date_pattern(self) -> str:
        """SQL literal of the regular expression that the file's dates match."""
        if not self._separator:
            return "'^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$'"
        separator = "\\." if self.separator == "." else self.separator
        return f"'^[0-9]{{{{2}}}}{separator}[0-9]{{{{2}}}}{separator}[0-9]{{{{4}}}}$'"


@dataclass(slots=True)
class CellSql:
    """The typed value of each stored column by its name, and conditions that all hold in a plain row.

    Values are SQL over the staged texts ``c0``, ``c1``, …; conditions may name the values as well, as ``v0``, ``v1``, …
    """

    columns: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)

    def add(self, column: str, value: str) -> str:
        """Adds a value; returns the name that conditions use."""
        self.columns.append(column)
        self.values.append(value)
        return f"v{len(self.values) - 1}"


def cell_sql(layout: Layout, notation: Notation, text: PlainText) -> CellSql:
    """How a layout's cells are read in a text whose blocks were all seen."""
    out = CellSql()
    texts: list[str] = []
    kinds = layout.dataset.columns
    for cell in layout.cells:
        kind = kinds.get(cell.column)
        if kind is None:
            continue  # the percentages of a rate: added with it
        place = f"c{cell.position}"
        if kind in (ColumnType.TEXT, ColumnType.ID):
            texts.append(place)
        _READERS[kind](out, cell.column, place, notation)
    out.conditions.append("is_plain_key")
    out.conditions += _no_blanks(texts, text)
    out.conditions += [f"c{p} IS NULL" for p in range(layout.width, len(layout.header.written))]
    if layout.dataset.kind is Kind.LIST:
        out.conditions.append(_no_footer(layout))
    return out


def _no_footer(layout: Layout) -> str:
    """What may close a printed list: its total, or a line with the day on which it was printed."""
    first = f"coalesce({', '.join(f'c{position}' for position in range(len(layout.header.written)))})"
    return f"({first} NOT LIKE 'TOTAL%' AND {first} NOT ILIKE '%day, %')"


def _no_blanks(texts: list[str], text: PlainText) -> list[str]:
    """No text begins with a blank: it might be nothing but blanks."""
    found = []
    if texts and text.has_blanks:
        found.append(f"coalesce(least({', '.join(texts)}), '!') >= '!'")
    if text.has_wide_blanks:
        found += [f"({each} IS NULL OR ascii({each}) NOT IN (133, 160, 5760, 8232, 8233, 8239, 8287, 12288) "
                  f"AND ascii({each}) NOT BETWEEN 8192 AND 8202)" for each in texts]  # fmt: skip
    return found


def _text(out: CellSql, column: str, text: str, _: Notation) -> None:
    out.add(column, text)


def _id(out: CellSql, column: str, text: str, notation: Notation) -> None:
    digits, place = f"replace({text}, ',', '')", f"strpos({text}, ',')"
    out.add(column, f"CASE WHEN {place} > 0 THEN {digits} ELSE {text} END")
    # A regular expression costs more than all else of an identifier: numbers below a million do without.
    short = (
        f"{text} >= '0' AND octet_length({text}) BETWEEN 5 AND 7 AND {place} = octet_length({text}) - 3 "
        f"AND {digits}::integer::text = {digits}"
    )
    grouped = f"{text} ~ {_GROUPED_ID}" if notation.is_guarded else short
    plain = f"CASE WHEN {place} > 0 THEN {grouped} ELSE true END"
    out.conditions.append(f"({text} IS NULL OR {plain})")


def _number(out: CellSql, column: str, text: str, notation: Notation) -> None:
    if not notation.is_guarded:
        value = out.add(column, f"{text}::numeric")
        out.conditions.append(f"({text} IS NULL OR {value}::text = {text} AND {text} < ':')")
        return
    value = out.add(column, _guarded(text))
    out.conditions.append(f"({text} IS NULL OR {value}::text = replace({text}, ',', ''))")


def _guarded(text: str) -> str:
    return (
        f"CASE WHEN {text} ~ {_DIGITS} THEN {text}::numeric "
        f"WHEN {text} ~ {_GROUPED} THEN replace({text}, ',', '')::numeric END"
    )


def _percent(out: CellSql, column: str, text: str, notation: Notation) -> None:
    bare = f"rtrim({text}, '%')"
    value = out.add(column, _guarded(bare) if notation.is_guarded else f"{bare}::numeric")
    out.conditions.append(
        f"({text} IS NULL OR {text} < ':' AND ({value}::text = {text} OR {value}::text || '%' = {text}))"
    )


def _rate(out: CellSql, column: str, text: str, notation: Notation) -> None:
    percent, bare = f"right({text}, 1) = '%'", f"left({text}, -1)"
    cast: Callable[[str], str] = _guarded if notation.is_guarded else lambda each: f"{each}::numeric"
    value = out.add(column, f"CASE WHEN {percent} THEN NULL ELSE {cast(text)} END")
    twin = out.add(percent_twin(column), f"CASE WHEN {percent} THEN {cast(bare)} END")
    out.conditions.append(
        f"({text} IS NULL OR {text} < ':' AND ({value}::text = {text} OR {twin}::text || '%' = {text}))"
    )


def _date(out: CellSql, column: str, text: str, notation: Notation) -> None:
    cast = f"{text}::date"
    value = out.add(
        column, f"CASE WHEN {text} ~ {notation.date_pattern} THEN {cast} END" if notation.is_guarded else cast
    )
    out.conditions.append(
        f"({text} IS NULL OR {value}::text = {text} "
        f"AND {value} >= make_date(1900, 1, 1) AND {value} < make_date(2101, 1, 1))"
    )


def _boolean(out: CellSql, column: str, text: str, _: Notation) -> None:
    value = out.add(column, f"CASE WHEN {text} IN {_TRUE} THEN true WHEN {text} IN {_FALSE} THEN false END")
    out.conditions.append(f"({text} IS NULL OR {value} IS NOT NULL)")


_READERS: dict[ColumnType, Callable[[CellSql, str, str, Notation], None]] = {
    ColumnType.TEXT: _text,
    ColumnType.ID: _id,
    ColumnType.MONEY: _number,
    ColumnType.QUANTITY: _number,
    ColumnType.NUMBER: _number,
    ColumnType.PERCENT: _percent,
    ColumnType.RATE: _rate,
    ColumnType.DATE: _date,
    ColumnType.BOOLEAN: _boolean,
}


def key_sql(layout: Layout) -> str:
    """The record's key, null where it is blank; for layouts whose key is one column of text (`has_plain_key`)."""
    text = f"c{layout.key[0].position}"
    is_id = layout.dataset.columns[layout.key[0].column] is ColumnType.ID
    return f"replace({text}, ',', '')" if is_id else text


def has_plain_key(layout: Layout) -> bool:
    """Whether a row's key stands in one column of the row itself, as text."""
    kinds = [layout.dataset.columns[cell.column] for cell in layout.key]
    return kinds in ([ColumnType.TEXT], [ColumnType.ID]) and not layout.fills_down


def extra_sql(layout: Layout) -> sql.Composable:
    """The undeclared columns as jsonb, blanks as null."""
    if not layout.extra:
        return sql.SQL("'{}'::jsonb")
    pairs = (sql.SQL("{}::text, c" + str(position)).format(sql.Literal(name)) for position, name in layout.extra)
    # A function takes a hundred arguments: several objects, put together.
    pairs_list = list(pairs)
    objects = [
        sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs_list[start : start + 40]))
        for start in range(0, len(pairs_list), 40)
    ]
    return sql.SQL(" || ").join(objects)
