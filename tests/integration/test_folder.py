"""Reading a real folder: nothing is followed, nothing but a regular file is opened, and nothing others do raises."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from qbwatch.edges.folder import File, Folder, Found, Passed, Unreadable, look_at, open_regular, scan

NOBODY = 65534


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder of an ordinary user, and we act as that user: root may read everything, so root can't try this."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody who may not read everything")
    with tempfile.TemporaryDirectory() as name:
        os.chown(name, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            yield Path(name)
        finally:
            os.seteuid(0)


def files(found: Iterator[Found]) -> set[bytes]:
    return {each.path for each in found if isinstance(each, File)}


def passed(found: Iterator[Found]) -> dict[bytes, str]:
    return {each.path: each.rule for each in found if isinstance(each, Passed)}


def unreadable(found: Iterator[Found]) -> dict[bytes, str | None]:
    return {each.path: each.error.strerror for each in found if isinstance(each, Unreadable)}


def test_a_scan_finds_files_in_subfolders_too(tmp_path: Path) -> None:
    (tmp_path / "2024" / "01").mkdir(parents=True)
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "2024" / "01" / "b.csv").write_text("x")
    assert files(scan(tmp_path)) == {b"a.csv", b"2024/01/b.csv"}


def test_a_scan_tells_which_folders_it_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    folders = {each.path: each.inode for each in scan(tmp_path) if isinstance(each, Folder)}
    assert folders == {b"": tmp_path.stat().st_ino, b"sub": (tmp_path / "sub").stat().st_ino}


def test_a_look_holds_what_the_system_says(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("12345")
    status = path.stat()
    look = look_at(tmp_path, b"a.csv")
    assert look is not None
    assert (look.size, look.mtime_ns, look.inode) == (5, status.st_mtime_ns, status.st_ino)
    assert [each.look for each in scan(tmp_path) if isinstance(each, File)] == [look]


def test_a_missing_file_has_no_look(tmp_path: Path) -> None:
    assert look_at(tmp_path, b"a.csv") is None
    assert look_at(tmp_path / "missing", b"a.csv") is None


@pytest.mark.parametrize(
    "name",
    [b"caf\xe9.csv", b"a\nb.csv", b"a\tb.csv", b"\x1b[31mred.csv", b"trailing .csv ", b"-rf.csv", b"n" * 251 + b".csv"],
)
def test_any_name_that_the_system_takes_is_found_and_opened_by_its_bytes(tmp_path: Path, name: bytes) -> None:
    with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
        file.write(b"x")
    assert files(scan(tmp_path)) == {name}
    assert look_at(tmp_path, name) is not None
    descriptor = open_regular(name, tmp_path)
    assert os.read(descriptor, 9) == b"x"
    os.close(descriptor)


def test_a_path_longer_than_the_system_takes_in_one_call_is_found(tmp_path: Path) -> None:
    parts = [b"d" * 250] * 20
    descriptor = os.open(tmp_path, os.O_RDONLY)
    for part in parts:
        os.mkdir(part, dir_fd=descriptor)
        inner = os.open(part, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(os.open("a.csv", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)
    deep = b"/".join([*parts, b"a.csv"])
    assert files(scan(tmp_path)) == {deep}
    assert look_at(tmp_path, deep) is not None


def test_a_symbolic_link_is_passed_by_whatever_it_points_to(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("secret")
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "passwd.csv").symlink_to("/etc/passwd")
    (watched / "dangling.csv").symlink_to("/nowhere")
    (watched / "folder").symlink_to(outside)
    (watched / "loop").symlink_to(watched)
    assert files(scan(watched)) == set()
    assert set(passed(scan(watched)).values()) == {"symbolic link"}
    for path in (b"passwd.csv", b"dangling.csv", b"folder/secret.csv", b"loop/passwd.csv"):
        assert look_at(watched, path) is None
        with pytest.raises(OSError, match=r"symbolic|symlink|Too many levels|Not a directory"):
            open_regular(path, watched)


def test_no_path_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("secret")
    watched = tmp_path / "watched"
    watched.mkdir()
    assert look_at(watched, b"../secret.csv") is None
    with pytest.raises(OSError, match="leads out"):
        open_regular(b"../secret.csv", watched)


def test_the_watched_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.csv").write_text("x")
    (tmp_path / "input").symlink_to(tmp_path / "real")
    assert files(scan(tmp_path / "input")) == {b"a.csv"}


def test_what_is_no_regular_file_is_passed_by_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.csv"))
    assert passed(scan(tmp_path)) == {b"pipe.csv": "not a regular file", b"socket.csv": "not a regular file"}
    for name in (b"pipe.csv", b"socket.csv"):
        with pytest.raises(OSError, match="regular"):  # a FIFO that were opened would block here
            open_regular(name, tmp_path)


def test_hidden_and_cache_folders_are_not_entered(tmp_path: Path) -> None:
    for folder in (".dropbox.cache", "@eaDir", "archive", "2024"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text("x")
    assert files(scan(tmp_path, ("archive",))) == {b"2024/a.csv"}
    assert set(passed(scan(tmp_path, ("archive",)))) == {b".dropbox.cache", b"@eaDir", b"archive"}


def test_a_missing_folder_is_an_answer(tmp_path: Path) -> None:
    assert unreadable(scan(tmp_path / "missing")) == {b"": "No such file or directory"}


def test_a_file_in_place_of_the_folder_is_an_answer(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("x")
    assert unreadable(scan(tmp_path / "input")) == {b"": "Not a directory"}


def test_a_folder_that_vanishes_during_the_scan_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    found = scan(tmp_path)
    assert next(found) == Folder(b"", tmp_path.stat().st_dev, tmp_path.stat().st_ino)
    (tmp_path / "sub").rmdir()
    assert list(found) == []


def test_an_unreadable_subfolder_is_reported_and_the_rest_is_found(as_nobody: Path) -> None:
    (as_nobody / "a.csv").write_text("x")
    (as_nobody / "closed").mkdir(mode=0o000)
    (as_nobody / "listed").mkdir()
    (as_nobody / "listed" / "b.csv").write_text("x")
    (as_nobody / "listed").chmod(0o444)  # its names can be read, its files can't be looked at
    assert files(scan(as_nobody)) == {b"a.csv"}
    assert unreadable(scan(as_nobody)) == {b"closed": "Permission denied", b"listed": "Permission denied"}


def test_an_unreadable_folder_is_an_answer(as_nobody: Path) -> None:
    as_nobody.chmod(0o000)
    assert unreadable(scan(as_nobody)) == {b"": "Permission denied"}


def test_reading_leaves_no_descriptor_open(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "link.csv").symlink_to("/etc/passwd")
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        list(scan(tmp_path))
        look_at(tmp_path, b"sub/link.csv")
        look_at(tmp_path, b"sub/missing/a.csv")
    assert os.listdir("/proc/self/fd") == before
