"""The last known answer on disk, for when neither the daemon nor Postgres can be asked."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from qbwatch.core.facts import Json

_NAME = "status.json"


def write_cache(state: Path, answer: Json) -> None:
    """Replace the cached answer. A state folder that can't be written costs the cache, never the answer."""
    scratch = state / f".{_NAME}.{os.getpid()}"
    try:
        scratch.write_text(json.dumps(answer), "utf-8")
        scratch.chmod(0o644)
        scratch.replace(state / _NAME)
    except OSError:
        with suppress(OSError):  # a read-only folder complains even where there is nothing to remove
            scratch.unlink(missing_ok=True)


def read_cache(state: Path) -> tuple[Json, datetime] | None:
    """The last known answer and the moment at which it was true; None when there is none that can be read."""
    try:
        answer: Json = json.loads((state / _NAME).read_text("utf-8"))
        return answer, datetime.fromisoformat(answer["as_of"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
