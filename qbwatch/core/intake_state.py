"""What the intake can say about itself at any moment: immutable, so that any thread may hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from qbwatch.core.model import FailureClass


class Watcher(StrEnum):
    """How changes are noticed; ``auto`` is inotify where it works and polling elsewhere."""

    AUTO = "auto"
    INOTIFY = "inotify"
    POLLING = "polling"


@dataclass(frozen=True, slots=True)
class IntakeProblem:
    """Something in the surroundings that a person should know; it goes away with its cause.

    ``code`` and ``file`` (a path as it is shown, None when it is about a whole root) name it as long as it lasts.
    ``is_doubt`` says that it may well be as it should: a person should look, and nothing is wrong for certain.
    """

    code: str
    failure_class: FailureClass
    summary: str
    hint: str
    since: datetime
    file: str | None = None
    is_doubt: bool = False


@dataclass(frozen=True, slots=True)
class IntakeState:
    """A snapshot. ``settling`` holds (root, path, first seen at), the longest waiting first; of very many not all, but
    ``settling_count`` counts them all. ``ignored`` counts the files present by rule.

    ``events_missed`` counts how often the kernel reported that it dropped events (not how many: that is unknown).
    """

    watcher: Watcher = Watcher.POLLING
    watch_alive: bool = False
    is_quiet: bool = False
    settling: tuple[tuple[str, bytes, datetime], ...] = ()
    settling_count: int = 0
    ignored: Mapping[str, int] = field(default_factory=dict)
    polled_because: str | None = None
    events_missed: int = 0
    vanished: int = 0
    last_scan_at: datetime | None = None
    problems: tuple[IntakeProblem, ...] = ()
    sync_client: str | None = None  # the program that brings the files, as far as known
