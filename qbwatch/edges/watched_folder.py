"""One folder that is kept under watch, whatever happens to it: missing, replaced, unreadable, on a remote disk.

The watch is only a hint and the scan is the truth, so nothing here is fatal: where a watch can't be had, the folder is
scanned more often, and the reason is a problem for the status. An absent or empty folder means nothing about its files.
"""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from qbwatch.core.coverage import Coverage
from qbwatch.core.filename import escaped
from qbwatch.core.hearing import Hearing
from qbwatch.core.intake_problems import DEAF, deaf
from qbwatch.core.intake_state import IntakeProblem, Watcher
from qbwatch.core.model import FailureClass
from qbwatch.edges.folder import File, Folder, Passed, Unreadable, entered, scan
from qbwatch.edges.folder_watch import FolderWatch, Put
from qbwatch.edges.inotify import WatchError, limit_reached
from qbwatch.edges.mounts import remote_mount
from qbwatch.edges.sandbox import hidden_hint
from qbwatch.log import get_logger

_POLL_EVERY = timedelta(seconds=5)
_RETRY_WATCH_AFTER = timedelta(seconds=60)
_MISSING, _UNREADABLE, _SUBFOLDER, _WATCH = (
    "folder_missing",
    "folder_unreadable",
    "subfolder_unreadable",
    "watch_refused",
)
_ABSENT = (errno.ENOENT, errno.ENOTDIR)

_Key = tuple[str, str | None]  # code and file of a problem

log = get_logger(__name__)


