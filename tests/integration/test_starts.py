"""Files that come just as the watch begins: none falls between the first scan and the first event."""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from running_intake import MemoryLedger, prepared
from waiting import wait_until

STARTS = 200
FOLDERS = 6
FILES_EACH = 35
HEADER = b"Date,Num\n"
SOON = timedelta(milliseconds=5)
NEVER = timedelta(hours=12)  # no later scan comes to the rescue of what the start missed


@pytest.mark.timeout(600)
def test_in_two_hundred_starts_no_file_falls_between_the_scan_and_the_watch(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    ledger, chance = MemoryLedger(), random.Random(8)
    expected: set[bytes] = set()
    for number in range(STARTS):
        while_down, meanwhile = f"{number}-down.csv", f"{number}-meanwhile.csv"
        (tmp_path / "input" / while_down).write_bytes(HEADER)
        run = prepared(tmp_path, ledger=ledger, settle_for=SOON, doubt_for=SOON, rescan_every=NEVER)
        # Starting takes some ten milliseconds: the file comes before, during and after the scan.
        writing = threading.Thread(target=drop_after, args=(chance.uniform(0, 0.04), tmp_path / "input" / meanwhile))
        writing.start()
        run.thread.start()
        try:
            expected.update((while_down.encode(), meanwhile.encode()))
            wait_until(lambda: expected <= ledger.known_paths, 20, f"the files of start {number}")
        finally:
            writing.join()
            run.stop.set()
            run.intake.wake()
            run.thread.join(10)
        assert not run.thread.is_alive()
    assert ledger.paths == dict.fromkeys(expected, 1)


def test_files_that_come_while_a_folder_is_watched_anew_are_all_taken(tmp_path: Path) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    chance = random.Random(8)
    run = prepared(tmp_path, settle_for=SOON, doubt_for=SOON, rescan_every=NEVER)
    run.thread.start()
    try:
        wait_until(run.intake.is_quiet, what="the first scan")
        expected: set[bytes] = set()
        for number in range(FOLDERS):
            folder.rename(tmp_path / f"input.{number}")
            if number % 2:
                wait_until(lambda: "folder_missing" in run.problems(), what="its absence to be noticed")
            folder.mkdir()
            for each in range(FILES_EACH):  # for a little more than the tick within which the new folder is noticed
                name = f"{number}-{each}.csv"
                drop_after(chance.uniform(0, 0.08), folder / name)
                expected.add(name.encode())
            wait_until(lambda: expected <= run.ledger.known_paths, 20, f"the files of folder {number}")
        assert run.ledger.paths == dict.fromkeys(expected, 1)
    finally:
        run.stop.set()
        run.intake.wake()
        run.thread.join(10)


def drop_after(seconds: float, path: Path) -> None:
    """A file that comes at some moment or other."""
    time.sleep(seconds)
    path.write_bytes(HEADER)
