"""What a person should know of a part that can be loaded."""

from __future__ import annotations

from collections.abc import Sequence

from qbwatch.datasets import Kind
from qbwatch.formats.drift import likely_renames
from qbwatch.formats.layout import Layout
from qbwatch.formats.tally import Tally


def notes_of(layout: Layout, encoding: str | None, tally: Tally, *, is_full: bool) -> tuple[str, ...]:
    """One line each, in the order in which they matter to who reads them."""
    notes = [f"read as {encoding}"] if encoding else []
    notes += [*layout.notes, *_of_keys(layout), *_of_columns(layout)]
    if tally.damaged:
        places = ", ".join(f"{column} (line {line})" for column, line in tally.damaged.items())
        notes.append(f"cells that a spreadsheet damaged, kept as they stand, first: {places}")
    if is_full and tally.accepted == 0:
        notes.append("a full export without a row: nothing was removed")
    elif is_full and tally.has_keyless:
        notes.append("nothing was removed, because a rejected row's key couldn't be read")
    if tally.rejected > len(tally.rejects):
        notes.append(f"only the first {len(tally.rejects)} rejected rows are kept")
    return tuple(notes)


def renames_in(layout: Layout) -> dict[str, str]:
    """Columns that the file lacks, each with the undeclared one that it most likely is now."""
    return likely_renames(layout.absent, layout.new)


def _of_keys(layout: Layout) -> list[str]:
    if not layout.missed_keys:
        return []
    own, missed = ", ".join(layout.key_columns), ", ".join(layout.missed_keys)
    return [f"its records are told apart by {own}, because it lacks {missed}"]


def _of_columns(layout: Layout) -> list[str]:
    notes = []
    if layout.withheld:
        notes.append("columns that are never loaded: " + ", ".join(layout.withheld))
    if layout.new:
        notes.append("columns without a declaration, kept in _extra: " + ", ".join(layout.new))
    if renames := renames_in(layout):
        mapped = " ".join(f'--map "{old}={new}"' for old, new in renames.items())
        notes.append(f"columns that may have been renamed; if so: qbwatch accept FILE {mapped}")
    if layout.lost:
        notes.append("columns that this export lacks: " + ", ".join(layout.lost))
    if missed := [column for column in layout.lost if column in layout.dataset.read_by]:
        kept = "its last known values stay" if layout.dataset.kind is Kind.LIST else "they are empty for its rows"
        notes.append(f"of these dbt reads, and {kept}: {_with_readers(layout, missed)}")
    return notes


def _with_readers(layout: Layout, columns: Sequence[str]) -> str:
    """The columns with the models that read them, those that the same ones read together."""
    by_models: dict[tuple[str, ...], list[str]] = {}
    for column in columns:
        by_models.setdefault(layout.dataset.read_by[column], []).append(column)
    return "; ".join(f"{', '.join(read)} ({', '.join(models)})" for models, read in by_models.items())
