"""How a child process of ours lives: no longer than the thread that started it, and within limits of its own."""

from __future__ import annotations

import os
import resource
import sys

PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")
"""Names of the environment that a child is given."""


def environment(**more: str) -> dict[str, str]:
    """What a child is given of our environment, and what else it is told."""
    return {**{name: os.environ[name] for name in PASSED_ON if name in os.environ}, **more}


def tie_to(parent: int) -> None:
    """End with the thread that started us; the parent is compared in case it died before the request."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
    if os.getppid() != parent:
        os._exit(1)


def limit(what: int, most: int) -> None:
    """A limit of our own; where a sandbox forbids to set any, its limits must do."""
    try:
        resource.setrlimit(what, (most, resource.getrlimit(what)[1]))
    except (OSError, ValueError):
        return
