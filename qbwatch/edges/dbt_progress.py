"""How far a dbt command has come, by the log that dbt itself keeps: nothing is asked of the command for that."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_TAIL_BYTES = 64 * 1024  # a line has about one kilobyte
_BEGINS_A_NODE = b'"name": "LogStartLine"'


@dataclass(frozen=True, slots=True)
class NodeInHand:
    """The node that was begun last: the ``number``th of ``total``."""

    number: int
    total: int
    name: str


def node_in_hand(log: Path, since: datetime) -> NodeInHand | None:
    """The node that was begun last after ``since``; None when there is none, or the log can't be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - _TAIL_BYTES, 0))
            lines = file.read().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        if _BEGINS_A_NODE in line:
            return _read(line, since)
    return None


def _read(line: bytes, since: datetime) -> NodeInHand | None:
    """From a line of dbt's (structured logging, events Q011 and Q024); the first one of the tail may be cut off."""
    try:
        said: dict[str, Any] = json.loads(line)
        data = said["data"]
        if datetime.fromisoformat(said["info"]["ts"]).astimezone(UTC) < since:
            return None
        return NodeInHand(int(data["index"]), int(data["total"]), str(data["node_info"]["node_name"]))
    except (ValueError, KeyError, TypeError):
        return None
