"""Temporary folders that are gone at the end with everything that runs in them, however the tests end.

A folder is told to the guard, a process of its own, before anything is started in it. When our end of its pipe closes,
be it by kill -9, the guard ends what still works in the folders it was told, and removes them. It looks at which
processes there are, not at numbers noted earlier: a server may have been started anew since, or may just be starting.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_SECONDS = 20.0  # that a server gets to end by itself; what still runs then is killed
_guard: subprocess.Popen[bytes] | None = None


@contextmanager
def temporary_folder(prefix: str = "qbwatch-test-") -> Iterator[Path]:
    """A new folder with a short path, below which an embedded Postgres and daemons may run."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    _tell_guard(folder)
    try:
        yield folder
    finally:
        clear(folder)


def clear(folder: Path) -> None:
    """End every process that works in the folder, then remove it, and the short folders of its servers' sockets."""
    give_up_at = time.monotonic() + _SECONDS
    while running := processes_in(folder):
        # Who could start a server again goes first; a server then ends its own children.
        servers = [pid for pid, name in running.items() if name == b"postgres"]
        others = [pid for pid, name in running.items() if not name.startswith(b"postgres")]
        late = time.monotonic() > give_up_at
        for pid in running if late else others or servers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if late or others else signal.SIGQUIT)
        time.sleep(0.05)
    for note in folder.rglob("data/socket-directory"):
        shutil.rmtree(note.read_text(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def processes_in(folder: Path) -> dict[int, bytes]:
    """Names by pid of the living processes that work below the folder, or were started with a path below it; without
    us. A server of Postgres is named ``postgres``, its children ``postgres: …``."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                places = [os.readlink(entry / "cwd"), *map(os.fsdecode, words)]
                is_dead = b") Z " in (entry / "stat").read_bytes()
                if not is_dead and any(_is_below(place, folder) for place in places):
                    found[int(entry.name)] = os.path.basename(words[0])
    return found


def _is_below(word: str, folder: Path) -> bool:
    return word == str(folder) or word.startswith(f"{folder}/")


def _tell_guard(folder: Path) -> None:
    global _guard
    if _guard is None or _guard.poll() is not None:
        command = [sys.executable, "-I", "-S", __file__]
        _guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, cwd="/")
    assert _guard.stdin is not None
    _guard.stdin.write(os.fsencode(folder) + b"\n")
    _guard.stdin.flush()


def _watch() -> None:
    folders = [Path(os.fsdecode(line.rstrip(b"\n"))) for line in sys.stdin.buffer]
    for folder in folders:
        if folder.exists() or processes_in(folder):
            clear(folder)


if __name__ == "__main__":
    _watch()
