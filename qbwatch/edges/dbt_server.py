"""Our side of the warm dbt: started in a thread that lives as long as it does, asked for one command after another.

Whatever goes wrong with it is `ServerLost`; the same command is then run cold, so nothing depends on it but speed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qbwatch.edges import dbt_forkserver
from qbwatch.edges.dbt_forkserver import Channel
from qbwatch.edges.dbt_process import Command, Ended, Ending, Tail

PROGRAM = Path(dbt_forkserver.__file__)
_SHORTCUTS = PROGRAM.with_name("dbt_shortcuts.py")
_LOOK_EVERY_SECONDS = 0.1
_ANSWERS_WITHIN = 10.0  # seconds; for a fork, and for the end of what was killed
_READY_WITHIN = 120.0  # seconds for dbt's import and the project's parsing, on a machine that is busy


def _program() -> bytes:
    return hashlib.sha256(PROGRAM.read_bytes() + _SHORTCUTS.read_bytes()).digest()


_AS_IMPORTED = _program()


class ServerLost(Exception):
    """The warm process is gone, mute, or could not parse the project; the text says which."""


class DbtServer:
    """One warm process. To be started in a thread that then waits for its end: the two end together."""

    def __init__(self, command: Command) -> None:
        """Start it. Raises `OSError`, also where its program isn't the one that this process knows how to talk to."""
        if _program() != _AS_IMPORTED:
            raise OSError(errno.ESTALE, "qbwatch was upgraded while it runs; restart it", str(PROGRAM))
        ours, theirs = socket.socketpair()
        with theirs:
            # -P: a folder called `dbt` in the working directory must not be taken for the package.
            program = [sys.executable, "-P", str(PROGRAM), str(os.getpid()), str(theirs.fileno())]
            self._process = subprocess.Popen(
                [*program, *command.arguments],
                cwd=command.folder,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._channel = Channel(ours)
        self._is_ready = False

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def outlive(self) -> None:
        """Wait for the end of the process, and collect it."""
        self._process.wait()

    def close(self) -> None:
        """End the process at once, with the command it may be running."""
        self._process.kill()
        self._process.wait()
        self._channel.connection.close()

    def wait_ready(self, should_stop: Callable[[], bool]) -> bool:
        """Wait until the project is parsed; False when asked to stop before. Raises `ServerLost`."""
        give_up_at = time.monotonic() + _READY_WITHIN
        while not self._is_ready:
            if should_stop():
                return False
            if time.monotonic() > give_up_at:
                raise ServerLost(f"it wasn't ready after {_READY_WITHIN:.0f} s")
            said = self._hear(_LOOK_EVERY_SECONDS)
            if "failed" in said:
                raise ServerLost(f"it could not parse the project: {said['failed']}")
            self._is_ready = "ready" in said
        return True

    def run(
        self, arguments: Sequence[str], target: Path, timeout_seconds: float, should_stop: Callable[[], bool]
    ) -> Ended:
        """Run a command like `dbt_process.run`. Raises `ServerLost`: it may have run, and its queries may still do."""
        give_up_at = time.monotonic() + timeout_seconds
        tail = self._begin(arguments, target)
        ending = Ending.ITSELF
        while True:
            said = self._hear(_LOOK_EVERY_SECONDS)
            if "ended" in said:
                return Ended(ending, said["ended"], tail.text())
            if ending is Ending.ITSELF:
                ending = _ending(give_up_at, should_stop)
                if ending is not Ending.ITSELF:
                    give_up_at = time.monotonic() + _ANSWERS_WITHIN
                    self._say({"kill": True})
            elif time.monotonic() > give_up_at:
                raise ServerLost("it did not end the command that it was told to end")

    def _begin(self, arguments: Sequence[str], target: Path) -> Tail:
        reading, writing = os.pipe()
        tail = Tail(os.fdopen(reading, "rb"))
        try:
            self._say({"run": list(arguments), "target": str(target)}, writing)
        finally:
            os.close(writing)
        give_up_at = time.monotonic() + _ANSWERS_WITHIN
        while "started" not in self._hear(_LOOK_EVERY_SECONDS):
            if time.monotonic() > give_up_at:
                raise ServerLost("it did not start the command")
        return tail

    def _say(self, message: dict[str, Any], descriptor: int | None = None) -> None:
        try:
            self._channel.send(message, descriptor)
        except OSError as error:
            raise ServerLost(self._end_of_it()) from error

    def _hear(self, timeout_seconds: float) -> dict[str, Any]:
        """The next message; empty when none came."""
        try:
            heard = self._channel.receive(timeout_seconds)
        except (EOFError, OSError) as error:
            raise ServerLost(self._end_of_it()) from error
        return heard[0] if heard else {}

    def _end_of_it(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        code = self._process.returncode
        return "it hung up" if code is None else f"it ended (exit code {code})"


def _ending(give_up_at: float, should_stop: Callable[[], bool]) -> Ending:
    if should_stop():
        return Ending.STOPPED
    return Ending.TIMED_OUT if time.monotonic() > give_up_at else Ending.ITSELF
