"""A clock that a test may set, for one process and what it starts: the machine's own is left alone.

libfaketime would be the ready-made way, but the one that Debian 12 ships fails every sleep of Python 3.11.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

_SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long none, *offset = &none; /* seconds */

__attribute__((constructor)) static void begin(void) {
    int file = open(getenv("FALSE_CLOCK"), O_RDONLY | O_CLOEXEC);
    void *found = mmap(NULL, sizeof none, PROT_READ, MAP_SHARED, file, 0);
    if (found == MAP_FAILED) abort();
    offset = found;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    int result = syscall(SYS_clock_gettime, clock, at);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += *offset;
    return result;
}

int gettimeofday(struct timeval *at, void *zone) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    at->tv_sec = exact.tv_sec;
    at->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (at) *at = exact.tv_sec;
    return exact.tv_sec;
}
"""


@dataclass(frozen=True, slots=True)
class FalseClock:
    """The time of day is off by what the file says; the clock that only goes forward and the times of files aren't."""

    file: Path
    library: Path

    def environ(self) -> dict[str, str]:
        """What makes a process live by it."""
        return {"LD_PRELOAD": str(self.library), "FALSE_CLOCK": str(self.file)}

    def set_off_by(self, offset: timedelta) -> None:
        """Set the clock, at once and for all processes."""
        with self.file.open("r+b", buffering=0) as file:  # in place: they have it mapped
            file.write(struct.pack("=q", round(offset.total_seconds())))


def false_clock(folder: Path) -> FalseClock:
    """A clock that is right so far; skips where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler: apt-get install gcc libc6-dev")
    source, clock = folder / "clock.c", FalseClock(folder / "clock", folder / "clock.so")
    source.write_text(_SOURCE, "ascii")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(clock.library), str(source)], check=True)
    clock.file.write_bytes(bytes(8))
    return clock
