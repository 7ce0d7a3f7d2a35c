"""A dbt command as a child process: started apart from us, ended with us, its output kept small.

dbt never runs in the daemon's own process: importing it costs more than a hundred megabytes, it sets signal and log
handlers, and a query of it can only be left by ending the process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

KEPT_OUTPUT_BYTES = 256 * 1024
_LOOK_EVERY_SECONDS = 0.1

# What the child runs. The kernel kills it when the thread that started it ends, however that happens (that thread waits
# for it all along); the parent is compared in case it died before the request. Nothing of qbwatch is imported.
_CHILD = """
import os, sys
parent = int(sys.argv.pop(1))
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
    ctypes.CDLL(None).prctl(15, b"dbt-build", 0, 0, 0)  # PR_SET_NAME, as a fork of the warm dbt is called
if os.getppid() != parent:
    os._exit(1)
from dbt.cli.main import cli
sys.argv[0] = "dbt"
cli()
"""


class Ending(StrEnum):
    """Who ended the process."""

    ITSELF = "itself"
    STOPPED = "stopped"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that is over: exit code (negative: the signal that killed it) and the end of what it printed."""

    ending: Ending
    code: int
    output: str

    @property
    def was_killed(self) -> bool:
        """True when it had no chance to leave its database sessions."""
        return self.code < 0


@dataclass(frozen=True, slots=True)
class Command:
    """A dbt command line without its program, with the surroundings it runs in."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


def run(command: Command, timeout_seconds: float, should_stop: Callable[[], bool]) -> Ended:
    """Run dbt to its end, to the time-out, or until ``should_stop`` says so (asked ten times a second).

    When this returns or raises, the process and everything it started are gone.
    """
    give_up_at = time.monotonic() + timeout_seconds
    process = _start(command)
    tail = Tail(process.stdout)
    try:
        ending = _wait(process, give_up_at, should_stop)
    finally:
        _end_group(process)
    return Ended(ending, process.returncode, tail.text())


def _start(command: Command) -> subprocess.Popen[bytes]:
    # -P: a folder called `dbt` in the working directory must not be taken for the package.
    program = [sys.executable, "-P", "-c", _CHILD, str(os.getpid())]
    return subprocess.Popen(
        [*program, *command.arguments],
        cwd=command.folder,
        env=dict(command.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _wait(process: subprocess.Popen[bytes], give_up_at: float, should_stop: Callable[[], bool]) -> Ending:
    while True:
        try:
            process.wait(_LOOK_EVERY_SECONDS)
            return Ending.ITSELF
        except subprocess.TimeoutExpired:
            if should_stop():
                return Ending.STOPPED
            if time.monotonic() > give_up_at:
                return Ending.TIMED_OUT


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process group. There is nothing to ask for: dbt writes no results when it is interrupted.

    A process that has ended is left alone: its number may already be somebody else's.
    """
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Tail:
    """Reads a pipe in a thread, so that the writer never blocks, and keeps its end."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None
        self._pipe = pipe
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._read, name="dbt-output", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._pipe:
            while chunk := self._pipe.read1(65536):  # type: ignore[attr-defined]
                self._kept += chunk
                del self._kept[:-KEPT_OUTPUT_BYTES]

    def text(self) -> str:
        """What was kept; to be asked when the writer is gone."""
        self._thread.join(timeout=5)
        return self._kept.decode("utf-8", "replace")
