"""Has this file stopped changing?

A file is settled when two looks, a quiet period apart, agree and nobody has it open for writing. Notices (events of the
kernel, findings of a scan) only say *look here*: they may be lost, repeated or out of order, and they never restart the
clock; a changed look does. Age plays no part, because sync tools set old times on new files.

    notice ──▶ watched ──look──▶ WAIT ──quiet──▶ SETTLED ──forget──▶ (gone)
                  ▲               │  ▲              │
                  └── changed ────┘  └─── doubt ────┤   its end looks incomplete: wait longer, then OUTWAITED
                                     └── postpone ──┘   it could not be taken now: again after a pause

Pure: the caller says what time it is (any aware datetime that never runs backwards) and what the file looks like.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

_LONGEST_PAUSE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Look:
    """What a file looks like from outside: size in bytes, times in nanoseconds, and which file it is.

    Two looks are equal when the content can be taken as the same. ``ctime_ns`` stands outside of that: it also moves on
    chmod or when an attribute is set, which is no reason to wait; but when it moved, the content may have changed in
    place behind a restored mtime, which is a reason to hash again.
    """

    size: int
    mtime_ns: int
    inode: int
    device: int
    ctime_ns: int = field(default=0, compare=False)


class Verdict(StrEnum):
    """What a look says about a file."""

    WAIT = "wait"
    SETTLED = "settled"
    OUTWAITED = "outwaited"  # empty, or doubted, and unchanged all the longer time: take it as it is
    VANISHED = "vanished"


@dataclass(slots=True)
class _Path:
    since: datetime
    due_at: datetime
    renamed: bool
    rename_unseen: bool = False  # a rename was noticed after the last look, so it explains why the next one differs
    look: Look | None = None
    looked_at: datetime | None = None
    unchanged_since: datetime | None = None
    doubted: bool = False
    postponed: int = 0
    restarts: int = 0
    moved_at: datetime | None = None  # when it was last found changing, or open for writing
    writing: bool = False


@dataclass(frozen=True, slots=True)
class Restless:
    """A file that doesn't settle: since when it is known, and whether a writer holds it open (else it changes)."""

    path: bytes
    since: datetime
    writing: bool


