"""What must become of each file of the soak."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from qbwatch.demo.exports import ExportFile

LOADED, DUPLICATE, SUPERSEDED = "loaded", "duplicate", "superseded"


@dataclass(slots=True)
class Fates:
    """What must become of each version of each file, by name and content."""

    of: dict[tuple[str, str], str] = field(default_factory=dict)

    def expect(self, file: ExportFile, fate: str) -> None:
        """This version ends so; what the name held before is superseded by it."""
        for name, content in list(self.of):
            if name == file.name and self.of[name, content] == LOADED:
                self.of[name, content] = SUPERSEDED
        self.of[file.name, sha256(file.content).hexdigest()] = fate
