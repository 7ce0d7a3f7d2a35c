"""A clock that a test may set, for one process and what it starts: the machine's own is left alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

_LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
)


@dataclass(frozen=True, slots=True)
class FalseClock:
    """The time of day is off by what the file says; the clock that only goes forward and the times of files aren't."""

    file: Path
    library: str

    def environ(self) -> dict[str, str]:
        """What makes a process live by it."""
        return {
            "LD_PRELOAD": self.library,
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set_off_by(self, offset: timedelta) -> None:
        """Set the clock, at once and for all threads."""
        unfinished = self.file.with_suffix(".new")
        unfinished.write_text(f"{offset.total_seconds():+.0f}\n", "ascii")
        os.replace(unfinished, self.file)


def false_clock(folder: Path) -> FalseClock:
    """A clock that is right so far; skips where the library (Debian: faketime) isn't there."""
    library = next((name for name in _LIBRARIES if Path(name).is_file()), None)
    if library is None:
        pytest.skip("needs libfaketime: apt-get install faketime")
    clock = FalseClock(folder / "clock", library)
    clock.set_off_by(timedelta(0))
    return clock
