"""Checks that look at more than one value, and the defaults that depend on who runs qbwatch."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from qbwatch.config_errors import KeyPath, Mistake, name_of
from qbwatch.config_sources import Layer, config_home, home
from qbwatch.config_values import nearest, parse_path

PlaceOf = Callable[[KeyPath], str]
_LONGEST_SCHEMA = 63 - len("_intermediate")  # Postgres cuts longer names, and two schemas would become one
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


def user_defaults(file: Path | None, environ: Mapping[str, str], layers: list[Layer]) -> Layer:
    """State and socket in the user's own folders, when neither root nor a system-wide file is in play.

    A state folder that was named keeps the socket with it, so that two daemons of one user don't meet at one socket.
    """
    layer = Layer()
    if os.geteuid() == 0 or (file is not None and not file.is_relative_to(config_home(environ))):
        return layer
    given = environ.get("XDG_STATE_HOME", "")
    state = (Path(given) if os.path.isabs(given) else home(environ) / ".local" / "state") / "qbwatch"
    layer.values["state"] = {"directory": str(state)}
    named = path_at(layers, ("state", "directory"))
    runtime = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}")
    folder = named or (runtime / "qbwatch" if os.access(runtime, os.W_OK) else state)
    layer.values["control"] = {"socket": str(folder / "control.sock")}
    return layer


def _keys_of(layers: list[Layer], section: str) -> Iterator[str]:
    for layer in layers:
        table = layer.values.get(section)
        if isinstance(table, dict):
            yield from table


def path_at(layers: list[Layer], key: tuple[str, str]) -> Path | None:
    """The path that will count, with links resolved; None when it isn't given or isn't a path."""
    section, name = key
    for layer in layers:
        table = layer.values.get(section)
        if isinstance(table, dict) and name in table:
            try:
                return Path(os.path.realpath(parse_path(table[name])))
            except ValueError:
                return None
    return None


def _shown(path: Path) -> str:
    return ascii(str(path))[1:-1]
