"""A folder under watch, whatever happens to it."""

from __future__ import annotations

import os
import queue
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from waiting import wait_until

from qbwatch.core.intake_state import Watcher
from qbwatch.edges import watched_folder
from qbwatch.edges.folder_watch import Notice
from qbwatch.edges.watched_folder import WatchedFolder

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)
Notices = queue.SimpleQueue[Notice]


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "input"
    directory.mkdir()
    return directory


@pytest.fixture
def notices() -> Notices:
    return queue.SimpleQueue()


@pytest.fixture
def folder(directory: Path, notices: Notices) -> Iterator[WatchedFolder]:
    folder = WatchedFolder("input", directory, Watcher.AUTO, notices.put)
    yield folder
    folder.stop()


def codes(folder: WatchedFolder) -> set[str]:
    return {problem.code for problem in folder.problems}


def paths(folder: WatchedFolder, at: datetime = NOON) -> set[bytes]:
    return {found.path for found in folder.scan((), at)}


def test_a_folder_is_watched_first_and_then_to_be_scanned(
    folder: WatchedFolder, directory: Path, notices: Notices
) -> None:
    assert folder.tend(NOON)
    (directory / "a.csv").touch()
    assert notices.get(timeout=5).path == b"a.csv"
    assert paths(folder) == {b"a.csv"}
    assert (folder.is_polled, folder.is_alive, folder.problems) == (False, True, ())


def test_a_folder_that_is_well_needs_no_scan(folder: WatchedFolder) -> None:
    folder.tend(NOON)
    assert not folder.tend(after(1))
    assert folder.scan_again_after(FIVE_MINUTES) == FIVE_MINUTES


def test_a_missing_folder_is_a_problem_until_it_is_there(
    folder: WatchedFolder, directory: Path, notices: Notices
) -> None:
    directory.rmdir()
    assert not folder.tend(NOON)
    assert not folder.tend(after(1))
    assert codes(folder) == {"folder_missing"}
    assert folder.problems[0].since == NOON
    assert str(directory) in folder.problems[0].summary
    assert not folder.is_alive
    directory.mkdir()
    assert folder.tend(after(2))
    assert folder.problems == ()
    assert folder.is_alive
    (directory / "a.csv").touch()
    assert notices.get(timeout=5).path == b"a.csv"


@pytest.mark.parametrize("how", ["removed", "renamed away"])
def test_a_replaced_folder_is_watched_anew(folder: WatchedFolder, directory: Path, notices: Notices, how: str) -> None:
    folder.tend(NOON)
    if how == "removed":
        directory.rmdir()
    else:
        directory.rename(directory.with_name("input.old"))
    directory.mkdir()
    # A new folder may get the old one's inode: then only the watch's thread knows, a moment later, that it is another.
    assert wait_until(lambda: folder.tend(after(2)), what="the replacement to be noticed")
    (directory / "a.csv").touch()
    assert wait_until(lambda: notices.get(timeout=5).path == b"a.csv")


def test_a_retargeted_link_is_watched_anew(tmp_path: Path, notices: Notices) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "one")
    folder = WatchedFolder("input", link, Watcher.AUTO, notices.put)
    try:
        folder.tend(NOON)
        link.unlink()
        link.symlink_to(tmp_path / "two")
        assert folder.tend(after(2))
        (tmp_path / "two" / "a.csv").touch()
        assert notices.get(timeout=5).path == b"a.csv"
    finally:
        folder.stop()


def test_a_folder_without_a_watch_is_scanned_often(directory: Path, notices: Notices) -> None:
    folder = WatchedFolder("input", directory, Watcher.POLLING, notices.put)
    assert folder.tend(NOON)
    assert not folder.tend(after(1))
    assert (folder.is_polled, folder.is_alive) == (True, True)
    assert folder.scan_again_after(FIVE_MINUTES) == timedelta(seconds=5)
    assert folder.scan_again_after(timedelta(seconds=1)) == timedelta(seconds=1)


