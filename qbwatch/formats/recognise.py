"""Which dataset is this? The header's signature decides; the file's name may only agree.

Two datasets that fit, or a name that says something else than the content, is a question for a person, not a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from qbwatch.core.naming import column_name, folded_stem
from qbwatch.datasets import Dataset, datasets, spelled_by_hand
from qbwatch.formats.refusal import Refusal

HEADER_WITHIN = 30  # rows: titles and blank lines may stand above the header


@dataclass(frozen=True, slots=True)
class Header:
    """The header row: the line it stands on, its column names in snake_case (unique), and the headers as written."""

    line: int
    columns: tuple[str, ...]
    written: tuple[str, ...]


def read_header(line: int, cells: Sequence[str], dataset: Dataset | None = None) -> Header:
    """Names for a row of headers: aliases applied, a repeated name numbered, one that has no letters its position.

    The number of a repeated name never makes it another column's: a second ``Other`` isn't ``Other 2``.
    """
    aliases = dataset.aliases if dataset else {}
    declared = dataset.columns if dataset else {}
    plain = [column_name(cell, spelled_by_hand()) for cell in cells]
    plain = [aliases.get(name, name) for name in plain]
    columns: list[str] = []
    for position, (name, cell) in enumerate(zip(plain, cells, strict=True), start=1):
        taken = {*plain, *declared, *columns}
        if name and name in columns:
            columns.append(_numbered(name, taken))
        elif not name and cell.strip():
            columns.append(f"column_{position}" if f"column_{position}" not in taken else _numbered("column", taken))
        else:
            columns.append(name)
    return Header(line, tuple(columns), tuple(cells))


def _numbered(name: str, taken: set[str]) -> str:
    return next(f"{name}_{number}" for number in count(2) if f"{name}_{number}" not in taken)


def matching(columns: Iterable[str]) -> list[Dataset]:
    """The datasets whose signature stands in these columns."""
    present = set(columns)
    return [dataset for dataset in datasets().values() if any(each <= present for each in dataset.signatures)]


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


def recognise(header: Header, stem: str) -> Dataset:
    """The dataset of a file with this header and name. Raises `Refusal` with the question a person must answer."""
    found = matching(header.columns)
    if len(found) > 1:
        names = ", ".join(dataset.full_name for dataset in found)
        raise Refusal("ambiguous", f"its header fits several datasets: {names}", "export one kind of record per file")
    if not found:
        raise _unknown(header, stem)
    by_name = named_by(stem)
    if by_name is not None and by_name != found[0]:
        raise Refusal(
            "name_disagrees",
            f"its name says {by_name.full_name}, its header says {found[0].full_name}",
            "`qbwatch accept` takes it for what its header says; else rename the file, or export it again",
        )
    return found[0]


def _unknown(header: Header, stem: str) -> Refusal:
    """Nothing fits: say which dataset comes nearest and what is missing for it."""
    present = set(header.columns) - {""}
    nearest = named_by(stem) or max(datasets().values(), key=lambda dataset: len(_closest(dataset, present) & present))
    signature = _closest(nearest, present)
    missing = sorted(signature - present)
    if named_by(stem) is None and not signature & present:
        return Refusal(
            "unknown_layout",
            "its columns fit no dataset that qbwatch knows",
            "if it isn't an export for qbwatch, move it elsewhere; else export it with the usual columns",
        )
    return Refusal(
        "missing_columns",
        f"nearest to {nearest.full_name}, but without: {', '.join(missing)}",
        "export it again with these columns",
    )


def _closest(dataset: Dataset, present: set[str]) -> frozenset[str]:
    """Of a dataset's signatures the one that lacks least."""
    return min(dataset.signatures, key=lambda signature: len(signature - present))
