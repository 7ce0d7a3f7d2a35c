"""The watch on a real folder with real events; every wait is for a notice, with a deadline."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import wait_until

from qbwatch.core.model import QbwatchError
from qbwatch.edges.folder_watch import FolderWatch, Notice, OverflowCount
from qbwatch.edges.inotify import refusal, watched_inodes

Notices = queue.SimpleQueue[Notice]


@pytest.fixture
def notices() -> Notices:
    return queue.SimpleQueue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "input"
    folder.mkdir()
    return folder


@pytest.fixture
def watch(folder: Path, notices: Notices) -> Iterator[FolderWatch]:
    watch = FolderWatch("input", folder, notices.put)
    watch.start()
    yield watch
    watch.stop()


def heard_of(notices: Notices, path: bytes | None, timeout: float = 5) -> list[Notice]:
    """All notices up to the first one of ``path``."""
    heard: list[Notice] = []
    while not heard or heard[-1].path != path:
        heard.append(notices.get(timeout=timeout))
    return heard


def heard_until_marker(notices: Notices, folder: Path) -> list[Notice]:
    """All notices that come before those of a file that is made now."""
    (folder / "marker.csv").touch()
    return heard_of(notices, b"marker.csv")[:-1]


def test_a_created_file_is_noticed_and_again_when_it_is_closed(
    watch: FolderWatch, folder: Path, notices: Notices
) -> None:
    with (folder / "a.csv").open("w") as file:
        file.write("x")
        assert heard_of(notices, b"a.csv") == [Notice("input", b"a.csv")]
    assert heard_of(notices, b"a.csv") == [Notice("input", b"a.csv")]


def test_a_file_moved_in_from_elsewhere_is_noticed_as_renamed(
    watch: FolderWatch, folder: Path, tmp_path: Path, notices: Notices
) -> None:
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "a.csv").rename(folder / "a.csv")
    assert heard_of(notices, b"a.csv") == [Notice("input", b"a.csv", renamed=True)]


def test_a_file_renamed_inside_is_noticed_by_its_new_name(watch: FolderWatch, folder: Path, notices: Notices) -> None:
    (folder / ".a.csv.tmp").write_text("x")
    heard_of(notices, b".a.csv.tmp")
    (folder / ".a.csv.tmp").rename(folder / "a.csv")
    assert heard_of(notices, b"a.csv")[-1] == Notice("input", b"a.csv", renamed=True)


def test_a_file_that_replaces_another_is_noticed(
    watch: FolderWatch, folder: Path, tmp_path: Path, notices: Notices
) -> None:
    (folder / "a.csv").write_text("old")
    heard_until_marker(notices, folder)
    (tmp_path / "new").write_text("new")
    os.replace(tmp_path / "new", folder / "a.csv")
    assert heard_of(notices, b"a.csv")[-1].renamed


def test_a_hard_link_is_noticed(watch: FolderWatch, folder: Path, tmp_path: Path, notices: Notices) -> None:
    (tmp_path / "a.csv").write_text("x")
    os.link(tmp_path / "a.csv", folder / "a.csv")
    assert heard_of(notices, b"a.csv") == [Notice("input", b"a.csv")]


def test_reading_and_changing_attributes_are_not_noticed(watch: FolderWatch, folder: Path, notices: Notices) -> None:
    path = folder / "a.csv"
    path.write_text("x")
    heard_until_marker(notices, folder)
    path.read_text()
    path.chmod(0o600)
    os.utime(path, (0, 0))
    list(os.scandir(folder))
    (folder / "marker2.csv").touch()
    heard = heard_of(notices, b"marker2.csv")
    assert b"a.csv" not in {notice.path for notice in heard}


@pytest.mark.parametrize("name", [b"caf\xe9.csv", b"a\nb.csv", b"\x1b[31m.csv", b"n" * 255])
def test_a_name_is_told_by_its_exact_bytes(watch: FolderWatch, folder: Path, notices: Notices, name: bytes) -> None:
    with open(os.path.join(os.fsencode(folder), name), "wb"):
        pass
    assert heard_of(notices, name)


def test_a_new_subfolder_asks_for_a_scan_and_is_watched(watch: FolderWatch, folder: Path, notices: Notices) -> None:
    (folder / "2024" / "01").mkdir(parents=True)
    heard_of(notices, None)
    wait_until(lambda: not watch.misses({(folder / "2024" / "01").stat().st_ino}))
    (folder / "2024" / "01" / "a.csv").write_text("x")
    assert heard_of(notices, b"2024/01/a.csv")


def test_a_folder_moved_in_as_a_whole_asks_for_a_scan(
    watch: FolderWatch, folder: Path, tmp_path: Path, notices: Notices
) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.csv").write_text("x")
    (tmp_path / "tree").rename(folder / "tree")
    assert heard_of(notices, None)


def test_a_folder_that_is_reached_by_a_link_is_watched(folder: Path, tmp_path: Path, notices: Notices) -> None:
    (tmp_path / "link").symlink_to(folder)
    watch = FolderWatch("input", tmp_path / "link", notices.put)
    watch.start()
    try:
        (folder / "a.csv").touch()
        assert heard_of(notices, b"a.csv")
        assert watch.is_alive()
    finally:
        watch.stop()


def test_a_watch_is_alive_until_it_is_stopped(watch: FolderWatch) -> None:
    assert watch.is_alive()
    watch.stop()
    assert not watch.is_alive()


def test_a_watch_whose_folder_was_removed_and_made_again_is_not_alive(watch: FolderWatch, folder: Path) -> None:
    folder.rmdir()
    folder.mkdir()
    # The new folder may have the number of the old one; then the watch learns from the kernel alone, a moment later.
    wait_until(lambda: not watch.is_alive(), 10, "the watch to be dead")


def test_a_watch_whose_folder_was_renamed_away_and_made_again_is_not_alive(watch: FolderWatch, folder: Path) -> None:
    folder.rename(folder.with_name("input.old"))
    folder.mkdir()
    assert not watch.is_alive()


def test_a_watch_one_of_whose_threads_ended_is_not_alive(watch: FolderWatch) -> None:
    for thread in threading.enumerate():
        if type(thread).__name__ == "InotifyFD":
            thread.stop()  # type: ignore[attr-defined]
            thread.join()
    assert not watch.is_alive()


def test_a_stopped_watch_can_be_started_again_and_leaves_nothing_open(
    watch: FolderWatch, folder: Path, notices: Notices
) -> None:
    folder.rename(folder.with_name("input.old"))
    folder.mkdir()
    watch.start()
    before = (len(os.listdir("/proc/self/fd")), threading.active_count())
    for _ in range(3):
        watch.start()
    assert watch.is_alive()
    wait_until(lambda: (len(os.listdir("/proc/self/fd")), threading.active_count()) <= before)
    (folder / "a.csv").touch()
    assert heard_of(notices, b"a.csv")


def test_a_missing_folder_cannot_be_watched(tmp_path: Path, notices: Notices) -> None:
    with pytest.raises(FileNotFoundError):
        FolderWatch("input", tmp_path / "missing", notices.put).start()


def test_the_kernel_tells_which_folders_are_watched(watch: FolderWatch, folder: Path, tmp_path: Path) -> None:
    inodes = {folder.stat().st_ino, tmp_path.stat().st_ino}
    assert watch.misses(inodes) == {tmp_path.stat().st_ino}
    watch.stop()
    assert folder.stat().st_ino not in (watched_inodes() or ())


def test_a_dropped_event_is_counted_and_asks_for_a_scan() -> None:
    asked: list[bool] = []
    overflows = OverflowCount(lambda: asked.append(True))
    overflows.attach()
    logger = logging.getLogger("watchdog.observers.inotify_c")
    try:
        logger.warning("Inotify queue overflowed; filesystem events were lost")
        logger.warning("something else")
        assert (overflows.count, asked) == (1, [True])
    finally:
        overflows.detach()
    logger.warning("Inotify queue overflowed; filesystem events were lost")
    assert overflows.count == 1


def test_a_real_overflow_of_the_kernels_queue_is_heard(watch: FolderWatch, folder: Path) -> None:
    queue_holds = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    overflowed = threading.Event()
    overflows = OverflowCount(overflowed.set)
    overflows.attach()
    reader = next(thread for thread in threading.enumerate() if type(thread).__name__ == "InotifyFD")
    try:
        with reader._lock:  # type: ignore[attr-defined]  # watchdog reads no further, as on a busy machine
            for number in range(queue_holds // 2 + 2000):  # two events each
                (folder / f"{number}.csv").touch()
        assert overflowed.wait(20)
        assert watch.is_alive()
    finally:
        overflows.detach()


@pytest.mark.parametrize(
    ("error", "setting"), [(28, "fs.inotify.max_user_watches"), (24, "fs.inotify.max_user_instances")]
)
def test_a_limit_of_the_kernel_is_named_with_its_cure_and_not_taken_for_a_full_disk(error: int, setting: str) -> None:
    refused = refusal(OSError(error, os.strerror(error)))
    assert isinstance(refused, QbwatchError)
    assert setting in refused.message
    assert f"sysctl -w {setting}=" in refused.hint
    assert "space" not in refused.message


def test_another_refusal_keeps_the_systems_words() -> None:
    assert "Permission denied" in refusal(OSError(13, "Permission denied")).message