def test_a_folder_on_a_remote_disk_is_polled_unless_told_otherwise(
    directory: Path, notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_folder, "remote_mount", lambda directory: "cifs")
    folder = WatchedFolder("input", directory, Watcher.AUTO, notices.put)
    assert folder.tend(NOON)
    assert (folder.is_polled, folder.is_alive, folder.leases_tell) == (True, True, False)
    forced = WatchedFolder("input", directory, Watcher.INOTIFY, notices.put)
    forced.tend(NOON)
    assert (forced.is_polled, forced.leases_tell) == (False, False)
    forced.stop()


def test_a_folder_the_kernel_refuses_to_watch_is_polled_and_tried_again(
    folder: WatchedFolder, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise OSError(24, "inotify instance limit reached")

    with monkeypatch.context() as patched:
        patched.setattr("watchdog.observers.inotify_c.InotifyFD._create_inotify_fd", refused)
        assert folder.tend(NOON)
        assert (folder.is_polled, folder.is_alive) == (True, True)
        assert "fs.inotify.max_user_instances" in folder.problems[0].summary
    assert not folder.tend(after(59))
    assert folder.tend(after(60))
    assert (folder.is_polled, folder.is_alive, folder.problems) == (False, True, ())


def test_subfolders_that_are_left_unwatched_are_noticed_and_polled(
    folder: WatchedFolder, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "sub").mkdir()
    with monkeypatch.context() as patched:
        unwatched = {(directory / "sub").stat().st_ino}
        patched.setattr("qbwatch.edges.folder_watch.FolderWatch.misses", lambda self, inodes: inodes & unwatched)
        folder.tend(NOON)
        paths(folder)
        assert folder.problems == ()  # it may have been made a moment ago: a new watch is tried first
        assert folder.tend(after(1))
        paths(folder, after(1))
        assert codes(folder) == {"watch_refused"}
        assert "fs.inotify.max_user_watches" in folder.problems[0].summary
        assert folder.is_polled
        folder.tend(after(2))
    paths(folder, after(3))
    assert (folder.is_polled, folder.problems) == (False, ())


@pytest.fixture
def nobodys_folder(notices: Notices) -> Iterator[tuple[WatchedFolder, Path]]:
    """A folder of an ordinary user, and we act as that user."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody who may not read everything")
    directory = Path(tempfile.mkdtemp())
    os.chown(directory, 65534, 65534)
    folder = WatchedFolder("input", directory, Watcher.AUTO, notices.put)
    os.seteuid(65534)
    try:
        yield folder, directory
    finally:
        folder.stop()
        os.seteuid(0)
        shutil.rmtree(directory)


def test_an_unreadable_folder_is_a_problem_until_it_is_readable(nobodys_folder: tuple[WatchedFolder, Path]) -> None:
    folder, directory = nobodys_folder
    directory.chmod(0o000)
    assert not folder.tend(NOON)
    assert codes(folder) == {"folder_unreadable"}
    assert paths(folder) == set()
    assert "setfacl" in folder.problems[0].hint
    assert not folder.is_alive
    assert not folder.tend(after(1))
    assert folder.scan_again_after(FIVE_MINUTES) == timedelta(seconds=5)
    directory.chmod(0o700)
    assert folder.tend(after(2))
    paths(folder, after(2))
    assert (folder.problems, folder.is_alive) == ((), True)
    for mode in (0o400, 0o100):  # it may be listed or searched, and not both
        directory.chmod(mode)
        assert not folder.tend(after(3))
        assert (codes(folder), folder.is_alive) == ({"folder_unreadable"}, False)


def test_an_unreadable_subfolder_is_a_problem_and_watched_once_it_is_readable(
    nobodys_folder: tuple[WatchedFolder, Path], notices: Notices
) -> None:
    folder, directory = nobodys_folder
    closed = directory / "closed"
    closed.mkdir(mode=0o000)
    folder.tend(NOON)
    paths(folder)
    assert [(problem.code, problem.file) for problem in folder.problems] == [("subfolder_unreadable", "closed")]
    assert folder.is_alive
    closed.chmod(0o700)
    (closed / "a.csv").write_text("x")
    assert paths(folder, after(300)) == {b"closed/a.csv"}
    assert folder.problems == ()
    assert folder.tend(after(301))  # the watch begins anew, so as to hold the subfolder too
    (closed / "b.csv").write_text("x")
    assert notices.get(timeout=5).path == b"closed/b.csv"
