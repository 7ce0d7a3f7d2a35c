"""The program that brings the files: which one is it, and does it run?

Nothing is configured: where a sync client keeps a folder it leaves its mark there. Where there is none (rclone from a
timer, say), the table of processes proves nothing, and only the silence tells (`core.arrivals`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from qbwatch.core.intake_state import IntakeProblem
from qbwatch.core.model import FailureClass
from qbwatch.edges.unit_processes import commands_of_units

Asked = Callable[[], tuple[list[list[str]], bool]]

_PROC = Path("/proc")
_LOOK_EVERY = timedelta(seconds=30)
_MISSED_FOR = timedelta(minutes=2)  # a client that updates itself is gone for a moment

# What a client leaves in the top folder of what it syncs.
_MARKS = {
    "dropbox": (".dropbox", ".dropbox.cache"),
    "maestral": (".maestral", ".maestral.cache", ".mignore"),
    "syncthing": (".stfolder",),
}
# The same service by another program: either will do.
_SAME_SERVICE = {"dropbox": ("dropbox", "maestral"), "maestral": ("maestral", "dropbox")}
_START = {
    "dropbox": "dropbox start",
    "maestral": "maestral start",
    "syncthing": "systemctl start syncthing@USER",
    "rclone": "systemctl start the unit that runs rclone",
}


def marked_client(directory: Path, marks: Callable[[Path], bool] = os.path.lexists) -> str | None:
    """The client whose mark lies in the folder or in one above it; the nearest counts."""
    here = Path(os.path.realpath(directory))
    for folder in (here, *here.parents):
        for client, names in _MARKS.items():
            if any(marks(folder / name) for name in names):
                return client
    return None


def running_clients(proc: Path = _PROC) -> frozenset[str]:
    """The sync clients in the table of processes, whoever runs them; rclone only while it syncs or mounts."""
    return frozenset(client for command in _commands(proc) if (client := _client_of(command)))


def seen_clients(proc: Path = _PROC, ask: Asked = commands_of_units) -> tuple[frozenset[str], bool]:
    """The sync clients that run, and whether another would have been seen: not where the table of processes is hidden
    (ProtectProc=, hidepid=) and systemd doesn't tell either."""
    if (proc / "1").exists():
        return running_clients(proc), True
    commands, is_whole = ask()
    return frozenset(client for command in commands if (client := _client_of(command))), is_whole


def client_of(directory: Path, proc: Path = _PROC) -> tuple[str | None, bool, str]:
    """The client that keeps the folder by its mark (None: no mark), whether it runs, and how it is started."""
    client = marked_client(directory)
    if client is None:
        return None, False, ""
    is_running = bool(set(_SAME_SERVICE.get(client, (client,))) & running_clients(proc))
    return client, is_running, _START.get(client, client)


def _commands(proc: Path) -> Iterator[list[str]]:
    for name in os.listdir(proc):
        if name.isdecimal():
            try:
                line = (proc / name / "cmdline").read_bytes()
            except OSError:
                continue  # ended meanwhile
            if line:
                yield line.decode("utf-8", "replace").rstrip("\0").split("\0")


def _client_of(command: list[str]) -> str | None:
    names = [os.path.basename(word) for word in command[:3]]
    if names[0] in ("dropbox", "dropboxd", "syncthing", "maestral"):
        return "dropbox" if names[0] == "dropboxd" else names[0]
    if names[0] == "rclone":
        return "rclone"
    # A program in Python: its interpreter comes first.
    return "maestral" if names[0].startswith("python") and "maestral" in " ".join(names[1:]) else None


@dataclass(slots=True)
class SyncClient:
    """Watches over the client of one folder, if one left its mark.

    ``name``: who keeps the folder as far as known: whose mark it bears, else the only client that runs here, if any.
    """

    directory: Path
    proc: Path = _PROC
    name: str | None = None
    ask: Asked = commands_of_units
    _looked_at: datetime | None = None
    _missed_since: datetime | None = None
    _problem: IntakeProblem | None = field(default=None)

    def look(self, at: datetime) -> IntakeProblem | None:
        """What is wrong with it, if anything; the table of processes is read every half minute."""
        if self._looked_at is None or at - self._looked_at >= _LOOK_EVERY:
            self._looked_at = at
            self._problem = self._judge(at)
        return self._problem

    def _judge(self, at: datetime) -> IntakeProblem | None:
        running, is_whole = seen_clients(self.proc, self.ask)
        expected = marked_client(self.directory)
        self.name = expected or (next(iter(running)) if len(running) == 1 else None)
        if expected is None or not is_whole or set(_SAME_SERVICE.get(expected, (expected,))) & running:
            self._missed_since = None
            return None
        self._missed_since = self._missed_since or at
        return not_running(expected, self._missed_since) if at - self._missed_since >= _MISSED_FOR else None


def not_running(client: str, since: datetime) -> IntakeProblem:
    """A sync client that should run doesn't."""
    return IntakeProblem(
        code="sync_client_down",
        failure_class=FailureClass.INFRASTRUCTURE,
        summary=f"{client.capitalize()} keeps the input folder and isn't running: new exports don't arrive",
        hint=f"Start it as its user: {_START.get(client, client)}",
        since=since,
    )
