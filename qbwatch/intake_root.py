"""One root of the intake (the input folder, or the seed folder): from "something is there" to "it is in the ledger".

Events and scans go through the same few steps: is the name ignored, is the file known as it looks now, has it settled,
copy it into the vault, hand it to the ledger. What fails for the moment (a full disk, no database) is raised to the
loop; the path stays among the settling ones and comes again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import assert_never

from qbwatch.core import intake_problems as problems
from qbwatch.core.arrival import Admission, Arrival
from qbwatch.core.filename import escaped
from qbwatch.core.ignored import ignored_by
from qbwatch.core.intake_state import IntakeProblem
from qbwatch.core.settle import Look, Settler, Verdict
from qbwatch.edges.folder import File, look_at
from qbwatch.edges.lease import has_writer
from qbwatch.edges.vault import Kept, Refusal, VaultError
from qbwatch.edges.vault_batch import take_all, taken_together
from qbwatch.edges.watched_folder import WatchedFolder
from qbwatch.intake_means import Means
from qbwatch.intake_sightings import Sightings
from qbwatch.log import get_logger
from qbwatch.moments import Moment, passing

log = get_logger(__name__)

_RESTLESS_AFTER = timedelta(minutes=10)  # as long as a slow upload may take before a person is told of it


@dataclass(frozen=True, slots=True)
class _Settled:
    """A file that is to be taken as it looks."""

    path: bytes
    look: Look
    patience_over: bool


class Root:
    """The files of one folder on their way in. Belongs to one thread."""

    def __init__(self, name: str, directory: Path, folder: WatchedFolder, settler: Settler, means: Means) -> None:
        self.name = name
        self.folder = folder
        self.settler = settler
        self.sightings = Sightings(name)
        self._directory = directory
        self._means = means
        self._ctimes: dict[bytes, int] = {}

    def adjust(self, means: Means) -> None:
        """Work with these from now on; a file that is kept out by a new rule isn't waited for any more."""
        if means.ignore != self._means.ignore:
            self.sightings.reconsider()
            for path in [path for path, _ in self.settler.settling() if ignored_by(os.fsdecode(path), means.ignore)]:
                self.settler.forget(path)
        self._means = means

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
                self.sightings.ignore(found.path, found.rule, at)
        self.sightings.keep_only(present)
        for path in self._ctimes.keys() - present:
            del self._ctimes[path]
        if self.folder.is_there:  # a missing one has a problem of its own, and its emptiness says nothing
            self.sightings.count(files, self._means.ledger.known_count, at)

    def notice(self, path: bytes, renamed: bool) -> None:
        """An event mentioned a path. Whether it is known already is asked when it is looked at."""
        at = self._means.clock.now()
        self.folder.hears(path)
        rule = ignored_by(os.fsdecode(path), self._means.ignore)
        if rule is None:
            self.settler.notice(path, at, renamed)
        elif look_at(self._directory, path):
            self.sightings.ignore(path, rule, at)

    def judge(self, paths: Sequence[bytes]) -> None:
        """Look at paths that are due, and take together what has settled, in this order.

        Raises what is transient, and VaultError, when it has done what could be done; the paths of which that is true
        are postponed, and those it didn't come to are still due.
        """
        settled = [candidate for path in paths if (candidate := self._settled(path)) is not None]
        for together in taken_together(settled, lambda each: each.look.size):
            self._take(together)

    def problems(self) -> Iterator[IntakeProblem]:
        """What a person should know about this root now."""
        yield from self.folder.problems
        yield from self.sightings.problems()
        for restless in self.settler.restless(_RESTLESS_AFTER):
            if not self.sightings.is_unreadable(restless.path):
                yield problems.restless(restless)
        if self.folder.is_there and (emptied := self.sightings.emptied(os.fsencode(self._directory))):
            yield emptied

    def _mention(self, found: File, at: datetime, is_routine: bool) -> None:
        if found.path in self.settler:
            self.settler.notice(found.path, at)
        elif rule := ignored_by(os.fsdecode(found.path), self._means.ignore):
            self.sightings.ignore(found.path, rule, at)
        elif not self._is_known(found.path, found.look):
            if is_routine and found.path not in self._ctimes:
                self.folder.finds(found.path, at)
            self.settler.notice(found.path, at)

    def _is_known(self, path: bytes, look: Look) -> bool:
        """Judged before and not touched since: the ctime also moves where a tool restored the mtime of new content."""
        if not self._means.ledger.is_known(self.name, path, look):
            return False
        return self._ctimes.setdefault(path, look.ctime_ns) == look.ctime_ns

    def _settled(self, path: bytes) -> _Settled | None:
        # The writer is asked for first: one that comes and goes after this answer shows in the look, or in the copy's.
        writing = has_writer(path, self._directory) if self.folder.leases_tell else None
        look = look_at(self._directory, path)
        if look is not None and self._is_known(path, look):
            self.settler.forget(path)
            return None
        verdict = self.settler.look(path, look, writing, self._means.clock.now())
        match verdict:
            case Verdict.WAIT:
                return None
            case Verdict.VANISHED:
                self.sightings.vanish(path)
                return None
            case Verdict.SETTLED | Verdict.OUTWAITED:
                assert look is not None
                return _Settled(path, look, patience_over=verdict is Verdict.OUTWAITED)
            case _:
                assert_never(verdict)

    def _take(self, together: Sequence[_Settled]) -> None:
        passing(Moment.SETTLED)
        copies = take_all(self._means.vault, [each.path for each in together], self._directory)
        at = self._means.clock.now()
        arrivals: list[Arrival] = []
        failed: VaultError | None = None
        for each, kept in zip(together, copies, strict=True):
            match kept:
                case VaultError():
                    self.settler.postpone(each.path, at)
                    failed = failed or kept
                case Refusal():
                    self._refuse(each.path, kept, at)
                case Kept(look=look) if look != each.look:
                    self.settler.restart(each.path, at)
                case Kept():
                    arrivals.append(self._arrival(each.path, kept, at, each.patience_over))
        self._admit_all(arrivals)
        if failed is not None:
            raise failed

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

    def _admit_all(self, arrivals: Sequence[Arrival]) -> None:
        """In one transaction; where that fails one by one, so that only the one at fault has to wait."""
        not_now: tuple[type[Exception], ...] = (*self._means.ledger.transient, VaultError)
        if arrivals:
            passing(Moment.VAULTED)
        if len(arrivals) > 1:
            with suppress(*not_now):
                self._admitted(arrivals)
                return
        for arrival in arrivals:
            try:
                self._admitted((arrival,))
            except not_now:
                self.settler.postpone(arrival.path, self._means.clock.now())
                raise

    def _admitted(self, arrivals: Sequence[Arrival]) -> None:
        admissions = self._means.ledger.admit(arrivals)
        passing(Moment.ADMITTED)
        for arrival, admission in zip(arrivals, admissions, strict=True):
            self._conclude(arrival, admission)

    def _conclude(self, arrival: Arrival, admission: Admission) -> None:
        self.sightings.take(arrival.path)
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
                self.sightings.vanish(path)
            case Refusal.UNREADABLE:
                self.sightings.refuse(path, at)
                self.settler.postpone(path, at)
            case _:
                assert_never(refusal)
