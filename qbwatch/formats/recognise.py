"""Which dataset is this? The header's signature decides; the file's name may only agree.

Two datasets that fit, or a name that says something else than the content, is a question for a person, not a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
    """Names for a row of headers: aliases applied, a repeated name gets ``_2``, a blank one its position."""
    aliases = dataset.aliases if dataset else {}
    seen: dict[str, int] = {}
    columns = []
    for position, cell in enumerate(cells, start=1):
        name = column_name(cell, spelled_by_hand())
        name = aliases.get(name, name) or (f"column_{position}" if cell.strip() else "")
        if name:
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name = f"{name}_{seen[name]}"
        columns.append(name)
    return Header(line, tuple(columns), tuple(cells))


def matching(columns: Iterable[str]) -> list[Dataset]:
    """The datasets whose signature stands in these columns."""
    present = set(columns)
    return [dataset for dataset in datasets().values() if dataset.requires <= present]


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
            "rename the file after what it holds, or export it again",
        )
    return found[0]


def _unknown(header: Header, stem: str) -> Refusal:
    """Nothing fits: say which dataset comes nearest and what is missing for it."""
    present = set(header.columns) - {""}
    nearest = named_by(stem) or max(datasets().values(), key=lambda dataset: len(dataset.requires & present))
    missing = sorted(nearest.requires - present)
    if named_by(stem) is None and not nearest.requires & present:
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
