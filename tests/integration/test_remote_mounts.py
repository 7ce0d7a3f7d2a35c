"""A folder on a real mount that raises no events: what is put there by others is found all the same."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from running_intake import running
from waiting import wait_until

from qbwatch.core.intake_state import Watcher

HEADER = b"Date,Num\n"


@pytest.fixture
def cloud(tmp_path: Path) -> Path:
    """What the other machine sees of the mount: whatever is written there raises no event here."""
    folder = tmp_path / "cloud"
    folder.mkdir()
    return folder


@contextmanager
def mounted(cloud: Path, point: Path) -> Iterator[None]:
    """``cloud`` is mounted at ``point`` by rclone, through FUSE; skips where that can't be done."""
    rclone = shutil.which("rclone")
    if rclone is None or not (shutil.which("fusermount3") or shutil.which("fusermount")):
        pytest.skip("needs rclone and fusermount3 (Debian: rclone, fuse3)")
    if not os.access("/dev/fuse", os.W_OK):
        pytest.skip("needs /dev/fuse, and root")
    point.mkdir(parents=True, exist_ok=True)
    options = (
        "--config",
        os.devnull,
        "--vfs-cache-mode",
        "writes",
        "--dir-cache-time",
        "100ms",
        "--poll-interval",
        "0",
    )
    log = cloud.parent / "mount.log"
    with log.open("wb") as output:
        process = subprocess.Popen([rclone, "mount", *options, str(cloud), str(point)], stdout=output, stderr=output)
    try:
        wait_until(lambda: os.path.ismount(point) or process.poll() is not None, 20, "the mount")
        if not os.path.ismount(point):
            pytest.skip(f"nothing can be mounted here: {log.read_text().strip()[-200:]}")
        yield
    finally:
        subprocess.run(["umount", "-l", point], capture_output=True, check=False)
        process.terminate()
        process.wait(20)


def test_a_folder_that_is_such_a_mount_is_polled_and_the_state_says_why(tmp_path: Path, cloud: Path) -> None:
    with mounted(cloud, tmp_path / "input"), running(tmp_path) as run:
        assert run.intake.state().watcher is Watcher.POLLING
        assert run.intake.state().polled_because == "fuse.rclone: changes made elsewhere raise no events"
        assert run.intake.state().watch_alive
        (cloud / "a.csv").write_bytes(HEADER)
        (cloud / "2024").mkdir()
        (cloud / "2024" / "b.csv").write_bytes(HEADER)
        arrivals = run.admitted(b"a.csv", b"2024/b.csv", timeout=20)
        assert {run.content(arrival) for arrival in arrivals} == {HEADER}
        (run.directory / "c.csv").write_bytes(HEADER)  # by this machine, through the mount
        run.admitted(b"c.csv", timeout=20)
        run.rests()
        assert run.ledger.paths == dict.fromkeys((b"a.csv", b"2024/b.csv", b"c.csv"), 1)


def test_a_mount_below_an_ordinary_folder_makes_the_whole_be_polled_as_long_as_it_is_there(
    tmp_path: Path, cloud: Path
) -> None:
    with running(tmp_path) as run:
        assert run.intake.state().watcher is Watcher.INOTIFY
        with mounted(cloud, tmp_path / "input" / "branch"):
            wait_until(lambda: run.intake.state().polled_because, what="the mount to be noticed")
            (cloud / "a.csv").write_bytes(HEADER)
            (run.directory / "b.csv").write_bytes(HEADER)
            run.admitted(b"branch/a.csv", b"b.csv", timeout=20)
        wait_until(lambda: run.intake.state().watcher is Watcher.INOTIFY, what="the mount's end to be noticed")
        (run.directory / "c.csv").write_bytes(HEADER)
        run.admitted(b"c.csv")
        wait_until(lambda: run.problems() == set() and run.intake.state().watch_alive)


def test_a_watch_that_was_ordered_for_such_a_mount_is_found_deaf_by_what_happens(tmp_path: Path, cloud: Path) -> None:
    with (
        mounted(cloud, tmp_path / "input"),
        running(tmp_path, watcher=Watcher.INOTIFY, settle_for=timedelta(seconds=0.1)) as run,
    ):
        assert run.intake.state().watcher is Watcher.INOTIFY
        for number in range(20):
            (cloud / f"{number}.csv").write_bytes(HEADER)
            run.admitted(f"{number}.csv".encode(), timeout=20)
            if "watch_deaf" in run.problems():
                break
            run.rests()
        wait_until(lambda: "watch_deaf" in run.problems(), what="the deafness to be noticed")
        assert run.intake.state().polled_because == "events don't arrive"
