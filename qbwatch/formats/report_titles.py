"""Which report do these words name? Titles are compared without case, blanks and punctuation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from qbwatch.core.naming import folded_stem
from qbwatch.datasets import Dataset, Kind, datasets, reports_not_loaded

_WORDS = ("detail", "summary", "list", "report", "ledger", "journal", "transactions", "balance", "sheet", "payments")


@dataclass(frozen=True, slots=True)
class Title:
    """A declared title: the dataset it belongs to (None: of a report that isn't loaded, which is ``what``) and the
    column that its sections name."""

    text: str
    dataset: Dataset | None
    section_as: str = ""
    what: str = ""


@cache
def _declared() -> dict[str, Title]:
    known = {
        folded_stem(text): Title(text, dataset, section_as)
        for dataset in datasets().values()
        if dataset.kind is Kind.PERIOD
        for text, section_as in dataset.titles.items()
    }
    unloaded = {folded_stem(text): Title(text, None, what=what) for text, what in reports_not_loaded().items()}
    return {**unloaded, **known}


def titled(text: str) -> Title | None:
    """The title that a line is, or None."""
    return _declared().get(folded_stem(text))


def title_in_name(stem: str) -> Title | None:
    """The title that a file name ends or begins with: ``<Company>_<Report>``, or what a person typed before a week."""
    folded = folded_stem(stem)
    fitting = [
        (len(known), title)
        for known, title in _declared().items()
        if folded.startswith(known) or folded.endswith(known)
    ]
    return max(fitting, key=lambda each: each[0])[1] if fitting else None


def title_and_company(texts: Iterable[str], stem: str) -> tuple[str | None, str | None]:
    """Of the first lines above a header, which is the report's title and which the company's name?

    Either may stand first: a declared title tells, then the file's name (``<Company>_<Report>``), then words that
    titles end in; else the company comes first, as QuickBooks has it.
    """
    lines = [text.strip() for text in texts][:2]
    if len(lines) < 2:
        only = lines[0] if lines else None
        return (only, None) if only and _titleness(only, stem) else (None, only)
    is_title_first = _titleness(lines[0], stem) > _titleness(lines[1], stem)
    return (lines[0], lines[1]) if is_title_first else (lines[1], lines[0])


def _titleness(text: str, stem: str) -> int:
    """How much speaks for a line being the report's title, nothing being 0."""
    if titled(text):
        return 3
    folded = folded_stem(text)
    if folded and folded_stem(stem).endswith(folded):
        return 2
    return int(text.lower().split()[-1] in _WORDS)
