"""One root of the intake (the input folder, or the seed folder): from "something is there" to "it is in the ledger".

Events and scans go through the same few steps: is the name ignored, is the file known as it looks now, has it settled,
copy it into the vault, hand it to the ledger. What fails for the moment (a full disk, no database) is raised to the
loop; the path stays among the settling ones and comes again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import assert_never

from qbwatch.core import intake_problems as problems
from qbwatch.core.arrival import Admission, Arrival
from qbwatch.core.census import Census
from qbwatch.core.filename import escaped
from qbwatch.core.ignored import CONFLICTED_COPY, ignored_by
from qbwatch.core.intake_state import IntakeProblem
from qbwatch.core.settle import Look, Settler, Verdict
from qbwatch.edges.clock import SteadyClock
from qbwatch.edges.folder import File, look_at
from qbwatch.edges.lease import has_writer
from qbwatch.edges.vault import Kept, Refusal, Vault
from qbwatch.edges.watched_folder import WatchedFolder
from qbwatch.log import get_logger
from qbwatch.moments import Moment, passing

log = get_logger(__name__)

_RESTLESS_AFTER = timedelta(minutes=10)  # as long as a slow upload may take before a person is told of it


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the intake asks of the ledger, as functions.

    ``is_known(root, path, look)``: has this very file, looking like this, been judged before? Asked for every file of
    every scan, so it should answer from memory. ``admit(arrival)`` records it; it may be called again for what it has
    recorded (after a crash, or when only attributes changed), and then changes nothing. ``transient``: the exceptions
    by which either says "not now". ``known_count(root)``: how many files of the root it knows.
    """

    is_known: Callable[[str, bytes, Look], bool]
    admit: Callable[[Arrival], Admission]
    transient: tuple[type[Exception], ...]
    known_count: Callable[[str], int] = lambda _: 0


@dataclass(frozen=True, slots=True)
class Means:
    """What every root works with. ``ignore`` are the patterns of the configuration."""

    vault: Vault
    ledger: Ledger
    clock: SteadyClock
    ignore: Sequence[str] = ()


