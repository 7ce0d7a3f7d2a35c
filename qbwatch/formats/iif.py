"""IIF, QuickBooks' own list format: rows of many kinds in one file → one table per kind that is loaded.

A row begins with its keyword. A row that begins with ``!`` names the columns of its keyword, and replaces what an
earlier one said: a second ``!INVITEM`` describes groups. Quotes are those of CSV and may hold tabs, line breaks are
the two characters ``\\n``, a column may occur twice, rows may be shorter than their header or padded with tabs.

A table's header is the union of its keyword's headers, a repeated column numbered (``QNTY``, ``QNTY 2``). Inside a
group its members are listed again, with their names and without their values: they are told as members, which are no
records. Rows of the kinds that aren't loaded (employees among them) are told by the first table, without their
cells, as rows of another kind: so every row of the file is accounted for once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from qbwatch.core.dates import DateOrder, parse_date
from qbwatch.core.model import RowClass
from qbwatch.formats.facts import ReportFacts
from qbwatch.formats.iif_rows import Entry, is_unnamed, walk
from qbwatch.formats.recognise import EMPLOYEES, of_keyword
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Row, Table

Rows = Callable[[], Generator[Row, None, None]]

_FIRST_LINE = re.compile(r'\s*"?![A-Z][A-Z0-9]*"?(?:\t|\s*$)', re.IGNORECASE)
_FILE = "HDR"  # says what the file is, and when it was written
_EMPLOYEES = "EMP"
_SECONDS = re.compile(r"[0-9]{9,10}")  # of an epoch, from 1973 on


def is_iif(first_line: str) -> bool:
    """Whether a file that begins with this line is IIF: a keyword behind an exclamation mark, and tabs."""
    return _FIRST_LINE.match(first_line) is not None


@dataclass(slots=True)
class _Contents:
    """What a first reading finds: the columns of each keyword's headers, and how many rows it has."""

    headers: list[str] = field(default_factory=list)  # keywords, in the order of their first headers
    columns: dict[str, dict[str, bool]] = field(default_factory=dict)  # name → whether a row fills it
    counts: Counter[str] = field(default_factory=Counter)
    file: dict[str, str] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Note one row."""
        known = self.columns.setdefault(entry.keyword, {}) if entry.labels is not None else {}
        if entry.is_header:
            if entry.keyword not in self.headers:
                self.headers.append(entry.keyword)
            for name in entry.labels or ():
                known.setdefault(name, False)
            return
        self.counts[entry.keyword] += 1
        for name, cell in zip(entry.labels or (), entry.cells, strict=False):
            known[name] = known.get(name, False) or bool(cell.strip())
            if entry.keyword == _FILE:
                self.file[name] = cell.strip()

    def labels_of(self, keyword: str) -> tuple[str, ...]:
        """All columns of a keyword; those without a name only where a row fills them."""
        return tuple(name for name, is_filled in self.columns[keyword].items() if is_filled or not is_unnamed(name))


def tables_of(rows: Rows, encoding: str) -> tuple[Table, ...]:
    """The tables of an IIF file, in the order of their first headers. Raises `Refusal` when it holds no known kind."""
    contents = _Contents()
    with closing(rows()) as read:
        for entry in walk(read):
            contents.take(entry)
    loaded = tuple(keyword for keyword in contents.headers if of_keyword(keyword) is not None)
    if not loaded:
        raise _nothing_known(contents)
    facts, notes = ReportFacts(printed_at=_written_at(contents.file)), _notes_of(contents.counts, loaded)
    told = {loaded[0]: notes}  # by the table that tells the rows of other kinds, too
    return tuple(
        Table(
            sheet=keyword,
            format="iif",
            encoding=encoding,
            delimiter="\t",
            rows=_Kind(rows, keyword, contents, loaded).rows,
            facts=facts,
            notes=told.get(keyword, ()),
        )
        for keyword in loaded
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    """The rows of one keyword; the first of those that are ``loaded`` tells those of all other kinds too."""

    source: Rows
    keyword: str
    contents: _Contents
    loaded: tuple[str, ...]

    def rows(self) -> Generator[Row, None, None]:
        """The header, then the rows. Raises `Refusal`."""
        labels = self.contents.labels_of(self.keyword)
        yield Row(0, list(labels))  # above all rows: some may stand before their header
        with closing(self.source()) as read:
            for entry in walk(read):
                if entry.is_header:
                    continue
                if entry.keyword == self.keyword:
                    yield _row(entry, labels)
                elif self.keyword == self.loaded[0] and entry.keyword not in self.loaded:
                    yield Row(entry.line, [], RowClass.PREAMBLE if entry.keyword == _FILE else RowClass.OTHER_KIND)


def _row(entry: Entry, labels: tuple[str, ...]) -> Row:
    """A row with its cells under the labels of its table; what no label names stands behind them."""
    if entry.is_member:
        return Row(entry.line, [], RowClass.MEMBER)
    if entry.labels is None:
        return Row(entry.line, [*[""] * len(labels), *entry.cells])  # content without a header: it will be rejected
    cells = [cell.replace("\\n", "\n") for cell in entry.cells]
    named = dict(zip(entry.labels, cells, strict=False))
    beyond = [cell for cell in cells[len(entry.labels) :] if cell.strip()]
    return Row(entry.line, [*(named.get(name, "") for name in labels), *beyond])


def _written_at(file: dict[str, str]) -> datetime | None:
    """When the file was written: the seconds that its header states, else the end of the day that it states.

    The day is written month first, whatever the company's region.
    """
    seconds = file.get("TIME", "")
    if _SECONDS.fullmatch(seconds):
        return datetime.fromtimestamp(int(seconds), tz=UTC)
    try:
        day = parse_date(file.get("DATE", ""), DateOrder.MDY)
    except ValueError:
        return None
    return datetime.combine(day, time(23, 59, 59)) if day else None


def _notes_of(counts: Counter[str], loaded: tuple[str, ...]) -> tuple[str, ...]:
    """Which kinds of rows aren't loaded."""
    passed = (*loaded, _FILE, _EMPLOYEES)
    others = [f"{keyword} {count}" for keyword, count in counts.items() if keyword not in passed]
    notes = [f"rows of other kinds, which aren't loaded: {', '.join(others)}"] if others else []
    if employees := counts[_EMPLOYEES]:
        notes.append(f"employees are never loaded: {_EMPLOYEES} {employees}")
    return tuple(notes)


def _nothing_known(contents: _Contents) -> Refusal:
    told = set(contents.headers) | set(contents.counts)
    if _EMPLOYEES in told and told <= {_EMPLOYEES, _FILE}:
        return Refusal(EMPLOYEES, "employees are never loaded", "nothing needs to be done")
    kinds = ", ".join(dict.fromkeys((*contents.headers, *contents.counts))) or "none"
    return Refusal(
        "no_known_kind",
        f"an IIF file without a list that is loaded; it holds: {kinds}"[:300],
        "export the lists (accounts, customers, vendors, items, terms) from QuickBooks",
    )
