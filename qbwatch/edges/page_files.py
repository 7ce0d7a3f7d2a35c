"""The page and its receipts on disk: written beside, then renamed, so that nobody ever reads half of one.

Their folder is other people's too. A file that isn't ours is neither replaced nor removed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from qbwatch.core.model import QbwatchError
from qbwatch.page.receipts import PREFIX, SUFFIX, is_receipt

_SCRATCH = (".~", ".tmp")  # around a name: Dropbox doesn't send such files, and the intake ignores them
_MODE = 0o644  # a synced folder's client runs as another user, whatever our umask
_HEAD = 400  # bytes, at whose beginning a page says whose it is
_LONGEST_RECEIPT = 100_000  # bytes


class ForeignFile(QbwatchError):
    """Where we would write lies somebody else's file."""


def write_page(path: Path, page: str, mark: str) -> None:
    """Replace the page as a whole. ``mark`` stands at the beginning of each page of ours.

    Raises `ForeignFile`, and OSError when the folder can't be written to.
    """
    path = Path(os.path.realpath(path))
    if _is_foreign(path, mark.encode()):
        raise ForeignFile(
            f"{ascii(str(path))[1:-1]} is no page of qbwatch's", "move that file away, or name another in page.file"
        )
    _replace(path, page.encode("utf-8", "replace"))


def sync_receipts(folder: Path, wanted: Mapping[str, str]) -> None:
    """Make the receipts in ``folder`` those that are ``wanted`` (content by file name).

    Raises `ForeignFile` in the end, when a name was taken, and OSError.
    """
    folder = Path(os.path.realpath(folder))
    found = {entry.name: _receipt_in(Path(entry.path)) for entry in os.scandir(folder) if _may_be_receipt(entry.name)}
    ours = {name: content for name, content in found.items() if content is not None}
    foreign = sorted(name for name in wanted if name in found and name not in ours)
    for name in ours.keys() - wanted.keys():
        (folder / name).unlink(missing_ok=True)
    for name, content in wanted.items():
        if name not in foreign and ours.get(name) != content:
            _replace(folder / name, content.encode("utf-8", "replace"))
    if foreign:
        raise ForeignFile(f"{foreign[0]} is no receipt of qbwatch's", "rename that file or move it away")


def _replace(path: Path, content: bytes) -> None:
    before, after = _SCRATCH
    scratch = path.with_name(f"{before}{path.name}{after}")
    scratch.unlink(missing_ok=True)  # left by a process that was killed
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(scratch, flags, _MODE), "wb") as file:
            with suppress(PermissionError):  # a file system without rights
                os.fchmod(file.fileno(), _MODE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except OSError:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # some file systems can't; the rename is done all the same
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_foreign(path: Path, mark: bytes) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError:
        return False
    return bool(head) and mark not in head


def _may_be_receipt(name: str) -> bool:
    return name.startswith(PREFIX) and name.endswith(SUFFIX)


def _receipt_in(path: Path) -> str | None:
    """The content of a receipt of ours; None for anything else."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LONGEST_RECEIPT:
            return None
        content = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return content if is_receipt(content) else None
