"""Which dataset is this? The header's signature decides; the file's name may only agree.

Two datasets that fit, or a name that says something else than the content, is a question for a person, not a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from types import MappingProxyType

from qbwatch.core.naming import column_name, folded_stem
from qbwatch.datasets import Dataset, Form, Kind, datasets, people, spelled_by_hand
from qbwatch.formats.drift import likely_renames
from qbwatch.formats.refusal import Refusal

HEADER_WITHIN = 30  # rows: titles and blank lines may stand above the header
EMPLOYEES = "employees"  # the code of the rule by which files and sheets of employees are skipped
NO_FORM = Form()

Renamed = Mapping[str, str]  # column → the header that it has now, as a person said of a source
NOT_RENAMED: Renamed = MappingProxyType({})
Remembered = Sequence[tuple[str, Renamed]]  # what was said of files of a dataset (full name), newest first


@dataclass(frozen=True, slots=True)
class Header:
    """The header row: the line it stands on, its column names in snake_case (unique), the headers as written (without
    NULs, which no table of the ledger could hold), and the form of its dataset in which it is written."""

    line: int
    columns: tuple[str, ...]
    written: tuple[str, ...]
    form: Form = NO_FORM


def names_of(cells: Sequence[str]) -> list[str]:
    """Headers in snake_case, as they stand."""
    return [column_name(cell, spelled_by_hand()) for cell in cells]


def read_header(
    line: int,
    cells: Sequence[str],
    dataset: Dataset | None = None,
    keyword: str | None = None,
    renamed: Renamed = NOT_RENAMED,
) -> Header:
    """Names for a row of headers: aliases applied, a repeated name numbered, one that has no letters its position.

    The number of a repeated name never makes it another column's: a second ``Other`` isn't ``Other 2``. ``keyword``
    is that of an IIF record. ``renamed`` is what a person said of this source: column → the header it has now.
    """
    names = _as_before(names_of(cells), renamed)
    form = _form_of(names, dataset, keyword) if dataset else NO_FORM
    declared = dataset.columns if dataset else {}
    columns = _told_apart(form.columns_of(names), cells, declared)
    return Header(line, tuple(columns), tuple(cell.replace("\x00", "") for cell in cells), form)


def _told_apart(plain: Sequence[str], cells: Sequence[str], declared: Iterable[str]) -> list[str]:
    """The names with repeated ones numbered, and those without a letter called by their position."""
    taken, used = {*plain, *declared}, set[str]()
    numbers: dict[str, Iterator[int]] = {}
    columns: list[str] = []
    for position, (name, cell) in enumerate(zip(plain, cells, strict=True), start=1):
        own = name
        if not name and cell.strip():
            own = f"column_{position}"
        if own and (own in used or (not name and own in taken)):
            base = name or "column"
            count_on = numbers.setdefault(base, count(2))
            own = next(f"{base}_{number}" for number in count_on if f"{base}_{number}" not in taken)
        taken.add(own)
        used.add(own)
        columns.append(own)
    return columns


def _as_before(names: list[str], renamed: Renamed) -> list[str]:
    """The names with those that a person mapped; a column that stands under its old name too needs no mapping."""
    old_of = {names_of([new])[0]: column for column, new in renamed.items() if column not in names}
    return [old_of.get(name, name) for name in names]


def mapped(written: Sequence[str], renamed: Renamed) -> dict[str, str]:
    """What of a mapping a header has: its new headers, as they stand in it, and not the old ones beside them."""
    standing = dict(zip(names_of(written), written, strict=True))
    told = {column: standing.get(names_of([new])[0]) for column, new in renamed.items() if column not in standing}
    return {column: new for column, new in told.items() if new is not None}


def _form_of(names: Sequence[str], dataset: Dataset, keyword: str | None) -> Form:
    """The form of a dataset that a header is written in; one that no other dataset shares comes first."""
    if keyword is not None:
        return next((form for form in dataset.forms if form.keyword == keyword), NO_FORM)
    fitting = [form for form in dataset.forms if form.fits(names)]
    return min(fitting, key=lambda form: form.needs_name, default=Form(aliases=dataset.aliases))


def matching(names: Iterable[str], stem: str = "") -> list[Dataset]:
    """The lists and documents whose signature stands in these headers (in snake_case).

    Where none does, the one that the file's name points to, if the header has a form which it shares with others.
    """
    present = list(dict.fromkeys(names))  # a long row is not looked through once per form
    flat = [dataset for dataset in datasets().values() if dataset.kind is not Kind.PERIOD]
    found = [each for each in flat if any(form.fits(present) and not form.needs_name for form in each.forms)]
    named = None if found else named_by(stem)
    return [named] if named in flat and any(form.fits(present) for form in named.forms) else found


def named_by(stem: str) -> Dataset | None:
    """The dataset that a file name's stem points to; the longest declared stem wins."""
    folded = folded_stem(stem)
    candidates = [
        (len(folded_stem(known)), dataset)
        for dataset in datasets().values()
        for known in dataset.stems
        if folded.startswith(folded_stem(known))
    ]
    return max(candidates, key=lambda candidate: candidate[0])[1] if candidates else None


