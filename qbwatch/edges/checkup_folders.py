"""Facts about folders and disks, for `qbwatch doctor`. Only ever reads."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from qbwatch.core.checkup_places import FolderFacts, StateFacts, VaultFacts
from qbwatch.core.filename import escaped
from qbwatch.edges.disk_room import Reserve
from qbwatch.edges.folder import File, Folder, Unreadable, scan
from qbwatch.edges.mounts import remote_mount
from qbwatch.edges.vault import Vault, VaultError

_MOST = 100_000  # entries; of a larger folder only so many are looked at
_SAMPLE = 5  # copies of the vault that are read to their end
_LIMITS = Path("/proc/sys/fs/inotify")


def folder_facts(directory: Path, ignore: Sequence[str], account: str) -> FolderFacts:
    """What lies in the folder, and whether this process may read all of it."""
    try:
        os.listdir(directory)
    except FileNotFoundError:
        return FolderFacts(str(directory), account, is_missing=True)
    except OSError as error:
        closed = _closed_above(directory) if isinstance(error, PermissionError) else None
        return FolderFacts(str(directory), account, trouble=closed or (error.strerror or str(error)).lower())
    folders, files, closed_paths = 0, 0, list[bytes]()
    for found in islice(scan(directory, ignore), _MOST):
        if isinstance(found, Folder):
            folders += 1
        elif isinstance(found, Unreadable):
            closed_paths.append(found.path)
        elif isinstance(found, File):
            files += 1
            if not os.access(os.path.join(os.fsencode(directory), found.path), os.R_OK, effective_ids=True):
                closed_paths.append(found.path)
    first = os.path.join(os.fsencode(directory), closed_paths[0]) if closed_paths else None
    return FolderFacts(
        str(directory),
        account,
        folders=folders,
        files=files,
        unreadable=None if first is None else _described(first),
        unreadable_count=len(closed_paths),
        remote=remote_mount(directory),
        is_cut_short=folders + files >= _MOST,
    )


def state_facts(directory: Path, account: str, wanted: int | None, *, made_by_unit: bool) -> StateFacts:
    """Whether the state folder can be written to, and the room on its disk (or on the one where it would be made)."""
    there = next(folder for folder in (directory, *directory.parents) if folder.exists())
    status = os.statvfs(there)
    return StateFacts(
        str(directory),
        account,
        exists=there == directory,
        is_writable=_is_writable(directory),
        free=status.f_bavail * status.f_frsize,
        reserve=Reserve(wanted).of_disk(status.f_blocks * status.f_frsize),
        made_by_unit=made_by_unit,
        can_be_made=there != directory and _is_writable(there),
    )


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=True)


def vault_facts(state: Path, account: str) -> VaultFacts:
    """A few copies, read to their end: a broken disk or a wrong owner shows in the first."""
    vault = Vault(state / "vault")
    sampled = 0
    try:
        for content_hash in islice(vault.hashes(), _SAMPLE):
            vault.check(content_hash)
            sampled += 1
    except VaultError as error:
        return VaultFacts(str(state / "vault"), account, sampled, error.message)
    except OSError as error:
        reason = f"the vault in {state / 'vault'} can't be read: {(error.strerror or str(error)).lower()}"
        return VaultFacts(str(state / "vault"), account, sampled, reason)
    return VaultFacts(str(state / "vault"), account, sampled)


def watch_limits() -> tuple[int | None, int | None]:
    """The kernel's limits for a user: watches, and programs that watch."""
    return _number(_LIMITS / "max_user_watches"), _number(_LIMITS / "max_user_instances")


def _number(setting: Path) -> int | None:
    try:
        return int(setting.read_text())
    except (OSError, ValueError):
        return None


def _closed_above(directory: Path) -> str | None:
    """The outermost folder on the way that lets us not through: the one to be opened."""
    for folder in (*reversed(directory.parents), directory):
        if not os.access(folder, os.R_OK | os.X_OK if folder == directory else os.X_OK, effective_ids=True):
            return f"{_described(os.fsencode(folder))} is closed to this user"
    return None


def _described(path: bytes) -> str:
    """A path with its owner and mode."""
    try:
        status = os.lstat(path)
    except OSError:
        return escaped(path)
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        owner = str(status.st_uid)
    return f"{escaped(path)} (owner {owner}, mode {stat.S_IMODE(status.st_mode):04o})"
