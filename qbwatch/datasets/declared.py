"""The declarations beside this file, as datasets.

The TOML files of this folder are the only place that names columns, types, keys, dependencies and file-name stems: a
new dataset is a few lines there and no code. How they are written is explained in ``quickbooks.toml``.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from qbwatch.core.model import QbwatchError
from qbwatch.datasets.dataset import ColumnType, Dataset, Form, Kind


def ranks_of(needs: dict[str, tuple[str, ...]]) -> dict[str, int]:
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
def declarations() -> dict[str, dict[str, Any]]:
    """All declarations as one: each section's entries of every file, in the order of the files' names."""
    merged: dict[str, dict[str, Any]] = {}
    files = (file for file in resources.files(__package__).iterdir() if file.name.endswith(".toml"))
    for file in sorted(files, key=lambda file: file.name):
        for section, entries in tomllib.loads(file.read_text("utf-8")).items():
            merged.setdefault(section, {}).update(entries)
    return merged


@cache
def spelled_by_hand() -> dict[str, str]:
    """Headers whose column name doesn't follow from the spelling (``Trans #`` → ``trans_no``)."""
    return {header.lower(): column for header, column in declarations()["headers"].items()}


@cache
def never_loaded() -> re.Pattern[str]:
    """What a column's name looks like that holds numbers of persons, banks or cards."""
    return re.compile("|".join(declarations()["never"]["columns"]))


@cache
def people() -> tuple[tuple[str, ...], frozenset[str]]:
    """How files of employees begin, and the columns of which any one gives them away."""
    never = declarations()["never"]
    return tuple(never["stems"]), frozenset(never["headers"])


@cache
def reports_not_loaded() -> dict[str, str]:
    """Titles of reports that are known and never loaded, and what each of them is."""
    return dict(declarations().get("reports_not_loaded", {}))


@cache
def datasets() -> dict[str, Dataset]:
    """All declared datasets by full name, in dependency order."""
    declared: dict[str, dict[str, Any]] = declarations()["datasets"]
    ranks = ranks_of({name: tuple(entry.get("needs", ())) for name, entry in declared.items()})
    found = [_dataset(name, entry, ranks[name]) for name, entry in declared.items()]
    return {dataset.full_name: dataset for dataset in sorted(found, key=lambda dataset: dataset.rank)}


def dataset_named(name: str) -> Dataset:
    """The dataset called ``quickbooks.invoices`` or just ``invoices``. Raises `QbwatchError` for an unknown name."""
    known = datasets()
    full_name = name if "." in name else f"quickbooks.{name}"
    if full_name not in known:
        raise QbwatchError(f"unknown dataset {name!r}", "known datasets: " + ", ".join(known))
    return known[full_name]


def _dataset(name: str, entry: dict[str, Any], rank: int) -> Dataset:
    groups = [declarations()["groups"][group] for group in entry.get("groups", ())]
    columns = {**entry.get("columns", {}), **entry.get("more", {})}
    for group in groups:
        columns |= {column: kind for column, kind in group.get("columns", {}).items() if column not in columns}
    identity = tuple(entry.get("identity", ()))
    aliases = _aliases(entry, groups, identity)
    return Dataset(
        source="quickbooks",
        name=name,
        title=entry["title"],
        kind=Kind(entry["kind"]),
        keys=tuple(tuple(key) for key in entry["keys"]) + ((identity,) if identity else ()),
        forms=_forms(entry, groups, aliases, identity),
        columns={column: ColumnType(kind) for column, kind in columns.items()},
        needs=tuple(entry.get("needs", ())),
        stems=tuple(entry["stems"]),
        ignored=frozenset(entry.get("ignored", ())),
        fill_down=identity or tuple(entry.get("fill_down", ())),
        rank=rank,
        aliases=aliases,
        expected=tuple(entry.get("columns", {})),
        titles=dict(entry.get("titles", {})),
        day=entry.get("day"),
        section_groups=frozenset(entry.get("section_groups", ())),
        is_one_listing=entry.get("is_one_listing", False),
        read_by=_read_by(name),
    )


def _aliases(entry: dict[str, Any], groups: list[dict[str, Any]], identity: tuple[str, ...]) -> dict[str, str]:
    """Its own aliases before those of its groups; all reports share one vocabulary beneath theirs."""
    shared = declarations().get("report_aliases", {}) if entry["kind"] == Kind.PERIOD else {}
    aliases: dict[str, str] = dict(shared)
    for part in (*reversed(groups), entry):
        aliases |= part.get("aliases", {})
    return _in_role(aliases, identity)


def _read_by(name: str) -> dict[str, tuple[str, ...]]:
    """The models that read each column of a dataset's raw table."""
    models: dict[str, list[str]] = declarations().get("read_by_dbt", {}).get(name, {})
    columns = dict.fromkeys(column for read in models.values() for column in read)
    return {column: tuple(model for model, read in models.items() if column in read) for column in columns}


def _in_role(aliases: dict[str, str], identity: tuple[str, ...]) -> dict[str, str]:
    return {header: _column(column, identity) for header, column in aliases.items()}


def _column(column: str, identity: tuple[str, ...]) -> str:
    """A column, which a group may name by its part in a document's identity."""
    return dict(zip(("@number", "@date", "@name"), identity, strict=False)).get(column, column)


def _forms(
    entry: dict[str, Any], groups: list[dict[str, Any]], aliases: dict[str, str], identity: tuple[str, ...]
) -> tuple[Form, ...]:
    """Its plain signatures, then the forms of its own, then those of its groups."""
    written = [{"signature": signature} for signature in entry["signatures"]]
    for part in (entry, *groups):
        written += part.get("forms", [])
    return tuple(_form(form, aliases, identity) for form in written)


def _form(form: dict[str, Any], common: dict[str, str], identity: tuple[str, ...]) -> Form:
    """One form; an IIF record has words of its own alone."""
    own = _in_role(form.get("aliases", {}), identity)
    return Form(
        signature=frozenset(_column(column, identity) for column in form.get("signature", ())),
        aliases=own if "keyword" in form else common | own,
        needs_name=form.get("needs_name", False),
        keyword=form.get("keyword"),
        negated=frozenset(form.get("negated", ())),
        ignored=frozenset(form.get("ignored", ())),
    )
