"""By which columns is a row of a model known? What the project's own tests say: its columns that are ``unique``.

Read from the project's YAML, because whoever asks need not have run dbt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

_ENDINGS = (".yml", ".yaml")


def unique_columns(project: Path) -> Mapping[str, list[str]]:
    """The columns with a ``unique`` test by the model's name; a file that is no YAML says nothing here."""
    found: dict[str, list[str]] = {}
    for model in _models(project / "models"):
        columns = [each for each in model.get("columns") or () if isinstance(each, dict)]
        if names := [str(each.get("name")) for each in columns if "unique" in _tests(each)]:
            found.setdefault(str(model.get("name")), []).extend(names)
    return found


def _models(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(each for each in folder.rglob("*") if each.suffix in _ENDINGS):
        try:
            said = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            continue
        listed = said.get("models") if isinstance(said, dict) else None
        yield from (each for each in listed or () if isinstance(each, dict))


def _tests(column: dict[str, Any]) -> set[str]:
    """Names of a column's tests, which stand alone or with their settings."""
    listed = [*(column.get("data_tests") or ()), *(column.get("tests") or ())]
    return {name for each in listed for name in (each if isinstance(each, dict) else [str(each)])}
