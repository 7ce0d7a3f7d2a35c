"""What stands above a report's rows: its header, found by content, and the lines before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from qbwatch.core.dates import DateOrder
from qbwatch.core.money import is_amount
from qbwatch.datasets import ColumnType, Dataset, Kind, datasets
from qbwatch.formats.facts import ReportFacts
from qbwatch.formats.recognise import NOT_RENAMED, Header, Renamed, named_exactly, read_header
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.report_period import is_as_of, read_period
from qbwatch.formats.report_text import filled, read_basis, read_footer, with_footer
from qbwatch.formats.report_titles import Title, title_and_company, title_in_name, titled
from qbwatch.formats.table import Row

_DECLARED_AT_LEAST = 3  # columns of a titled report that make a row its header; a statement has but two
_CELLS_ABOVE = 3  # texts beside each other in a line above the header: a time, a title, a date


@dataclass(frozen=True, slots=True)
class Head:
    """A recognised report: its dataset, its header, what it says of itself, and which column its sections name."""

    dataset: Dataset
    header: Header
    facts: ReportFacts
    section_as: str
    report: str | None


def find_report(rows: Sequence[Row], stem: str, order: DateOrder, renamed: Renamed = NOT_RENAMED) -> Head | None:
    """Recognise a report by its title first, else by its header's signature; None when it is neither.

    ``rows`` are the first ones of the table. Raises `Refusal` for a report that isn't loaded,
    or that fits two datasets.
    """
    title = title_above(rows)
    if title is not None and title.dataset is None:
        raise _not_loaded(title)
    header = _header_by_signature(rows, renamed) if title is None else _header_of_titled(rows, title, renamed)
    if header is None:
        return None
    dataset, found = header
    _agree_with_name(dataset, stem)
    by_name = title_in_name(stem)
    known = title or (by_name if by_name and by_name.dataset == dataset else None)
    facts = read_preamble([row for row in rows if row.line < found.line], stem, order)
    if dataset.day is None:  # a position as of a day says nothing about other days
        facts = replace(facts, is_all_dates=False)
    elif facts.until is not None:  # a ledger up to a day doesn't say with which it begins
        facts = replace(facts, period=None)
    report = known.text if known else facts.title
    return Head(dataset, found, facts, known.section_as if known else _implied_section(dataset, found), report)


def _texts(row: Row) -> list[tuple[str, bool]]:
    """The texts of a line above the header, each with whether it stands alone; one torn at its comma is joined."""
    found = [cell.replace("\x00", "") for cell in filled(row.cells)]
    if all(cell.startswith(" ") for cell in found[1:]):
        return [(",".join(found), True)] if found else []
    return [(text, False) for text in found]


def read_preamble(rows: Iterable[Row], stem: str, order: DateOrder) -> ReportFacts:
    """Title, company, period and basis from the lines above a header, in whatever order they stand."""
    facts, texts = ReportFacts(), []
    for text, is_alone in (each for row in rows for each in _texts(row)):
        footer = read_footer([text])
        if (basis := read_basis(text)) is not None:
            facts = replace(facts, basis=basis)
        elif footer is not None:
            facts = with_footer(facts, footer)
        elif " ".join(text.lower().split()) == "all dates":
            facts = replace(facts, is_all_dates=True)
        elif titled(text) is None and (period := read_period(text, order)) is not None:
            until = period.last if is_as_of(text) else facts.until
            facts = replace(facts, period=facts.period or period, until=until)
        elif is_alone or titled(text):
            texts.append(text)
    title, company = title_and_company(texts, stem)
    unread = (text.strip() for text in texts if titled(text) is None)
    return replace(
        facts, title=title, company=company, unread=tuple(text for text in unread if text not in (title, company))
    )


def title_above(rows: Iterable[Row]) -> Title | None:
    """The first title that is known, above the first row with as many cells as only a header or a record has."""
    for row in rows:
        texts = filled(row.cells)
        if len(texts) > _CELLS_ABOVE:
            return None
        for text in texts:
            if title := titled(text):
                return title
    return None


def _header_of_titled(rows: Sequence[Row], title: Title, renamed: Renamed) -> tuple[Dataset, Header]:
    assert title.dataset is not None
    for row in rows:
        header = read_header(row.line, row.cells, title.dataset, renamed=renamed)
        if _may_head(header, title.dataset):
            return title.dataset, header
    raise Refusal(
        "missing_columns",
        f"it is titled {title.text!r}, but none of its first {len(rows)} rows is a header of {title.dataset.full_name}",
        "export it again with its usual columns",
    )


def _may_head(header: Header, dataset: Dataset) -> bool:
    """Whether a row carries enough of the dataset's columns, money among them, and the day where it has one."""
    declared = [name for name in header.columns if name in dataset.columns]
    has_money = any(dataset.columns[name] is ColumnType.MONEY for name in declared)
    if not has_money or any(is_amount(cell) for cell in header.written):
        return False
    if dataset.day is not None:
        return dataset.day in declared and len(declared) >= _DECLARED_AT_LEAST
    return len(declared) >= _DECLARED_AT_LEAST or any(signature <= {*declared} for signature in dataset.signatures)


def _header_by_signature(rows: Sequence[Row], renamed: Renamed) -> tuple[Dataset, Header] | None:
    """The first row that carries a signature. A signature that holds all columns of another's is the more telling."""
    for row in rows:
        found = [
            (dataset, header, positions)
            for dataset in datasets().values()
            if dataset.kind is Kind.PERIOD
            for header in (read_header(row.line, row.cells, dataset, renamed=renamed),)
            for positions in _matched(header, dataset)
        ]
        best = [each for each in found if not any(each[2] < other[2] for other in found)]
        names = sorted({dataset.full_name for dataset, _, _ in best})
        if len(names) > 1:
            raise Refusal(
                "ambiguous",
                f"its header fits several datasets: {', '.join(names)}",
                "export it with the lines above its header, which hold the report's title",
            )
        if best:
            return best[0][0], best[0][1]
    return None


def _matched(header: Header, dataset: Dataset) -> list[frozenset[int]]:
    """For each of the dataset's signatures that the header has: where its columns stand."""
    places = {name: position for position, name in enumerate(header.columns)}
    return [
        frozenset(places[name] for name in signature) for signature in dataset.signatures if signature <= places.keys()
    ]


def _agree_with_name(dataset: Dataset, stem: str) -> None:
    """A file that is called after another report or list is a question; a company's name before that says nothing."""
    title, named = title_in_name(stem), named_exactly(stem)
    other = named if named and named != dataset else title.dataset if title and title.dataset != dataset else None
    if title is not None and title.dataset is None:
        raise _not_loaded(title)
    if other is not None:
        raise Refusal(
            "name_disagrees",
            f"its name says {other.full_name}, its content says {dataset.full_name}",
            "rename the file after what it holds, or export it again",
        )


def _not_loaded(title: Title) -> Refusal:
    return Refusal(
        "unknown_layout",
        f"{title.text!r} is {title.what}; qbwatch doesn't load it",
        "nothing of it was loaded; it may stay where it is, or be moved elsewhere",
    )


def _implied_section(dataset: Dataset, header: Header) -> str:
    """Without a title, sections name what has no column of its own, where that leaves no doubt."""
    if "sales_price" not in header.columns:
        return next((name for name in dataset.titles.values() if name and name not in header.columns), "")
    missing = [name for name in ("customer", "item") if name not in header.columns]
    return missing[0] if len(missing) == 1 else ""
