"""What lies in a folder and isn't taken: passed by under a rule, unreadable, or gone before it could be.

No file is simply missing: of each it can be said which rule keeps it out, or what a person has to mend. What was seen
is forgotten with the file, at the scan that finds it gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Set
from datetime import datetime

from qbwatch.core import intake_problems as problems
from qbwatch.core.census import Census
from qbwatch.core.filename import escaped
from qbwatch.core.ignored import CONFLICTED_COPY
from qbwatch.core.intake_state import IntakeProblem
from qbwatch.log import get_logger

log = get_logger(__name__)


class Sightings:
    """Of one root. Belongs to one thread; ``vanished`` counts the files that were gone before they could be taken."""

    def __init__(self, root: str) -> None:
        self.vanished = 0
        self._root = root
        self._ignored: dict[bytes, tuple[str, datetime]] = {}
        self._unreadable: dict[bytes, datetime] = {}
        self._census: Census | None = None

    def ignore(self, path: bytes, rule: str, at: datetime) -> None:
        """A rule keeps this file (or whole folder) out."""
        if self._ignored.get(path, ("", at))[0] != rule:
            self._ignored[path] = (rule, at)
            log.info("file_ignored", root=self._root, file=escaped(path), rule=rule)

    def reconsider(self) -> None:
        """The rules have changed: what they keep out is found again by the next scan."""
        self._ignored.clear()

    def refuse(self, path: bytes, at: datetime) -> None:
        """The file may not be read."""
        if path not in self._unreadable:
            log.warning("file_unreadable", root=self._root, file=escaped(path))
        self._unreadable.setdefault(path, at)

    def take(self, path: bytes) -> None:
        """The file was taken after all."""
        self._unreadable.pop(path, None)

    def vanish(self, path: bytes) -> None:
        """The file was gone before it could be taken: that is its end, and nothing to be mended."""
        self.vanished += 1
        self._unreadable.pop(path, None)
        log.info("file_vanished", root=self._root, file=escaped(path))

    def keep_only(self, present: Set[bytes]) -> None:
        """Forget what a scan didn't find any more."""
        for remembered in (self._ignored, self._unreadable):
            for path in remembered.keys() - present:
                del remembered[path]

    def count(self, files: int, known: Callable[[str], int], at: datetime) -> None:
        """A scan found so many files; at the first one ``known`` says how many the ledger knows of this root."""
        if self._census is None:
            self._census = Census(known(self._root))
        self._census.count(files, at)

    def ignored(self) -> Counter[str]:
        """How many files (or whole folders) each rule keeps out at present."""
        return Counter(rule for rule, _ in self._ignored.values())

    def is_unreadable(self, path: bytes) -> bool:
        """Whether the file may not be read, as far as known."""
        return path in self._unreadable

    def problems(self) -> Iterator[IntakeProblem]:
        """What a person should know of single files."""
        for path, (rule, since) in self._ignored.items():
            if rule == CONFLICTED_COPY:
                yield problems.conflict(path, since)
        for path, since in self._unreadable.items():
            yield problems.unreadable(path, since)

    def emptied(self, directory: bytes) -> IntakeProblem | None:
        """The folder held many files and holds none: more likely gone or not mounted than cleared."""
        census = self._census
        if census is None or census.emptied_at is None:
            return None
        return problems.emptied(self._root, directory, census.before, census.emptied_at)
