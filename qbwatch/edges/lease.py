"""Is somebody writing this file right now? The kernel knows, and a lease is the way to ask it.

A read lease on a read-only descriptor is refused with EAGAIN while any process has the file open for writing. It is
given back at once: we want the answer, not the lease. In that instant somebody may open the file for writing; the
kernel then tells the holder with SIGIO, whose default is to end the process. So the descriptor is first set to send
SIGURG instead, which is ignored by default in every thread of every program.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qbwatch.edges.folder import open_regular


def has_writer(path: bytes, beneath: Path | None = None) -> bool | None:
    """True when any process has the file open for writing, False when none has, None when the kernel can't say.

    It can't where the file isn't ours (and we lack CAP_LEASE), where the file system knows no leases, or when there is
    no such regular file. Never blocks and never opens anything but a regular file. ``path`` and ``beneath`` are as in
    ``open_regular``. On a remote file system the answer can be wrong: see ``mounts``.
    """
    try:
        descriptor = open_regular(path, beneath)
    except OSError:
        return None
    try:
        with read_lease(descriptor):
            return False
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)


@contextmanager
def read_lease(descriptor: int) -> Iterator[None]:
    """Hold a read lease on a read-only descriptor. Raises BlockingIOError when the file is open for writing."""
    fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    try:
        yield
    finally:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