def named_exactly(stem: str) -> Dataset | None:
    """The list or document that a file name's stem is the name of, and not only how it begins."""
    folded = folded_stem(stem)
    return next((each for each in datasets().values() if folded in map(folded_stem, each.stems)), None)


def of_keyword(keyword: str) -> Dataset | None:
    """The dataset of a kind of IIF record."""
    known = datasets().values()
    return next((each for each in known if any(form.keyword == keyword for form in each.forms)), None)


def recognise(header: Header, stem: str) -> Dataset:
    """The dataset of a file with this header and name. Raises `Refusal` with the question a person must answer."""
    found = matching(header.columns, stem)
    if len(found) > 1:
        names = ", ".join(dataset.full_name for dataset in found)
        raise Refusal("ambiguous", f"its header fits several datasets: {names}", "export one kind of record per file")
    if not found:
        raise _employees(header, stem) or _unnamed(header) or _unknown(header, stem)
    by_name = named_by(stem)
    if by_name is not None and by_name != found[0]:
        raise Refusal(
            "name_disagrees",
            f"its name says {by_name.full_name}, its header says {found[0].full_name}",
            "`qbwatch accept` takes it for what its header says; else rename the file, or export it again",
        )
    return found[0]


def names_employees(stem: str) -> bool:
    """Whether a file or sheet is named after employees, who are never loaded."""
    stems, _ = people()
    return any(folded_stem(stem).startswith(folded_stem(each)) for each in stems)


def _employees(header: Header, stem: str) -> Refusal | None:
    _, headers = people()
    if headers.isdisjoint(header.columns) and not names_employees(stem):
        return None
    return Refusal(EMPLOYEES, "employees are never loaded", "nothing needs to be done")


def _unnamed(header: Header) -> Refusal | None:
    """Columns that several datasets share, under a name that tells none of them."""
    flat = [dataset for dataset in datasets().values() if dataset.kind is not Kind.PERIOD]
    fitting = [each for each in flat if any(form.fits(header.columns) for form in each.forms)]
    if not fitting:
        return None
    names = ", ".join(dataset.full_name for dataset in fitting)
    example = fitting[0].stems[0]
    return Refusal(
        "ambiguous",
        f"its header fits several datasets: {names}",
        f"name the file after what it holds, for example {example}_04_17_2025_2_00_03.csv",
    )


def _unknown(header: Header, stem: str) -> Refusal:
    """Nothing fits: say which dataset comes nearest and what is missing for it."""
    names = [name for name in header.columns if name]
    nearest = named_by(stem) or max(datasets().values(), key=lambda each: _lack(each, names)[1])
    missing, having = _lack(nearest, names)
    if named_by(stem) is None and not having:
        return Refusal(
            "unknown_layout",
            "its columns fit no dataset that qbwatch knows",
            "if it isn't an export for qbwatch, move it elsewhere; else export it with the usual columns",
        )
    return Refusal(
        "missing_columns",
        f"nearest to {nearest.full_name}, but without: {', '.join(missing)}",
        _mapping_hint(missing, [name for name in names if name not in nearest.columns])
        or "export it again with these columns",
    )


def _mapping_hint(missing: Sequence[str], others: Sequence[str]) -> str:
    """How a person says that columns were renamed, when all that are missing may have been."""
    renames = likely_renames(missing, others)
    if set(renames) != set(missing):
        return ""
    mapped = " ".join(f'--map "{old}={new}"' for old, new in renames.items())
    return f"were they renamed? then `qbwatch accept FILE {mapped}`; else export it again with these columns"


def _lack(dataset: Dataset, names: Sequence[str]) -> tuple[list[str], int]:
    """Of a dataset's forms the one that lacks least: which columns it lacks, and how many it has."""
    lacks = [
        (sorted(form.signature.difference(columns)), len(form.signature.intersection(columns)))
        for form in dataset.forms
        if form.signature
        for columns in [form.columns_of(names)]
    ]
    return min(lacks, key=lambda lack: (len(lack[0]), -lack[1]), default=([], 0))
