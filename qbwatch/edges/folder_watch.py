"""The kernel's hints about the watched folder, through watchdog.

The handler does nothing but put a notice into a queue: whatever it raised would end watchdog's thread in silence. Only
events that can mean a new content are asked for; ``opened`` and ``closed without writing`` never leave the kernel, so
our own reading can't wake us.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver
from watchdog.observers.inotify import InotifyObserver

from qbwatch.edges.canary import Canary
from qbwatch.edges.inotify import refusal, watched_inodes

_EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileMovedEvent,
    FileClosedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]
_JOIN_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Notice:
    """Look at ``path`` (relative to the folder of ``root``); or at everything, when the path is None."""

    root: str
    path: bytes | None
    renamed: bool = False


Put = Callable[[Notice], None]


class FolderWatch:
    """A watch on one folder and its subfolders. ``start`` after a ``stop`` watches whatever lies at the path then.

    ``canary`` is a folder of our own in which the watch can be put to the proof; without one it is believed.
    """

    def __init__(self, root: str, directory: Path, put: Put, canary: Path | None = None) -> None:
        self._root = root
        self._canary = Canary(canary, root) if canary else None
        self._directory = directory
        self._put = put
        self._observer: BaseObserver | None = None
        self._identity: tuple[int, int] | None = None

    def start(self) -> None:
        """Watch. Raises OSError when the folder isn't there, WatchError when the kernel refuses."""
        self.stop()
        # A link at the end of the configured path is the operator's choice; watchdog itself would watch the link.
        path = os.path.realpath(self._directory, strict=True)
        status = os.stat(path)
        os.close(os.open(path, os.O_RDONLY | os.O_DIRECTORY))  # watchdog takes an unreadable folder without a word
        # It warns when a new folder is reported twice, by its own event and by its parent's; that is no fault.
        warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)
        observer = None
        try:
            observer = InotifyObserver(generate_full_events=True)  # "full" tells a file moved in from one created
            handler = _Handler(self._root, os.fsencode(path), self._put)
            observer.schedule(handler, path, recursive=True, event_filter=_EVENTS)
            if self._canary and (home := self._canary.settle_in()):
                observer.schedule(_CanaryHandler(self._canary), str(home), event_filter=[FileClosedEvent])
            observer.start()
        except OSError as error:
            if observer is not None:
                observer.stop()
            raise refusal(error) from error
        self._observer, self._identity = observer, (status.st_dev, status.st_ino)

    def stop(self) -> None:
        """Stop watching and end watchdog's threads; harmless when nothing is watched."""
        observer, self._observer, self._identity = self._observer, None, None
        if observer is not None:
            observer.stop()
            observer.join(_JOIN_SECONDS)

    def is_alive(self) -> bool:
        """True when every thread of the watch lives and the folder at the path is still the one being watched.

        A folder that was renamed away leaves all threads alive and deaf; one that was removed ends only the emitter.
        """
        observer = self._observer
        if observer is None or not observer.is_alive():
            return False
        reader = getattr(observer, "_inotify_fd", None)  # the thread that reads from the kernel, private to watchdog
        threads = [*observer.emitters, *([reader] if isinstance(reader, threading.Thread) else [])]
        return bool(observer.emitters) and all(thread.is_alive() for thread in threads) and self._is_same_folder()

    def answers(self, at: datetime) -> bool:
        """False when word of something that was done under this very watch hasn't come back for too long."""
        return self._canary is None or self._canary.sings(at)

    @property
    def was_heard(self) -> bool:
        """True when word of something that was done under this very watch has come back (or nothing can be done)."""
        return self._canary is None or self._canary.was_heard

    def misses(self, inodes: set[int]) -> set[int]:
        """Which of the folders with these inode numbers the kernel doesn't watch for us (as far as it tells)."""
        watched = watched_inodes()
        return set() if watched is None else inodes - watched

    def _is_same_folder(self) -> bool:
        try:
            status = os.stat(self._directory)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity


class _Handler(FileSystemEventHandler):
    def __init__(self, root: str, directory: bytes, put: Put) -> None:
        self._root = root
        self._prefix = directory.rstrip(b"/") + b"/"
        self._put = put

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Watchdog's thread calls this for each event."""
        path = os.fsencode(event.dest_path or event.src_path)
        if event.is_directory:
            self._put(Notice(self._root, None))  # a tree may have come in one move: only a scan sees all of it
        elif path.startswith(self._prefix):
            self._put(Notice(self._root, path[len(self._prefix) :], renamed=isinstance(event, FileMovedEvent)))


class _CanaryHandler(FileSystemEventHandler):
    def __init__(self, canary: Canary) -> None:
        self._canary = canary
        self._path = os.fsencode(canary.path)

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Watchdog's thread calls this for each event; other watches sing in the same folder."""
        if os.path.basename(os.fsencode(event.src_path)) == os.path.basename(self._path):
            self._canary.heard()


class OverflowCount(logging.Handler):
    """Hears of events that the kernel dropped: watchdog says so with a warning to its own logger, and nowhere else."""

    _LOGGER = "watchdog.observers.inotify_c"

    def __init__(self, on_overflow: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self.count = 0
        self._on_overflow = on_overflow

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging in watchdog's thread."""
        if "overflow" in record.getMessage():
            self.count += 1
            self._on_overflow()

    def attach(self) -> None:
        """Listen, also where the program's own logging is set to be more quiet than warnings."""
        logger = logging.getLogger(self._LOGGER)
        if not logger.isEnabledFor(logging.WARNING):
            logger.setLevel(logging.WARNING)
        logger.addHandler(self)

    def detach(self) -> None:
        """Stop listening."""
        logging.getLogger(self._LOGGER).removeHandler(self)
