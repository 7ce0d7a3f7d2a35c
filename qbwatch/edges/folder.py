"""Reading the watched folder: what lies in it, what a file looks like, and how one is opened.

The folder belongs to others and is synced: it is only ever read. Paths are bytes relative to it. Nothing here follows a
symbolic link below the folder, not even one that takes the place of a subfolder between two system calls, and nothing
but a regular file is ever opened: a FIFO would block, a device could do anything.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qbwatch.core.ignored import NOT_A_REGULAR_FILE, SYMBOLIC_LINK, ignored_folder_by
from qbwatch.core.settle import Look

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class File:
    """A regular file and what it looks like."""

    path: bytes
    look: Look


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that was read; the watched one itself has the empty path."""

    path: bytes
    device: int
    inode: int


@dataclass(frozen=True, slots=True)
class Passed:
    """Something that is passed by, and the name of the rule."""

    path: bytes
    rule: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A folder that could not be read, and the system's reason; the watched one itself has the empty path."""

    path: bytes
    error: OSError


Found = File | Folder | Passed | Unreadable


def scan(directory: Path, ignore: Sequence[str] = ()) -> Iterator[Found]:
    """Everything in ``directory`` and its subfolders, folder by folder; never raises for what others do meanwhile.

    Folders that are ignored by name (hidden ones, caches, those that fit a pattern of ``ignore``) aren't entered. Files
    that vanish while it runs are left out. A folder that is missing or can't be read comes as ``Unreadable``.
    """
    waiting = [b""]
    while waiting:
        path = waiting.pop()
        try:
            with _opened_folder(directory, path) as descriptor:
                own = os.fstat(descriptor)
                found = list(_listed(descriptor, path, ignore, waiting))
        except OSError as error:
            if path == b"" or error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                yield Unreadable(path, error)
            continue
        yield Folder(path, own.st_dev, own.st_ino)
        yield from found


def entered(directory: Path) -> os.stat_result:
    """What the folder itself is. Raises OSError where it isn't there, or may not be listed and searched by us.

    A folder whose permissions are taken away keeps its watch: the kernel asks for them only when that begins.
    """
    with _opened_folder(directory, b"") as descriptor:
        return os.stat(".", dir_fd=descriptor)


def look_at(directory: Path, path: bytes) -> Look | None:
    """What the file looks like now; None when no regular file is there."""
    try:
        with _opened_folder(directory, os.path.dirname(path)) as descriptor:
            status = os.stat(os.path.basename(path), dir_fd=descriptor, follow_symlinks=False)
    except OSError:
        return None
    return look_of(status) if stat.S_ISREG(status.st_mode) else None


def look_of(status: os.stat_result) -> Look:
    """The look in a stat result."""
    return Look(status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev, status.st_ctime_ns)


def open_regular(path: bytes, beneath: Path | None = None) -> int:
    """Open a regular file read-only, without following a symbolic link; the caller closes the descriptor.

    With ``beneath`` the path is relative to that folder and none of its parts may be a link. Raises OSError (ELOOP for
    a link, EINVAL for anything else that isn't a regular file).
    """
    if beneath is None:
        return _open_regular(path, None)
    with _opened_folder(beneath, os.path.dirname(path)) as descriptor:
        return _open_regular(os.path.basename(path), descriptor)


def _open_regular(name: bytes, folder: int | None) -> int:
    # Looked at before it is opened, since opening a FIFO or a device is already an act; and after, against a swap.
    _demand_regular(os.stat(name, dir_fd=folder, follow_symlinks=False))
    descriptor = os.open(name, _FILE, dir_fd=folder)
    try:
        _demand_regular(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _demand_regular(status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, "is a symbolic link")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "is not a regular file")


@contextmanager
def _opened_folder(directory: Path, path: bytes) -> Iterator[int]:
    """A descriptor of a subfolder, reached part by part so that none of the parts can be a symbolic link."""
    descriptor = os.open(directory, _FOLDER)
    try:
        for part in filter(None, path.split(b"/")):
            if part == b"..":
                raise OSError(errno.EINVAL, "leads out of the folder")
            inner = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _listed(
    descriptor: int, path: bytes, ignore: Sequence[str], waiting: list[bytes]
) -> Iterator[File | Passed | Unreadable]:
    """The entries of one open folder; the subfolders to enter are appended to ``waiting``."""
    refused: OSError | None = None
    with os.scandir(descriptor) as entries:
        for entry in entries:
            below = os.path.join(path, os.fsencode(entry.name))
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # gone since it was listed
            except OSError as error:
                refused = refused or error  # a folder may be listed and yet give no look at its entries
                continue
            if stat.S_ISREG(status.st_mode):
                yield File(below, look_of(status))
            elif stat.S_ISLNK(status.st_mode):
                yield Passed(below, SYMBOLIC_LINK)
            elif not stat.S_ISDIR(status.st_mode):
                yield Passed(below, NOT_A_REGULAR_FILE)
            elif rule := ignored_folder_by(entry.name, ignore):
                yield Passed(below, rule)
            else:
                waiting.append(below)
    if refused:
        yield Unreadable(path, refused)
