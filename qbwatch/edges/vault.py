"""The vault: content-addressed copies of what was accepted, at ``ab/cd/<sha256>`` below its folder.

A file is hashed while it is copied, so the hash is that of the bytes that were kept, whatever happens to the source. A
copy appears under its name only when it is whole and on the disk (temporary file, fsync, rename, fsync of the folder).
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from qbwatch.core.model import QbwatchError
from qbwatch.core.settle import Look
from qbwatch.edges.folder import look_of, open_regular

_CHUNK = 1 << 20
_INCOMING = "incoming"
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Kept:
    """A copy in the vault: sha256 as 64 hex digits, size in bytes, and the look of the source that was copied."""

    content_hash: str
    size_bytes: int
    look: Look


class Refusal(StrEnum):
    """Why nothing was kept."""

    CHANGED = "changed"  # while it was being copied: it has to settle again
    VANISHED = "vanished"
    UNREADABLE = "unreadable"


class VaultError(QbwatchError):
    """The vault can't be written or read (disk full, rights, broken disk): no file's fault, so trying again helps."""


class Vault:
    """The store at ``directory``, which is made when it is missing. Several processes may use it at the same time."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def take(self, source: bytes, beneath: Path | None = None) -> Kept | Refusal:
        """Copy a regular file into the vault; content that is there already isn't written a second time.

        ``source`` is a path, or a path relative to ``beneath`` none of whose parts may be a link. Raises
        VaultError when the copy can't be written.
        """
        try:
            descriptor = open_regular(source, beneath)
        except OSError as error:
            return Refusal.VANISHED if error.errno in _GONE else Refusal.UNREADABLE
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            try:
                return self._take(file)
            except _SourceError:
                return Refusal.UNREADABLE
            except OSError as error:
                raise _unavailable(self._directory, error) from error

    def open(self, content_hash: str) -> BinaryIO:
        """The kept content, for reading. Raises VaultError when it is missing or can't be read."""
        try:
            return self._path(content_hash).open("rb")
        except OSError as error:
            raise _unavailable(self._directory, error) from error

    def verify(self, content_hash: str) -> bool:
        """True when the content is there and still has its hash. Reads all of it."""
        try:
            with self._path(content_hash).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == content_hash
        except OSError:
            return False

    def clear_leftovers(self) -> int:
        """Remove temporary files of a crash and say how many; a living process locks those it writes: they stay."""
        removed = 0
        with suppress(FileNotFoundError):
            for left in os.scandir(self._directory / _INCOMING):
                removed += _remove_unlocked(Path(left.path))
        return removed

    def _take(self, file: BinaryIO) -> Kept | Refusal:
        before = look_of(os.fstat(file.fileno()))
        self._make(self._directory / _INCOMING)
        with tempfile.NamedTemporaryFile(dir=self._directory / _INCOMING, delete=False) as copy:
            temporary = Path(copy.name)
            try:
                fcntl.flock(copy, fcntl.LOCK_EX)
                content_hash = _copy(file, copy)
                after = look_of(os.fstat(file.fileno()))
                # The ctime counts here: a tool that rewrites in place and restores the mtime still moves it.
                if (before, before.ctime_ns, before.size) != (after, after.ctime_ns, copy.tell()):
                    return Refusal.CHANGED
                self._keep(copy, content_hash, before.size)
            finally:
                temporary.unlink(missing_ok=True)
        return Kept(content_hash, before.size, before)

    def _keep(self, copy: tempfile._TemporaryFileWrapper[bytes], content_hash: str, size: int) -> None:
        path = self._path(content_hash)
        with suppress(FileNotFoundError):
            if path.stat().st_size == size:
                return
        copy.flush()
        os.fsync(copy.fileno())
        self._make(path.parent)
        Path(copy.name).rename(path)
        _fsync_folder(path.parent)

    def _make(self, folder: Path) -> None:
        """Make a folder of the vault, readable by us alone, and its parents; on the disk when this returns."""
        if folder.is_dir():
            return
        if folder != self._directory:
            self._make(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
        else:
            folder.mkdir(mode=0o700, exist_ok=True, parents=True)
        _fsync_folder(folder.parent)

    def _path(self, content_hash: str) -> Path:
        if len(content_hash) != 64 or not set(content_hash) <= set("0123456789abcdef"):
            raise ValueError(f"not a sha256 in hex: {content_hash!r}")
        return self._directory / content_hash[:2] / content_hash[2:4] / content_hash


class _SourceError(Exception):
    """Reading the source failed, as opposed to writing the copy."""


def _copy(source: BinaryIO, copy: BinaryIO | tempfile._TemporaryFileWrapper[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := _read(source):
        digest.update(chunk)
        copy.write(chunk)
    return digest.hexdigest()


def _read(source: BinaryIO) -> bytes:
    try:
        return source.read(_CHUNK)
    except OSError as error:
        raise _SourceError from error


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_unlocked(left: Path) -> bool:
    with suppress(FileNotFoundError), left.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        left.unlink(missing_ok=True)
        return True
    return False


def _unavailable(directory: Path, error: OSError) -> VaultError:
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return VaultError(
            f"no space left for the vault in {directory}",
            "Free space on that disk (or raise the quota); waiting files are taken as soon as there is room.",
        )
    return VaultError(
        f"the vault in {directory} can't be used: {reason}",
        "Check that the folder exists, belongs to the user of qbwatch, and that its disk is mounted for writing.",
    )
