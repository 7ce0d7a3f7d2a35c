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
    return pid if pid is not None and _serves(pid, data) else None


def forget_stale_locks(data: Path, socket_directory: Path) -> None:
    """Remove lock files of a dead server that would make Postgres refuse to start; to be called when it is down.

    Those are files whose pid is still its zombie's or has been given to another process, and files that a power cut
    left empty. Should processes of the old server still live, Postgres finds out itself, by the memory they share.
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


def is_alive(pid: int) -> bool:
    """True when the process runs; a zombie, which an init that doesn't reap may leave lying about, does not."""
    try:
        status = Path("/proc", str(pid), "stat").read_text("ascii", "replace")
    except OSError:
        return _exists(pid)
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def _exists(pid: int) -> bool:
    """True when the pid is taken, be it by a zombie: this is what Postgres asks about the pid in a lock file."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _serves(pid: int, data: Path) -> bool:
    """True when the process is the server of this cluster: its command line names the data folder."""
    if not Path("/proc/self").exists():
        return is_alive(pid)  # no Linux: the pid is all there is
    try:
        return os.fsencode(data) in Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
