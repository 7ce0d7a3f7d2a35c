"""The vault: content-addressed copies of what was accepted, at ``ab/cd/<sha256>.zst`` below its folder.

A file is hashed while it is copied, so the hash is that of the bytes that were kept, whatever happens to the source. A
copy appears under its name only when it is whole and on the disk (temporary file, fsync, rename, fsync of the folder),
and proves itself whenever it is read to its end.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, BinaryIO

from qbwatch.core.settle import Look
from qbwatch.edges.disk_room import Reserve
from qbwatch.edges.folder import look_of, open_regular
from qbwatch.edges.private_folder import fsync_folder, make_private, remove_unlocked
from qbwatch.edges.vault_reader import DAMAGES, compressor, holds, reading
from qbwatch.edges.vault_trouble import VaultError, lost_copy, no_room, unavailable

__all__ = ["Kept", "Refusal", "Vault", "VaultError"]

_CHUNK = 1 << 20
_INCOMING = "incoming"
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL})


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


class Vault:
    """The store at ``directory``, which is made when it is missing. Several processes may use it at the same time.

    Nothing is taken that would leave less room on its disk than ``reserve``.
    """

    def __init__(self, directory: Path, reserve: Reserve | None = None) -> None:
        self._directory = directory
        self.reserve = reserve or Reserve(0)

    def take(self, source: bytes, beneath: Path | None = None) -> Kept | Refusal:
        """Copy a regular file into the vault; content that is there already isn't written a second time.

        ``source`` is a path, or a path relative to ``beneath`` none of whose parts may be a link. Raises
        VaultError when the copy can't be written, or when the disk's room is running out.
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
                raise unavailable(self._directory, error) from error

    def open(self, content_hash: str) -> BinaryIO:
        """The kept content, for reading from any position; it is checked once its end is reached.

        Raises VaultError when it is missing or can't be read; so does reading, and when its hash isn't right.
        """
        try:
            file = self._path(content_hash).open("rb")
        except FileNotFoundError as error:
            raise self._lost(error) from error
        except OSError as error:
            raise unavailable(self._directory, error) from error
        return reading(file, content_hash, self._fault_behind)

    def check(self, content_hash: str) -> None:
        """Read all of a copy. Raises VaultError when it isn't what was kept."""
        with self.open(content_hash) as stream:
            while stream.read(_CHUNK):
                pass

    def verify(self, content_hash: str) -> bool:
        """True when the content is there and still has its hash. Reads all of it."""
        try:
            self.check(content_hash)
        except VaultError:
            return False
        return True

    def hashes(self) -> Iterator[str]:
        """What is kept."""
        return (path.stem for path in self._directory.glob("??/??/*.zst"))

    def drop(self, content_hash: str, unused_for: float) -> int:
        """Remove a copy, unless it was taken within the last ``unused_for`` seconds; the bytes that this freed."""
        path = self._path(content_hash)
        with self._locked(fcntl.LOCK_EX), suppress(FileNotFoundError):
            status = path.stat()
            if time.time() - status.st_mtime > unused_for:
                path.unlink()
                return status.st_size
        return 0

    def clear_leftovers(self) -> int:
        """Remove temporary files of a crash and say how many; a living process locks those it writes: they stay."""
        removed = 0
        with suppress(FileNotFoundError):
            for left in os.scandir(self._directory / _INCOMING):
                removed += remove_unlocked(Path(left.path))
        return removed

    def _take(self, file: BinaryIO) -> Kept | Refusal:
        """Hash first: what is there already needs neither room nor compressing, and the system still holds what was
        read once when it is read again."""
        before = look_of(os.fstat(file.fileno()))
        make_private(self._directory / _INCOMING, self._directory)
        content_hash, size = _hashed(file)
        if not self._has(content_hash, file):
            self._demand_room(before.size)
            return self._take_new(file, before)
        return Kept(content_hash, size, before) if _is_unchanged(file, before, size) else Refusal.CHANGED

    def _has(self, content_hash: str, file: BinaryIO) -> bool:
        """Whether a copy of these very bytes is there, which is then marked as taken again."""
        path = self._path(content_hash)
        with self._locked(fcntl.LOCK_SH), suppress(OSError), path.open("rb") as copy:  # what can't be read is replaced
            file.seek(0)
            if holds(copy, iter(lambda: _read(file), b"")):
                os.utime(path)
                return True
        return False

    def _take_new(self, file: BinaryIO, before: Look) -> Kept | Refusal:
        """Hashed anew: what was read first may have been other bytes."""
        file.seek(0)
        with tempfile.NamedTemporaryFile(dir=self._directory / _INCOMING, delete=False) as copy:
            temporary = Path(copy.name)
            try:
                fcntl.flock(copy, fcntl.LOCK_EX)
                content_hash, size = _copy(file, copy)
                if not _is_unchanged(file, before, size):
                    return Refusal.CHANGED
                self._keep(copy, content_hash)
            finally:
                temporary.unlink(missing_ok=True)
        return Kept(content_hash, size, before)

    def _keep(self, copy: tempfile._TemporaryFileWrapper[bytes], content_hash: str) -> None:
        """A copy that is there and whole is only marked as taken again; a damaged one is replaced."""
        path = self._path(content_hash)
        with self._locked(fcntl.LOCK_SH):
            if self.verify(content_hash):
                os.utime(path)
                return
            copy.flush()
            os.fsync(copy.fileno())
            make_private(path.parent, self._directory)
            Path(copy.name).rename(path)
            fsync_folder(path.parent)

    def _demand_room(self, size: int) -> None:
        """Before the disk is full, since then the database, the log and dbt would have no room either."""
        status = os.statvfs(self._directory)
        free, total = status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize
        if free - size < (reserve := self.reserve.of_disk(total)):
            raise no_room(self._directory, free, reserve, size)

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Shared while a copy is taken, exclusive while one is removed: what is taken again isn't removed meanwhile."""
        descriptor = os.open(self._directory / _INCOMING, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)

    def _fault_behind(self, error: Exception | None) -> VaultError:
        if error is None or isinstance(error, DAMAGES):
            return lost_copy(is_damaged=True)
        assert isinstance(error, OSError)
        return unavailable(self._directory, error)

    def _lost(self, error: OSError) -> VaultError:
        """A copy is gone; or all of them are, with the folder: then a disk isn't mounted."""
        if self._directory.is_dir():
            return lost_copy(is_damaged=False)
        return unavailable(self._directory, error)

    def _path(self, content_hash: str) -> Path:
        if len(content_hash) != 64 or not set(content_hash) <= set("0123456789abcdef"):
            raise ValueError(f"not a sha256 in hex: {content_hash!r}")
        return self._directory / content_hash[:2] / content_hash[2:4] / f"{content_hash}.zst"


class _SourceError(Exception):
    """Reading the source failed, as opposed to writing the copy."""


def _is_unchanged(file: BinaryIO, before: Look, size: int) -> bool:
    """The ctime counts here: a tool that rewrites in place and restores the mtime still moves it."""
    after = look_of(os.fstat(file.fileno()))
    return (before, before.ctime_ns, before.size) == (after, after.ctime_ns, size)


def _hashed(source: BinaryIO) -> tuple[str, int]:
    """The hash and the size of what is read to its end."""
    digest, size = hashlib.sha256(), 0
    while chunk := _read(source):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _copy(source: BinaryIO, copy: IO[bytes]) -> tuple[str, int]:
    """Copy and compress; the hash and the size of what was read."""
    digest, size, compress = hashlib.sha256(), 0, compressor()
    while chunk := _read(source):
        digest.update(chunk)
        size += len(chunk)
        copy.write(compress.compress(chunk))
    copy.write(compress.flush())
    return digest.hexdigest(), size


def _read(source: BinaryIO) -> bytes:
    try:
        return source.read(_CHUNK)
    except OSError as error:
        raise _SourceError from error
