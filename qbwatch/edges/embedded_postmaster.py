"""Is the private Postgres running? Answered from its ``postmaster.pid``, the process it names, and its socket."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What a server wrote into ``postmaster.pid``: true as long as its process lives."""

    pid: int
    socket_path: Path
    ready: bool

    def accepts(self) -> bool:
        """True when it takes a connection now. A dead server's socket file refuses."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1)
            try:
                client.connect(str(self.socket_path))
            except OSError:
                return False
        return True


def read_postmaster(data: Path) -> Postmaster | None:
    """The file's lines: pid, data, start time, port, socket folder, host, shared memory, status.

    None when it is absent, not for our eyes, or not yet written to its end.
    """
    try:
        lines = (data / "postmaster.pid").read_text("utf-8", "surrogateescape").splitlines()
        return Postmaster(int(lines[0]), Path(lines[4]) / SOCKET_NAME, lines[7].strip() == "ready")
    except (OSError, IndexError, ValueError):
        return None


def server_pid(data: Path) -> int | None:
    """Process id of the server of this cluster, also while it starts or stops; None when it is down.

    A pid alone proves nothing: after a reboot it may be another process's, and a zombie has no command line.
    """
    pid = _first_number(data / "postmaster.pid")
    return pid if pid is not None and serves(pid, data) else None


def forget_stale_locks(data: Path, socket_directory: Path) -> None:
    """Remove lock files of a dead server that would make Postgres refuse to start; to be called when it is down.

    Those are files whose pid has been given to another process since, and files that a power cut left empty. Should
    processes of the old server still live, Postgres finds out by itself, by the shared memory they hold.
    """
    for lock in (data / "postmaster.pid", socket_directory / f"{SOCKET_NAME}.lock"):
        pid = _first_number(lock)
        if lock.exists() and (pid is None or _exists(pid)):
            lock.unlink()


def _first_number(file: Path) -> int | None:
    try:
        return int(file.read_text("utf-8", "surrogateescape").split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def serves(pid: int, data: Path) -> bool:
    """True when process ``pid`` lives and is the server of this cluster, or about to become it."""
    process = Path("/proc", str(pid))
    if not process.parent.joinpath("self").exists():
        return _exists(pid)  # no Linux: the pid is all there is
    try:
        return os.fsencode(data) in (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
