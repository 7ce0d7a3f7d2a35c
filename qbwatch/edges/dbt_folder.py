"""The folder ``dbt/`` in the state folder: everything that dbt writes lies there, so the project may be read-only.

profiles.yml            how to connect; the same for all, without secrets
target-<id>/            what one command wrote: a fresh one each time, since a dbt that dies early leaves the
                        results of the run before in place. Kept until the next command when something went wrong
warm-<id>/              likewise, while a warm dbt parses the project
partial_parse.msgpack   the parsed project of the last good run, which saves the next one a second; dbt compares it
                        with the files and doesn't use it when it doesn't fit
logs/                   dbt's own log, rotated by size
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qbwatch.edges.dbt_connection import PROFILE_NAME, write_profile

LOG_FILE_BYTES = 5 * 1024 * 1024
_PARSED = "partial_parse.msgpack"
_DIGEST = "partial_parse.sha256"


@dataclass(frozen=True, slots=True)
class DbtFolder:
    """The folder, by its absolute path."""

    path: Path

    @property
    def log(self) -> Path:
        """The file to which dbt writes what it does, a line of JSON for each event."""
        return self.path / "logs" / "dbt.log"

    def fresh_target(self, kind: str = "target") -> Path:
        """An empty folder for a command; those of earlier commands are removed."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_profile(self.path)
        for old in self.path.glob(f"{kind}-*"):
            shutil.rmtree(old, ignore_errors=True)
        target = self.path / f"{kind}-{secrets.token_hex(4)}"
        target.mkdir()
        return target

    def lend_parsed(self, target: Path) -> None:
        """Put what was parsed before into a command's folder."""
        if self._is_whole(parsed := self.path / _PARSED):
            shutil.copyfile(parsed, target / _PARSED)

    def put_away(self, target: Path) -> None:
        """A command went well: keep what it parsed, remove the rest."""
        if (parsed := target / _PARSED).is_file():
            digest = _digest(parsed)
            parsed.replace(self.path / _PARSED)
            (self.path / _DIGEST).write_text(digest)  # dying here costs the next command a second
        shutil.rmtree(target, ignore_errors=True)

    def forget_parsed(self) -> bool:
        """Throw the parsed project away; False when there was none."""
        if not (parsed := self.path / _PARSED).is_file():
            return False
        parsed.unlink()
        return True

    def _is_whole(self, parsed: Path) -> bool:
        try:
            return (self.path / _DIGEST).read_text() == _digest(parsed)
        except (FileNotFoundError, UnicodeDecodeError):
            return False

    def flags(self, project: Path, target: Path, variables: Mapping[str, str]) -> list[str]:
        """The flags of every command: where everything is, and that nothing goes out over the network.

        ``variables`` are for the project's ``var()``; one that doesn't know them isn't disturbed.
        """
        return [
            *("--project-dir", str(project.absolute())),
            *("--profiles-dir", str(self.path), "--profile", PROFILE_NAME, "--target", PROFILE_NAME),
            *("--vars", json.dumps(dict(variables))),
            *("--target-path", str(target), "--log-path", str(self.log.parent)),
            *("--log-file-max-bytes", str(LOG_FILE_BYTES), "--log-level-file", "info"),
            *("--log-format", "json", "--quiet", "--no-print"),
            *("--no-use-colors", "--no-use-colors-file", "--no-send-anonymous-usage-stats"),
        ]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
