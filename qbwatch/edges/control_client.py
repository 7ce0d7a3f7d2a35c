"""Asking the daemon: one request over its control socket, or a stream of its status.

It imports little on purpose: `qbwatch status` has to answer at once. Every way in which the daemon can fail to answer
has a message and a hint of its own, because what to do differs.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from qbwatch.core.model import QbwatchError

LONGEST_PATH = 107  # bytes that fit into sockaddr_un, besides the closing NUL
_STREAM_SILENCE = 15.0  # seconds; the daemon repeats an unchanged status more often than that
_RETRY_AFTER = 0.02


class Unreachable(StrEnum):
    """Why nobody answered."""

    ABSENT = "absent"
    REFUSED = "refused"
    DENIED = "denied"
    TIMED_OUT = "timed_out"
    BROKEN = "broken"


class ControlUnreachable(QbwatchError):
    """The daemon gave no answer. ``kind`` tells the ways apart."""

    def __init__(self, kind: Unreachable, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.kind = kind


class ControlError(QbwatchError):
    """The daemon answered with an error. ``code`` is JSON-RPC's, ``data`` what the error carried besides."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any]) -> None:
        super().__init__(message, str(data.get("hint", "")))
        self.code = code
        self.data = data


def call(path: Path, method: str, params: Mapping[str, Any] | None = None, timeout: float = 5.0) -> Any:
    """The daemon's answer to one request, within ``timeout`` seconds in all.

    Raises `ControlUnreachable` when there is none, `ControlError` when it is an error.
    """
    deadline = time.monotonic() + timeout
    with _connect(path, deadline, timeout) as connection:
        reader = _Lines(path, connection)
        _send(path, connection, method, params, deadline)
        return _result(path, reader.next(deadline, timeout))


def stream(path: Path, timeout: float = 5.0) -> Iterator[dict[str, Any]]:
    """The daemon's status, now and whenever it changes; ends only by an exception or by closing the generator.

    Raises `ControlUnreachable` as soon as the daemon is gone or has been silent for too long.
    """
    deadline = time.monotonic() + timeout
    with _connect(path, deadline, timeout) as connection:
        reader = _Lines(path, connection)
        _send(path, connection, "subscribe", None, deadline)
        _result(path, reader.next(deadline, timeout))
        while True:
            notification = reader.next(time.monotonic() + _STREAM_SILENCE, _STREAM_SILENCE)
            if notification.get("method") == "status" and isinstance(notification.get("params"), dict):
                yield notification["params"]


def _connect(path: Path, deadline: float, timeout: float) -> socket.socket:
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise ControlUnreachable(
            Unreachable.ABSENT, f"the path of the control socket is too long: {path}", "shorten control.socket"
        )
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    while (failure := connection.connect_ex(os.fspath(path))) == errno.EAGAIN and time.monotonic() < deadline:
        time.sleep(_RETRY_AFTER)  # its queue of callers is full
    if failure:
        connection.close()
        raise _unreachable(path, failure, timeout)
    return connection


def _send(
    path: Path, connection: socket.socket, method: str, params: Mapping[str, Any] | None, deadline: float
) -> None:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": dict(params or {})}
    try:
        connection.settimeout(_left(deadline))
        connection.sendall(json.dumps(request).encode() + b"\n")
    except TimeoutError:
        raise _unreachable(path, errno.ETIMEDOUT, 0) from None
    except OSError:
        pass  # it closed our way to it; its reason may still be there to be read


class _Lines:
    """Reads one JSON object per line."""

    def __init__(self, path: Path, connection: socket.socket) -> None:
        self._path, self._connection, self._buffer = path, connection, bytearray()

    def next(self, deadline: float, timeout: float) -> dict[str, Any]:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            self._buffer += self._receive(deadline, timeout)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ControlUnreachable(
                Unreachable.BROKEN, f"what answers at {self._path} is not qbwatch", "check control.socket"
            )
        return answer

    def _receive(self, deadline: float, timeout: float) -> bytes:
        try:
            self._connection.settimeout(_left(deadline))
            chunk = self._connection.recv(1 << 16)
        except TimeoutError:
            raise _unreachable(self._path, errno.ETIMEDOUT, timeout) from None
        except OSError as error:
            raise _unreachable(self._path, error.errno or errno.ECONNRESET, timeout) from error
        if not chunk:
            raise _unreachable(self._path, errno.ECONNRESET, timeout)
        return chunk


def _result(path: Path, answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if isinstance(error, dict):
        data = error.get("data")
        code = error.get("code")
        raise ControlError(
            code if isinstance(code, int) else 0,
            str(error.get("message", "an error without a message")),
            data if isinstance(data, dict) else {},
        )
    if "result" not in answer:
        raise ControlUnreachable(Unreachable.BROKEN, f"what answers at {path} is not qbwatch", "check control.socket")
    return answer["result"]


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)  # 0 would mean: don't wait at all


def _unreachable(path: Path, failure: int, timeout: float) -> ControlUnreachable:
    """The exception for an errno, with what a person can do about it."""
    start = "start it: `systemctl start qbwatch`, or `qbwatch run` in the foreground"
    match failure:
        case errno.ENOENT | errno.ENOTDIR:
            return ControlUnreachable(
                Unreachable.ABSENT, f"the daemon is not running: there is no socket at {path}", start
            )
        case errno.ECONNREFUSED:
            text = f"the daemon is not running: the socket at {path} is left over from an earlier one"
            return ControlUnreachable(Unreachable.REFUSED, text, start)
        case errno.EACCES | errno.EPERM:
            hint = f"join the group that `stat -c %G {path.parent}` names (a new login is needed), or use sudo"
            return ControlUnreachable(Unreachable.DENIED, f"no permission to speak to the daemon at {path}", hint)
        case errno.ETIMEDOUT | errno.EAGAIN:
            within = f" within {timeout:g} s" if timeout else ""
            text = f"the daemon at {path} took the call but did not answer{within}"
            return ControlUnreachable(Unreachable.TIMED_OUT, text, "see `systemctl status qbwatch` and its journal")
        case _:
            text = f"the connection to the daemon at {path} broke: {os.strerror(failure).lower()}"
            return ControlUnreachable(Unreachable.BROKEN, text, "see `systemctl status qbwatch` and its journal")
