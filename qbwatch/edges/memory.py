"""How the process holds its memory: the C library keeps what a large load needed, unless it is told otherwise.

glibc gives every thread that allocates while others do a heap of its own, and returns the top of a heap only. A daemon
that loads for a minute and idles for a day would sit on its peak. Where the C library isn't glibc, nothing happens.
"""

from __future__ import annotations

import ctypes
import gc

_ARENA_MAX = -8  # M_ARENA_MAX of mallopt(3)
_ARENAS = 2


def share_heaps() -> None:
    """Have all threads share two heaps. For the start, before there are threads."""
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return what is free to the system. Takes some 30 ms; for the moment after large work."""
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
