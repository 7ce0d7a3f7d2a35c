"""The control socket's file: who may have the name, who may speak there, and who takes the file away.

A socket's file outlives its process. So a left-over one is replaced, but only after nobody answered there, and under a
lock, since two daemons that start at once would each see the other's fresh socket as left over. A file that isn't a
socket is somebody's, and is never removed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import stat
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qbwatch.core.model import QbwatchError
from qbwatch.edges.control_client import LONGEST_PATH

_MODE = 0o660
_FOLDER_MODE = 0o750
_QUEUE = 512  # callers that may wait to be accepted
_LOCK_PATIENCE = 5.0
_PROBE_PATIENCE = 2.0
_SO_PEERGROUPS = 59  # Linux; Python has no name for it


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end, as the kernel vouches for it at the moment of its connect."""

    pid: int
    uid: int
    gid: int
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BoundSocket:
    """A listening socket and the identity of its file, by which we know later whether the file is still ours."""

    listener: socket.socket
    path: Path
    device: int
    inode: int
    group: int

    def permits(self, peer: Peer) -> bool:
        """Root, our own user, and members of the socket's group: whom its mode lets in, asked of the kernel again."""
        return peer.uid in (0, os.geteuid()) or self.group in (peer.gid, *peer.groups)

    def release(self) -> None:
        """Stop listening, and remove the file unless another daemon has put its own there."""
        self.listener.close()
        with contextlib.suppress(OSError):
            status = os.lstat(self.path)
            if (status.st_dev, status.st_ino) == (self.device, self.inode):
                self.path.unlink()


def bind_socket(path: Path) -> BoundSocket:
    """Listen at ``path``. Raises `QbwatchError` when another daemon answers there or the file can't be made."""
    if len(os.fsencode(path)) > LONGEST_PATH:
        text = f"the path of the control socket is longer than the {LONGEST_PATH} bytes that Linux allows: {path}"
        raise QbwatchError(text, "set control.socket to a shorter path, as in /run/qbwatch/control.sock")
    try:
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        with _locked(path):
            _remove_left_over(path)
            return _bind(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        hint = f"make {path.parent} a folder that {_own_name()} may write to (RuntimeDirectory= in the unit does)"
        raise QbwatchError(f"can't create the control socket at {path}: {reason}", hint) from error


def read_peer(connection: socket.socket) -> Peer:
    """Who connected. Raises OSError when the kernel won't say."""
    pid, uid, gid = struct.unpack("iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    groups: tuple[int, ...] = ()
    with contextlib.suppress(OSError):  # an old kernel, or more than 256 groups: then only the main one counts
        packed = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 1024)  # the most that Python hands out
        groups = struct.unpack(f"{len(packed) // 4}I", packed)
    return Peer(pid, uid, gid, groups)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold ``<path>.lock`` while the name is looked at and taken; it stays, since removing it would reopen the race."""
    lock = os.open(f"{path}.lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        deadline = time.monotonic() + _LOCK_PATIENCE
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    text = f"another process holds {path}.lock"
                    raise QbwatchError(text, f"see who: `fuser -v {path}.lock`") from None
                time.sleep(0.05)
        yield
    finally:
        os.close(lock)


def _remove_left_over(path: Path) -> None:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise QbwatchError(f"{path} exists and is not a socket, so it stays", "move it away, or change control.socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_PATIENCE)
        failure = probe.connect_ex(os.fspath(path))
        if failure in (0, errno.EAGAIN, errno.ETIMEDOUT):  # a full queue is a sign of life too
            who = f" (process {read_peer(probe).pid})" if failure == 0 else ""
            text = f"another qbwatch answers at {path}{who}"
            raise QbwatchError(text, "stop that one first, or give this one its own control.socket")
        if failure == errno.ECONNREFUSED:
            path.unlink(missing_ok=True)
        elif failure != errno.ENOENT:
            raise OSError(failure, os.strerror(failure))


def _bind(path: Path) -> BoundSocket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The file's mode comes from the socket's less the umask: so it is never wider than wanted, not for a moment,
        # and the chmod gives back what the umask took. (Changing the umask would change it for every thread.)
        os.fchmod(listener.fileno(), _MODE)
        listener.bind(os.fspath(path))
        path.chmod(_MODE)
        listener.listen(_QUEUE)
        listener.setblocking(False)
        status = os.lstat(path)
    except BaseException:
        listener.close()
        raise
    return BoundSocket(listener, path, status.st_dev, status.st_ino, status.st_gid)


def _own_name() -> str:
    return f"user {os.geteuid()}"
