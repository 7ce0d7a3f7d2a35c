"""Puts the demo's files into its folders, the way a careful writer does."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from qbwatch.demo.exports import ExportFile


def drop(files: Iterable[ExportFile], root: Path) -> tuple[Path, ...]:
    """Write files into ``root/seed`` and ``root/input``, and return their paths.

    Each is written under a hidden temporary name first and renamed when it is whole, so whoever watches the folder
    never sees half a file. Missing folders are made. Raises OSError as the disk gives it.
    """
    return tuple(_write(file, root / file.folder) for file in files)


def _write(file: ExportFile, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{file.name}.tmp"
    target = folder / file.name
    try:
        unfinished.write_bytes(file.content)
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target