class Root:
    """The files of one folder on their way in. Belongs to one thread."""

    def __init__(self, name: str, directory: Path, folder: WatchedFolder, settler: Settler, means: Means) -> None:
        self.name = name
        self.folder = folder
        self.settler = settler
        self.vanished = 0
        self._directory = directory
        self._means = means
        self._ignored: dict[bytes, tuple[str, datetime]] = {}
        self._unreadable: dict[bytes, datetime] = {}
        self._ctimes: dict[bytes, int] = {}
        self._census: Census | None = None

    def scan(self, is_routine: bool = False) -> None:
        """Mention every file that is there. Raises what is transient for the ledger; what was mentioned stays so.

        ``is_routine``: nothing asked for this scan, so events should have told of whatever is new.
        """
        at = self._means.clock.now()
        present: set[bytes] = set()
        files = 0
        for found in self.folder.scan(self._means.ignore, at):
            present.add(found.path)
            if isinstance(found, File):
                files += 1
                self._mention(found, at, is_routine)
            else:
                self._ignore(found.path, found.rule, at)
        for remembered in (self._ignored, self._ctimes, self._unreadable):
            for path in remembered.keys() - present:
                del remembered[path]
        self._count(files, at)

    def notice(self, path: bytes, renamed: bool) -> None:
        """An event mentioned a path. Whether it is known already is asked when it is looked at."""
        at = self._means.clock.now()
        self.folder.hears(path)
        rule = ignored_by(os.fsdecode(path), self._means.ignore)
        if rule is None:
            self.settler.notice(path, at, renamed)
        elif look_at(self._directory, path):
            self._ignore(path, rule, at)

    def judge(self, path: bytes) -> None:
        """Look at a path that is due, and take it when it has settled. Raises what is transient, and VaultError."""
        # The writer is asked for first: one that comes and goes after this answer shows in the look, or in the copy's.
        writing = has_writer(path, self._directory) if self.folder.leases_tell else None
        look = look_at(self._directory, path)
        if look is not None and self._is_known(path, look):
            self.settler.forget(path)
            return
        verdict = self.settler.look(path, look, writing, self._means.clock.now())
        match verdict:
            case Verdict.WAIT:
                pass
            case Verdict.VANISHED:
                self._vanish(path)
            case Verdict.SETTLED | Verdict.OUTWAITED:
                self._take(path, look, patience_over=verdict is Verdict.OUTWAITED)
            case _:
                assert_never(verdict)

    def problems(self) -> Iterator[IntakeProblem]:
        """What a person should know about this root now."""
        yield from self.folder.problems
        for path, (rule, since) in self._ignored.items():
            if rule == CONFLICTED_COPY:
                yield problems.conflict(path, since)
        for path, since in self._unreadable.items():
            yield problems.unreadable(path, since)
        for restless in self.settler.restless(self._means.clock.now(), _RESTLESS_AFTER):
            if restless.path not in self._unreadable:
                yield problems.restless(restless)
        if self._census and self._census.emptied_at and self.folder.is_there:
            yield problems.emptied(
                self.name, os.fsencode(self._directory), self._census.before, self._census.emptied_at
            )

    def ignored(self) -> Counter[str]:
        """How many files (or whole folders) each rule keeps out at present."""
        return Counter(rule for rule, _ in self._ignored.values())

    def _count(self, files: int, at: datetime) -> None:
        """Only what a folder holds that is there says anything: a missing one has a problem of its own."""
        if self._census is None:
            self._census = Census(self._means.ledger.known_count(self.name))
        if self.folder.is_there:
            self._census.count(files, at)

    def _mention(self, found: File, at: datetime, is_routine: bool) -> None:
        if found.path in self.settler:
            self.settler.notice(found.path, at)
        elif rule := ignored_by(os.fsdecode(found.path), self._means.ignore):
            self._ignore(found.path, rule, at)
        elif not self._is_known(found.path, found.look):
            if is_routine and found.path not in self._ctimes:
                self.folder.finds(found.path, at)
            self.settler.notice(found.path, at)

    def _is_known(self, path: bytes, look: Look) -> bool:
        """Judged before and not touched since: the ctime also moves where a tool restored the mtime of new content."""
        if not self._means.ledger.is_known(self.name, path, look):
            return False
        return self._ctimes.setdefault(path, look.ctime_ns) == look.ctime_ns

    def _take(self, path: bytes, look: Look | None, patience_over: bool) -> None:
        passing(Moment.SETTLED)
        kept = self._means.vault.take(path, self._directory)
        at = self._means.clock.now()
        if isinstance(kept, Refusal):
            self._refuse(path, kept, at)
        elif kept.look != look:
            self.settler.restart(path, at)
        else:
            self._admit(self._arrival(path, kept, at, patience_over))

    def _arrival(self, path: bytes, kept: Kept, at: datetime, patience_over: bool) -> Arrival:
        of_day = self._means.clock.of_day
        return Arrival(
            root=self.name,
            path=path,
            look=kept.look,
            content_hash=kept.content_hash,
            size_bytes=kept.size_bytes,
            first_seen_at=of_day(self.settler.since(path) or at),
            settled_at=of_day(at),
            patience_over=patience_over,
        )

    def _admit(self, arrival: Arrival) -> None:
        passing(Moment.VAULTED)
        admission = self._means.ledger.admit(arrival)
        passing(Moment.ADMITTED)
        self._unreadable.pop(arrival.path, None)
        log.info(f"file_{admission}", root=self.name, file=escaped(arrival.path), size=arrival.size_bytes)
        match admission:
            case Admission.ADMITTED:
                self._ctimes[arrival.path] = arrival.look.ctime_ns
                self.settler.forget(arrival.path)
            case Admission.DOUBTED:
                self.settler.doubt(arrival.path, self._means.clock.now())
            case _:
                assert_never(admission)

    def _refuse(self, path: bytes, refusal: Refusal, at: datetime) -> None:
        match refusal:
            case Refusal.CHANGED:
                self.settler.restart(path, at)
            case Refusal.VANISHED:
                self.settler.forget(path)
                self._vanish(path)
            case Refusal.UNREADABLE:
                if path not in self._unreadable:
                    log.warning("file_unreadable", root=self.name, file=escaped(path))
                self._unreadable.setdefault(path, at)
                self.settler.postpone(path, at)
            case _:
                assert_never(refusal)

    def _vanish(self, path: bytes) -> None:
        self.vanished += 1
        self._unreadable.pop(path, None)
        log.info("file_vanished", root=self.name, file=escaped(path))

    def _ignore(self, path: bytes, rule: str, at: datetime) -> None:
        if self._ignored.get(path, ("", at))[0] != rule:
            self._ignored[path] = (rule, at)
            log.info("file_ignored", root=self.name, file=escaped(path), rule=rule)
