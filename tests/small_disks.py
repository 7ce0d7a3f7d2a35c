"""Small file systems in memory, which can be filled. Without the right to mount them a test is skipped."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str, owner: int = 0) -> Iterator[None]:
    """A file system of that size at ``folder``, which belongs to the user with that id."""
    _mount("-t", "tmpfs", "-o", f"size={size},mode=0755,uid={owner}", "qbwatch-test", str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be written or removed, as when its disk was remounted after an error.

    What is open already can still be written.
    """
    _mount("--bind", str(folder), str(folder))
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(*arguments: str) -> None:
    mounted = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"needs the right to mount: {mounted.stderr.strip()}")


def fill(filler: Path, disk: Path, leave: int) -> None:
    """Take the room on a disk but for so many bytes."""
    status = os.statvfs(disk)
    with filler.open("wb") as file:
        left = status.f_bavail * status.f_frsize - leave
        while left > 0:
            left -= file.write(b"\0" * min(left, 1 << 20))