class Settler:
    """Keeps the paths that are being watched until they settle. Not thread-safe: it belongs to one loop."""

    def __init__(self, quiet_for: timedelta, doubt_for: timedelta) -> None:
        self.adjust(quiet_for, doubt_for)
        self._paths: dict[bytes, _Path] = {}

    def adjust(self, quiet_for: timedelta, doubt_for: timedelta) -> None:
        """Wait so long from now on, also for the paths that are known."""
        self._quiet_for = quiet_for
        self._doubt_for = max(doubt_for, quiet_for)

    def __contains__(self, path: bytes) -> bool:
        return path in self._paths

    def __len__(self) -> int:
        return len(self._paths)

    def notice(self, path: bytes, at: datetime, renamed: bool = False) -> None:
        """An event or a scan mentioned ``path``: look soon. ``renamed``: it came by a rename, hence in one piece."""
        known = self._paths.get(path)
        if known is None:
            self._paths[path] = _Path(since=at, due_at=at, renamed=renamed, rename_unseen=renamed)
            return
        if renamed:
            known.renamed = known.rename_unseen = True
        if not known.postponed:
            # A hint brings the next look forward (the writer may just have closed), but a storm of them doesn't spin.
            soonest = at if known.looked_at is None or renamed else known.looked_at + self._quiet_for / 4
            known.due_at = min(known.due_at, max(at, soonest))

    def look(self, path: bytes, look: Look | None, writing: bool | None, at: datetime) -> Verdict:
        """Judge one look at a noticed path.

        ``look`` is None when nothing is there any more (the path is forgotten then). ``writing`` is what the kernel
        says about open writers, None when it can't say. A settled path stays until ``forget``, ``doubt``
        or ``postpone``.
        """
        if look is None:
            self.forget(path)
            return Verdict.VANISHED
        known = self._paths.setdefault(path, _Path(since=at, due_at=at, renamed=False))
        unchanged_since = _compare(known, look, at)
        known.writing = writing is True
        if known.writing:
            known.moved_at = at
        patient = known.doubted or look.size == 0
        whole = known.renamed and writing is False and not patient
        ready_at = unchanged_since + (self._doubt_for if patient else self._quiet_after(known.restarts))
        if writing is not True and (whole or at >= ready_at):
            known.due_at = at
            return Verdict.OUTWAITED if patient else Verdict.SETTLED
        usual_at = at + self._quiet_for
        known.due_at = min(ready_at, usual_at) if ready_at > at else usual_at
        return Verdict.WAIT

    def doubt(self, path: bytes, at: datetime) -> None:
        """The end of the settled file looks incomplete: wait longer for the rest, then take it as it is."""
        if known := self._paths.get(path):
            known.doubted, known.renamed = True, False
            known.unchanged_since = at
            known.due_at = at + self._quiet_for

    def restart(self, path: bytes, at: datetime) -> None:
        """The file changed while it was being copied: begin the quiet period anew, a longer one each time.

        On some mounts it is our reading that changes the file: rclone moves the times of one that it still has to
        upload whenever that is opened, and puts the upload off.
        """
        if known := self._paths.get(path):
            known.renamed, known.unchanged_since = False, None
            known.restarts += 1
            known.moved_at = at
            known.due_at = at

    def postpone(self, path: bytes, at: datetime) -> None:
        """The settled file could not be taken now (a full disk, no database): again after a growing pause."""
        if known := self._paths.get(path):
            known.due_at = at + pause_after(known.postponed)
            known.postponed += 1

    def forget(self, path: bytes) -> None:
        """The path needs no more looks: it was admitted, is known already, or is none of ours."""
        self._paths.pop(path, None)

    def since(self, path: bytes) -> datetime | None:
        """When the path was noticed first, None when it isn't being watched."""
        known = self._paths.get(path)
        return known.since if known else None

    def due(self, at: datetime) -> list[bytes]:
        """The paths to look at now: those never looked at, then by their times of writing, then the longest waiting.

        Files that came together are so taken in the order in which they were made, which is mostly the order in which
        they are to be folded: a file that is older than one already loaded has all since folded anew.
        """
        due = [
            (known.look.mtime_ns if known.look else 0, known.due_at, path)
            for path, known in self._paths.items()
            if known.due_at <= at
        ]
        return [path for *_, path in sorted(due)]

    def next_due_at(self) -> datetime | None:
        """When the next look is due, None when nothing is being watched."""
        return min((known.due_at for known in self._paths.values()), default=None)

    def settling(self) -> Iterator[tuple[bytes, datetime]]:
        """Every watched path and when it was noticed first, in the order of that."""
        return ((path, known.since) for path, known in self._paths.items())

    def restless(self, limit: timedelta) -> list[Restless]:
        """The files that were found at work longer than ``limit`` after they were noticed; they go on being watched.

        One that merely waits for its turn, behind thousands of others, isn't among them.
        """
        return [
            Restless(path, known.since, known.writing)
            for path, known in self._paths.items()
            if not known.postponed and known.moved_at is not None and known.moved_at - known.since >= limit
        ]

    def _quiet_after(self, restarts: int) -> timedelta:
        doublings = min(max(restarts - 1, 0), 10)
        return min(self._quiet_for * (1 << doublings), max(self._quiet_for, _LONGEST_PAUSE))

    @property
    def is_quiet(self) -> bool:
        """True when no file is merely waiting out its quiet period.

        Empty, doubted and postponed files don't count: they may stay for long, and others needn't wait for them.
        """
        return all(
            known.doubted or known.postponed or (known.look is not None and known.look.size == 0)
            for known in self._paths.values()
        )


def _compare(known: _Path, look: Look, at: datetime) -> datetime:
    """Note the look, and say since when the file hasn't changed."""
    changed = known.look is not None and known.look != look
    if changed:
        known.doubted, known.postponed, known.moved_at = False, 0, at
        known.renamed = known.renamed and known.rename_unseen
    if changed or known.unchanged_since is None:
        known.unchanged_since = at
    known.look, known.looked_at, known.rename_unseen = look, at, False
    return known.unchanged_since


def pause_after(failures: int) -> timedelta:
    """How long to pause after so many failures in a row before this one: 1 s, 2 s, 4 s, … 60 s at most."""
    return min(timedelta(seconds=2 ** min(failures, 6)), _LONGEST_PAUSE)
