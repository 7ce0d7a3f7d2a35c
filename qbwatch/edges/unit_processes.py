"""The processes of this machine as systemd tells them, for a service from which the table of processes is hidden.

``ProtectProc=invisible`` keeps other users' processes, and all that stands in their environments and files, out of
reach; which programs run is then still answered by systemd's own ``GetUnitProcesses`` (org.freedesktop.systemd1(5)),
which everybody may ask.
"""

from __future__ import annotations

import json
import shlex
import subprocess

_SLICES = ("user.slice", "system.slice")  # what people run, and what the system does
_ASK_WITHIN = 3.0  # seconds
_QUESTION = (
    "busctl", "--json=short", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
    "org.freedesktop.systemd1.Manager", "GetUnitProcesses", "s",
)  # fmt: skip


def commands_of_units() -> tuple[list[list[str]], bool]:
    """The command lines of all processes, as words, and whether these are all: False where systemd can't be asked."""
    found: list[list[str]] = []
    is_whole = True
    for name in _SLICES:
        said = _ask(name)
        is_whole = is_whole and said is not None
        found += [_words(line) for line in said or []]
    return [words for words in found if words], is_whole


def _ask(name: str) -> list[str] | None:
    try:
        done = subprocess.run(
            [*_QUESTION, name], capture_output=True, timeout=_ASK_WITHIN, check=False, stdin=subprocess.DEVNULL
        )
        (processes,) = json.loads(done.stdout)["data"]
        return [str(command) for _, _, command in processes]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # systemd cuts what is long, perhaps within quotes
        return line.split()