class WatchedFolder:
    """The folder of one root. Belongs to one thread; only ``put`` is called from others."""

    def __init__(self, root: str, directory: Path, watcher: Watcher, put: Put, canary: Path | None = None) -> None:
        self._root = root
        self._directory = directory
        self._watcher = watcher
        self._watch = FolderWatch(root, directory, put, canary)
        self._hearing = Hearing()
        self._is_mute = False
        self._remote: str | None = None
        self._is_there = False
        self._identity: tuple[int, int] | None = None
        self._refused = False
        self._coverage = Coverage()
        self._watch_again_at = datetime.min.replace(tzinfo=UTC)
        self._problems: dict[_Key, IntakeProblem] = {}

    @property
    def is_polled(self) -> bool:
        """True when files are found by frequent scans, because events are not to be had or not to be relied on."""
        return self.polled_because is not None

    @property
    def polled_because(self) -> str | None:
        """Why files are found by frequent scans, in a few words; None while events tell of them."""
        if self._watcher is Watcher.POLLING:
            return "configured"
        if self._watcher is Watcher.AUTO and self._remote is not None:
            return f"{self._remote}: changes made elsewhere raise no events"
        if self._refused or self._coverage.is_incomplete:
            return "the kernel refused a watch"
        return "events don't arrive" if self._hearing.is_deaf or self._is_mute else None

    def hears(self, path: bytes) -> None:
        """An event mentioned a path."""
        self._hearing.heard(path)

    def finds(self, path: bytes, at: datetime) -> None:
        """A routine scan found a new file of which no event has told, though one should have."""
        if not self.is_polled:
            self._hearing.found(path, at)

    def excuse(self) -> None:
        """Events were lost, and that is known: files found without them prove nothing about the watch."""
        self._hearing.excuse()

    @property
    def is_alive(self) -> bool:
        """True when what finds files works: the watch where there is one, else the folder itself."""
        if not self._is_there or (_UNREADABLE, None) in self._problems:
            return False
        return self.is_polled or self._watch.is_alive()

    @property
    def is_there(self) -> bool:
        """True when the folder was there and readable at the last look."""
        return self._is_there and (_UNREADABLE, None) not in self._problems

    @property
    def leases_tell(self) -> bool:
        """True when the kernel's answer about open writers can be believed."""
        return self._remote is None

    @property
    def problems(self) -> tuple[IntakeProblem, ...]:
        """What is wrong with the folder now."""
        return tuple(self._problems.values())

    def scan_again_after(self, rescan: timedelta) -> timedelta:
        """How long to wait after a scan: the usual time, or less where nothing else would tell of a new file."""
        often = self.is_polled or (_UNREADABLE, None) in self._problems
        return min(rescan, _POLL_EVERY) if often else rescan

    def tend(self, at: datetime) -> bool:
        """Look after the folder and its watch; True when files may have been missed, so that it has to be scanned."""
        try:
            status = entered(self._directory)
        except OSError as error:
            self._lost(error, at)
            return False
        identity = (status.st_dev, status.st_ino)
        is_new = not self._is_there or identity != self._identity
        if is_new:
            log.info("folder_found", root=self._root, again=self._identity is not None)
            self._drop(_MISSING)
            self._remote = remote_mount(self._directory)
            self._watch_again_at = at
            self._hearing.forget()
            self._is_mute = False  # what was found out about the old one's watch is no judgement on this one's
            self._drop(DEAF)
        elif self._hearing.judge(at):
            self._raise(deaf(self._shown, at))
        self._is_there, self._identity = True, identity
        return self._watched_anew(at) or is_new

    def scan(self, ignore: Sequence[str], at: datetime) -> Iterator[File | Passed]:
        """What lies in the folder, file by file; what can't be read becomes a problem as long as that lasts."""
        inodes: set[int] = set()
        unreadable: set[_Key] = set()
        self._remote = remote_mount(self._directory)
        for found in scan(self._directory, ignore):
            if isinstance(found, Unreadable) and found.path == b"" and found.error.errno in _ABSENT:
                self._lost(found.error, at)
            elif isinstance(found, Unreadable):
                unreadable.add(self._unreadable(found, at))
            elif isinstance(found, Folder):
                inodes.add(found.inode)
            else:
                yield found
        for key in [key for key in self._problems if key[0] in (_UNREADABLE, _SUBFOLDER) and key not in unreadable]:
            del self._problems[key]
        self._check_coverage(inodes, at)

    def stop(self) -> None:
        """End the watch."""
        self._watch.stop()

    def _watched_anew(self, at: datetime) -> bool:
        """Start the watch where there should be one and isn't; True when it was started."""
        if self._watcher is Watcher.POLLING or (self._watcher is Watcher.AUTO and self._remote is not None):
            self._watch.stop()
            return False
        if self._is_well(at) or at < self._watch_again_at:
            return False
        try:
            self._watch.start()
        except WatchError as error:
            self._refused = True
            self._watch_again_at = at + _RETRY_WATCH_AFTER
            self._raise(IntakeProblem(_WATCH, FailureClass.CONFIGURATION, error.message, error.hint, at))
            return False
        except OSError as error:
            self._unreadable(Unreadable(b"", error), at)
            return False
        log.info("watch_started", root=self._root)
        self._refused = False
        self._watch_again_at = at + (_RETRY_WATCH_AFTER if self._is_mute else timedelta(seconds=1))
        if not self._coverage.is_incomplete:
            self._drop(_WATCH)
        return True

    def _is_well(self, at: datetime) -> bool:
        """Whether the watch lives and gives proof of it; one that stays mute is begun anew, now and every minute."""
        if not self._watch.is_alive():
            return False
        if self._watch.answers(at):
            if self._is_mute and self._watch.was_heard:
                self._is_mute = False
                self._drop(DEAF)
            return True
        if not self._is_mute:
            self._is_mute, self._watch_again_at = True, at
            self._raise(deaf(self._shown, at))
        return False

    def _check_coverage(self, inodes: set[int], at: datetime) -> None:
        """Compare the folders that were read with those the kernel watches."""
        if self._identity is None or not self._watch.is_alive():
            return
        missed = self._watch.misses(inodes)
        if not missed or self._identity[1] in missed:  # the last: this file system's inode numbers don't tell
            self._coverage.clear()
            self._drop(_WATCH)
            return
        begins_anew = self._coverage.lacks_some(at)
        if self._coverage.is_incomplete:
            refused = limit_reached("max_user_watches", f"{len(missed)} of {len(inodes)} folders here are unwatched")
            self._raise(IntakeProblem(_WATCH, FailureClass.CONFIGURATION, refused.message, refused.hint, at))
        if begins_anew:
            self._watch.stop()
            self._watch_again_at = at

    def _lost(self, error: OSError, at: datetime) -> None:
        self._watch.stop()
        self._is_there = False
        if error.errno in _ABSENT:
            hint = "Is the sync client running and its disk mounted? It is watched again as soon as it is back."
            hint = hidden_hint(self._directory) or hint
            summary = f"the {self._root} folder {self._shown} is missing"
            self._raise(IntakeProblem(_MISSING, FailureClass.INFRASTRUCTURE, summary, hint, at))
        else:
            self._unreadable(Unreadable(b"", error), at)

    def _unreadable(self, found: Unreadable, at: datetime) -> _Key:
        below = escaped(found.path) or None
        where = f"{self._shown}/{below}" if below else self._shown
        summary = f"the folder {where} can't be read: {found.error.strerror}"
        hint = hidden_hint(self._directory) or (
            f"Give the user of qbwatch the right to read and enter it: setfacl -R -m u:qbwatch:rX {shlex.quote(where)}"
        )
        code = _SUBFOLDER if below else _UNREADABLE
        self._raise(IntakeProblem(code, FailureClass.CONFIGURATION, summary, hint, at, below))
        return code, below

    @property
    def _shown(self) -> str:
        return escaped(os.fsencode(self._directory))

    def _raise(self, problem: IntakeProblem) -> None:
        if (problem.code, problem.file) not in self._problems:
            log.warning(problem.code, root=self._root, summary=problem.summary)
            self._problems[problem.code, problem.file] = problem

    def _drop(self, code: str) -> None:
        if self._problems.pop((code, None), None):
            log.info("problem_over", root=self._root, code=code)
