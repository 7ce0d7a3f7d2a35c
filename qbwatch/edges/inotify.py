"""What the kernel says about our inotify watches: which folders it watches for us, and what its limits are.

watchdog doesn't tell when a subfolder could not be watched, nor that a watch went away; ``/proc`` lists every watch of
the process by inode, so the claim "this folder is watched" can be checked instead of believed.
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from qbwatch.core.model import QbwatchError

_LIMITS = Path("/proc/sys/fs/inotify")
_OWN_LIMITS = Path("/proc/sys/user")
_WATCH = re.compile(r"^inotify wd:\S+ ino:([0-9a-f]+) ", re.MULTILINE)


class WatchError(QbwatchError):
    """The kernel won't watch the folder; polling still finds every file."""


def watched_inodes() -> frozenset[int] | None:
    """Inode numbers that this process watches by inotify; None where ``/proc`` doesn't tell."""
    found: set[int] = set()
    try:
        names = os.listdir("/proc/self/fd")
        for name in names:
            if _is_inotify(name):
                found.update(int(inode, 16) for inode in _WATCH.findall(Path(f"/proc/self/fdinfo/{name}").read_text()))
    except OSError:
        return None
    return frozenset(found)


def _is_inotify(descriptor: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}") == "anon_inode:inotify"
    except OSError:
        return False  # closed meanwhile


def refusal(error: OSError) -> WatchError:
    """The reason in words that lead to the cure: the kernel says "no space left" for a limit that is a setting."""
    if error.errno == errno.ENOSPC:
        return limit_reached("max_user_watches", "one for each subfolder of every program of this user")
    if error.errno == errno.EMFILE:
        return limit_reached("max_user_instances", "one for each program of this user that watches anything")
    return WatchError(f"the folder can't be watched: {error.strerror or error}", "Files are found by polling.")


def limit_reached(name: str, need: str) -> WatchError:
    """``name`` is the last part of the sysctl, ``need`` says what uses it up.

    In a container (a user namespace) a lower limit of its own may bind: then that one is named.
    """
    setting, value = f"fs.inotify.{name}", _value(_LIMITS / name)
    own = name.replace("max_user", "max_inotify")
    if (within := _value(_OWN_LIMITS / own)) is not None and (value is None or within < value):
        setting, value = f"user.{own}", within
    raised = max((value or 0) * 4, 1024)
    return WatchError(
        f"the kernel's limit {setting} = {'unknown' if value is None else value} is used up ({need}); "
        "files are found by polling",
        f"Raise it: sysctl -w {setting}={raised}, and put the line in /etc/sysctl.d/ to keep it.",
    )


def _value(setting: Path) -> int | None:
    try:
        return int(setting.read_text())
    except (OSError, ValueError):
        return None
