"""Checks that look at more than one value, and the defaults that depend on who runs qbwatch."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from qbwatch.config_address import path_at
from qbwatch.config_errors import KeyPath, Mistake, name_of
from qbwatch.config_sources import Layer
from qbwatch.config_values import nearest

PlaceOf = Callable[[KeyPath], str]
_LONGEST_NAME = 63
_LONGEST_SCHEMA = _LONGEST_NAME - len("_intermediate")  # Postgres cuts longer names, and two schemas would become one
_LAYERS = ("staging", "intermediate", "mart", "quality")  # what dbt appends to the target schema
_FOLDERS = (("input", "directory"), ("input", "seed_directory"), ("state", "directory"))
_FILES = (("page", "file"), ("control", "socket"))
_OFF = ("false", "0", "off", "no", "f", "n")  # as pydantic reads them


def check_schema_name(name: str) -> str:
    """A name that Postgres and dbt take unquoted, short enough for the suffixes that dbt appends."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name) or len(name) > _LONGEST_SCHEMA:
        raise ValueError(
            f"is not a schema name; allowed: lower-case letters, digits and _, at most {_LONGEST_SCHEMA} characters"
        )
    if name in ("raw", "qbwatch"):
        raise ValueError("is a schema of qbwatch's own; allowed: any other")
    return name


def check_role_name(name: str) -> str:
    """A name that Postgres and dbt take unquoted."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
        raise ValueError("is not a role's name; allowed: lower-case letters, digits and _, at most 63 characters")
    return name


def check_raw_schema_name(name: str) -> str:
    """A name that Postgres and dbt take unquoted, of a schema that is nobody else's."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name) or len(name) > _LONGEST_NAME:
        raise ValueError(
            f"is not a schema name; allowed: lower-case letters, digits and _, at most {_LONGEST_NAME} characters"
        )
    if name in ("qbwatch", "information_schema") or name.startswith("pg_"):
        raise ValueError("is taken by qbwatch's own state or by Postgres; allowed: any other")
    return name


def find_schema_clash(raw_schema: str, target_schema: str, place_of: PlaceOf) -> list[Mistake]:
    """Raw tables in a schema that dbt builds in: its models could take the place of a table."""
    built = {target_schema, *(f"{target_schema}_{layer}" for layer in _LAYERS)}
    if raw_schema not in built:
        return []
    key = ("database", "raw_schema")
    text = f'{name_of(key)} = "{raw_schema}" is a schema in which dbt builds with transform.target_schema'
    return [Mistake(place_of(key), f'{text} = "{target_schema}"; allowed: any other')]


def check_country(code: str) -> str:
    """Two letters, and a state's code; whether their calendar is known is found out where holidays are counted."""
    if not re.fullmatch(r"[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?", code):
        raise ValueError('is not a country; allowed: its two-letter ISO code, as in "US", or with a state: "US-NJ"')
    return code.upper()


def find_overlaps(layers: list[Layer], place_of: PlaceOf) -> list[Mistake]:
    """Folders inside each other, and files of ours inside a folder that we only read.

    The input is synced: what we wrote there would go to the office, come back as an export, and so on for ever. Links
    are followed. Values that are no paths are skipped here; they are mistakes of their own.
    """
    paths = {key: path for key in (*_FOLDERS, *_FILES) if (path := path_at(layers, key)) is not None}
    folders = [key for key in _FOLDERS if key in paths]
    mistakes = []
    for position, outer in enumerate(folders):
        for inner in folders[position + 1 :]:
            if paths[inner].is_relative_to(paths[outer]) or paths[outer].is_relative_to(paths[inner]):
                text = f"{name_of(inner)} = {_shown(paths[inner])} and {name_of(outer)} = {_shown(paths[outer])}"
                mistakes.append(Mistake(place_of(inner), f"{text} must not lie inside each other"))
    for file in _FILES:
        for folder in _FOLDERS[:2]:
            if file in paths and folder in paths and paths[file].is_relative_to(paths[folder]):
                text = (
                    f"{name_of(file)} = {_shown(paths[file])} lies inside {name_of(folder)}, which qbwatch only reads"
                )
                mistakes.append(Mistake(place_of(file), f"{text}; allowed: any path outside {_shown(paths[folder])}"))
    return mistakes


def find_slips(layers: list[Layer], place_of: PlaceOf) -> list[Mistake]:
    """What would do nothing, without a word: keys of ``[freshness]`` that pass for a mart's name although ``default``
    or ``country`` was meant, and receipts without a page."""
    mistakes = []
    receipts = ("page", "receipts")
    given = next((layer for layer in layers if layer.gives(*receipts)), None)
    is_wanted = given is not None and str(given.values["page"]["receipts"]).casefold() not in _OFF
    if is_wanted and not any(layer.gives("page", "file") for layer in layers):
        mistakes.append(Mistake(place_of(receipts), f"{name_of(receipts)} needs page.file, beside which they lie"))
    for key in _keys_of(layers, "freshness"):
        near = nearest(key, ("country", "default", "closed"))
        if near and key not in ("country", "default", "closed"):
            text = f"{name_of(('freshness', key))} is neither a key nor a dataset or mart{near}"
            mistakes.append(Mistake(place_of(("freshness", key)), text))
    return mistakes


def find_unknown_datasets(layers: list[Layer], place_of: PlaceOf, datasets: Collection[str]) -> list[Mistake]:
    """Names of datasets that don't exist: nothing would ever be expected of them, without a word."""
    keys = [("expect", key) for key in _keys_of(layers, "expect")]
    keys += [("freshness", key) for key in _keys_of(layers, "freshness") if "." in key]
    allowed = f"; allowed: {', '.join(sorted(datasets))}"
    return [
        Mistake(place_of(path), f"{name_of(path)} is not a dataset{nearest(path[1], datasets)}{allowed}")
        for path in keys
        if datasets and path[1] not in datasets
    ]


def _keys_of(layers: list[Layer], section: str) -> Iterator[str]:
    for layer in layers:
        table = layer.values.get(section)
        if isinstance(table, dict):
            yield from table


def _shown(path: Path) -> str:
    return ascii(str(path))[1:-1]
