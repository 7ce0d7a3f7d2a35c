"""A clock that a test may set, for one process and what it starts: the machine's own is left alone.

A process may also be put in a ``hurry``: where one of Python's threads waits for ten seconds or more (for an event, or
a lock), that lasts a fraction only. Whatever it does, and shorter waits, take the time that they take.

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
#include <dlfcn.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long none, *offset = &none; /* seconds */
static long long hurry = 1;
static int (*wait_until)(sem_t *, clockid_t, const struct timespec *);

#define SECOND 1000000000LL

__attribute__((constructor)) static void begin(void) {
    const char *told = getenv("FALSE_CLOCK_HURRY");
    if (told && atoll(told) > 1) hurry = atoll(told);
    wait_until = (int (*)(sem_t *, clockid_t, const struct timespec *))dlsym(RTLD_NEXT, "sem_clockwait");
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

int sem_clockwait(sem_t *lock, clockid_t clock, const struct timespec *until) {
    struct timespec now, sooner;
    clock_gettime(clock, &now);
    long long left = (until->tv_sec - now.tv_sec) * SECOND + until->tv_nsec - now.tv_nsec;
    if (hurry == 1 || left < 10 * SECOND) return wait_until(lock, clock, until);
    left = now.tv_nsec + left / hurry;
    sooner.tv_sec = now.tv_sec + left / SECOND;
    sooner.tv_nsec = left % SECOND;
    return wait_until(lock, clock, &sooner);
}
"""


@dataclass(frozen=True, slots=True)
class FalseClock:
    """The time of day is off by what the file says; the clock that only goes forward and the times of files aren't."""

    file: Path
    library: Path
    hurry: int = 1

    def environ(self) -> dict[str, str]:
        """What makes a process live by it."""
        return {
            "LD_PRELOAD": str(self.library),
            "FALSE_CLOCK": str(self.file),
            "FALSE_CLOCK_HURRY": str(self.hurry),
        }

    def set_off_by(self, offset: timedelta) -> None:
        """Set the clock, at once and for all processes."""
        with self.file.open("r+b", buffering=0) as file:  # in place: they have it mapped
            file.write(struct.pack("=q", round(offset.total_seconds())))


def false_clock(folder: Path, hurry: int = 1) -> FalseClock:
    """A clock that is right so far; long waits last so many times less. Skips where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler: apt-get install gcc libc6-dev")
    source, clock = folder / "clock.c", FalseClock(folder / "clock", folder / "clock.so", hurry)
    source.write_text(_SOURCE, "ascii")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(clock.library), str(source)], check=True)
    clock.file.write_bytes(bytes(8))
    return clock
