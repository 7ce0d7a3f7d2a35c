"""Folders that only we can read, and that are there after the power failed."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path


def make_private(folder: Path, top: Path) -> None:
    """Make ``top``, with its parents, and the folders between it and ``folder``; on the disk when this returns."""
    if folder.is_dir():
        return
    if folder != top:
        make_private(folder.parent, top)
        folder.mkdir(mode=0o700, exist_ok=True)
    else:
        folder.mkdir(mode=0o700, exist_ok=True, parents=True)
    fsync_folder(folder.parent)


def fsync_folder(folder: Path) -> None:
    """What was made, renamed or removed in a folder is on the disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_unlocked(left: Path) -> bool:
    """Remove a file that no living process holds a lock on; whether it did."""
    with suppress(FileNotFoundError), left.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        left.unlink(missing_ok=True)
        return True
    return False
