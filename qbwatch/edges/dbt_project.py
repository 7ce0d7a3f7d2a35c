"""Which project everything was last built from, known by what its files hold.

An upgrade of qbwatch, or somebody's hand, changes models without changing any data; what they made before lies there
until their own data change. So the state folder notes from which project everything was built, and for which one
everything was made owed. Without a note all is built once more, which harms nobody.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

# Of a project's folder; dbt writes there when it is used by hand, and reads none of it.
_NOT_READ = frozenset({"target", "logs", ".git"})

Digest = str


class Note(StrEnum):
    """What was done for a project, by the names of the notes' files."""

    BUILT = "built_from.sha256"  # every model was built
    OWED = "owed_for.sha256"  # what was loaded before was made owed


@dataclass(frozen=True, slots=True)
class Project:
    """A dbt project, and the folder of notes about it."""

    path: Path
    notes: Path

    def digest(self) -> Digest:
        """What the project is now: its files' places and contents."""
        digest = hashlib.sha256()
        for path in files_of(self.path):
            with contextlib.suppress(OSError):  # dbt says what it can't read
                content = path.read_bytes() if path.is_file() else b""
                place = os.fsencode(path.relative_to(self.path))
                digest.update(b"%d %b %d %b" % (len(place), place, len(content), content))
        return digest.hexdigest()

    def is_noted(self, note: Note) -> bool:
        """Whether the note is about the project as it is now."""
        try:
            return (self.notes / note.value).read_text() == self.digest()
        except (OSError, UnicodeDecodeError):
            return False

    def write(self, note: Note, digest: Digest) -> None:
        """The note is about the project that had this digest."""
        with contextlib.suppress(OSError):  # then it is done once more
            self.notes.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.notes / note.value).write_text(digest)


def files_of(project: Path) -> Iterator[Path]:
    """The files that dbt may read, in a fixed order."""
    for folder, folders, names in os.walk(project):
        folders[:] = sorted(name for name in folders if name not in _NOT_READ)
        yield from (Path(folder, name) for name in sorted(names))
