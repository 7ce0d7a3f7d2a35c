"""The note that work is paused, in the state folder: it outlives a restart, since whoever paused it meant it."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from qbwatch.core.facts import Pause
from qbwatch.core.model import QbwatchError

_NAME = "paused.json"


def read_pause(state: Path) -> Pause | None:
    """Who paused it and when; None when nobody did. A note that can't be read still says that somebody did."""
    path = state / _NAME
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        text = ""
    try:
        told = json.loads(text)
        return Pause(datetime.fromisoformat(told["since"]), str(told["by"]))
    except (ValueError, KeyError, TypeError):
        return Pause(None, "somebody")


def write_pause(state: Path, pause: Pause) -> None:
    """Leave the note, on the disk when this returns. Raises `QbwatchError` when it can't be kept."""
    scratch = state / f".{_NAME}.{os.getpid()}"
    try:
        with scratch.open("w", encoding="utf-8") as file:
            json.dump({"since": pause.since.isoformat() if pause.since else None, "by": pause.by}, file)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(state / _NAME)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        text = f"it is paused, but a restart would forget it: {state / _NAME} can't be written: {reason}"
        raise QbwatchError(text, "qbwatch doctor") from error


def remove_pause(state: Path) -> None:
    """Take the note away. Raises `QbwatchError` when it stays."""
    try:
        (state / _NAME).unlink(missing_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise QbwatchError(f"the note {state / _NAME} can't be removed: {reason}", "remove it by hand") from error
