"""What stands on which source: the graph that dbt wrote beside the results of a command.

dbt reports what it ran; what it should have run for a dataset follows from the graph alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

EPHEMERAL_FILE = "ephemeral.json"  # written by the warm dbt, which writes no manifest
_BUILT = ("model.", "snapshot.", "seed.", "test.")  # what a build runs and reports

Readers = Mapping[str, frozenset[str]]


def readers(target: Path) -> Readers:
    """Every model, snapshot and test downstream of each source table, by ``source.table``; tables that none reads are
    left out. Empty when dbt came to no graph."""
    try:
        linked: dict[str, Any] = json.loads((target / "graph_summary.json").read_bytes())["linked"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    ephemeral = _ephemeral(target)
    found = {}
    for node in linked.values():
        if node["type"] == "source":
            below = {linked[each]["name"] for each in _downstream(linked, node)}
            if built := frozenset(name for name in below if name.startswith(_BUILT) and name not in ephemeral):
                found[".".join(node["name"].split(".")[-2:])] = built
    return found


def _downstream(linked: dict[str, Any], node: dict[str, Any]) -> set[str]:
    seen: set[str] = set()
    waiting = [str(each) for each in node.get("succ", ())]
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting += map(str, linked[each].get("succ", ()))
    return seen


def _ephemeral(target: Path) -> frozenset[str]:
    """Models that are part of others and are never run by themselves."""
    try:
        if (written := target / EPHEMERAL_FILE).is_file():
            return frozenset(json.loads(written.read_bytes()))
        nodes: Iterable[tuple[str, Any]] = json.loads((target / "manifest.json").read_bytes())["nodes"].items()
    except (OSError, ValueError, KeyError, AttributeError):
        return frozenset()
    return frozenset(name for name, node in nodes if node["config"].get("materialized") == "ephemeral")
