"""What the project is made of: the graph that dbt wrote beside the results of a command, and where each model lies.

dbt reports what it ran; what it should have run for a dataset, and what should be there, follow from the project alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qbwatch.edges.dbt_result import Relation

MODELS_FILE = "models.json"  # written by the warm dbt, which writes no manifest
_BUILT = ("model.", "snapshot.", "seed.", "test.")  # what a build runs and reports
_KEPT = ("model.", "snapshot.", "seed.")  # what it leaves in the database

Readers = Mapping[str, frozenset[str]]


def readers(target: Path, relations: Mapping[str, Relation]) -> Readers:
    """Every model, snapshot and test downstream of each source table, by ``source.table``; tables that none reads are
    left out. Empty when dbt came to no graph. ``relations``: see below; a model without one is part of others."""
    try:
        linked: dict[str, Any] = json.loads((target / "graph_summary.json").read_bytes())["linked"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    found = {}
    for node in linked.values():
        if node["type"] == "source":
            below = {linked[each]["name"] for each in _downstream(linked, node)}
            if built := frozenset(name for name in below if _is_run(name, relations)):
                found[".".join(node["name"].split(".")[-2:])] = built
    return found


def relations(target: Path) -> Mapping[str, Relation]:
    """Where each model, snapshot and seed lies, by dbt's unique id; those that are only part of others have no place.
    Empty when dbt came to no project."""
    try:
        if (written := target / MODELS_FILE).is_file():
            models: dict[str, Any] = json.loads(written.read_bytes())
        else:
            nodes = json.loads((target / "manifest.json").read_bytes())["nodes"]
            models = {
                name: (node["schema"], node.get("alias") or node["name"], node["config"].get("materialized"))
                for name, node in nodes.items()
                if name.startswith(_KEPT)
            }
        return {name: Relation(*place) for name, place in models.items() if place[2] != "ephemeral"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _is_run(name: str, relations: Mapping[str, Relation]) -> bool:
    """Ephemeral models are never run by themselves."""
    return name.startswith(_BUILT) and (name.startswith("test.") or not relations or name in relations)


def _downstream(linked: dict[str, Any], node: dict[str, Any]) -> set[str]:
    seen: set[str] = set()
    waiting = [str(each) for each in node.get("succ", ())]
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting += map(str, linked[each].get("succ", ()))
    return seen
