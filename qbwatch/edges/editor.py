"""A person's editor, on the terminal that we have."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from qbwatch.core.model import QbwatchError

_USUAL = ("sensible-editor", "nano", "vi")


def edit(file: Path) -> bool:
    """Have a person edit a file; True when it has other bytes afterwards. Returns once the editor has ended.

    Raises `QbwatchError` when the file may not be written, or no editor can be started or ends well.
    """
    if not os.access(file, os.R_OK | os.W_OK):
        raise QbwatchError(f"{file} may not be written by you", f"sudoedit {shlex.quote(str(file))} && qbwatch reload")
    before = file.read_bytes()
    command = [*_editor(), str(file)]
    try:
        code = subprocess.run(command, check=False).returncode
    except OSError as error:
        raise QbwatchError(f"the editor {command[0]} was not started: {error.strerror}", "set EDITOR") from error
    if code != 0:
        raise QbwatchError(
            f"the editor {command[0]} ended with exit code {code}", f"see whether {file} is as it should"
        )
    return file.read_bytes() != before


def _editor() -> list[str]:
    """As most programs choose it: VISUAL, EDITOR, else a usual one."""
    if chosen := os.environ.get("VISUAL") or os.environ.get("EDITOR"):
        return shlex.split(chosen)
    for name in _USUAL:
        if shutil.which(name):
            return [name]
    raise QbwatchError("there is no editor", "set EDITOR")
