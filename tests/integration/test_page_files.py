"""The page and the receipts on a real disk: whole or not at all, readable by all, and foreign files are left alone."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from qbwatch.core.ignored import ignored_by
from qbwatch.edges import page_files
from qbwatch.edges.page_files import ForeignFile, sync_receipts, write_page
from qbwatch.page.receipts import MARK

SIGN = "<sign>"
ONE = {"NOT LOADED a.csv.txt": f"a\n{MARK}"}


def test_a_reader_sees_one_page_or_the_other(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    pages = [SIGN + letter * 300_000 for letter in "ab"]
    write_page(file, pages[0], SIGN)
    done = threading.Event()
    seen: set[str] = set()

    def read() -> None:
        while not done.is_set():
            seen.add(file.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        write_page(file, pages[number % 2], SIGN)
    done.set()
    reader.join()
    assert seen <= set(pages)
    assert os.listdir(tmp_path) == ["page.html"]


def test_the_page_can_be_read_by_the_sync_client(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_page(tmp_path / "page.html", SIGN, SIGN)
    finally:
        os.umask(before)
    assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o644


def test_what_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".~page.html.tmp").symlink_to(victim)
    write_page(tmp_path / "page.html", SIGN, SIGN)
    assert victim.read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == ["page.html", "victim"]


def test_the_file_in_the_making_is_one_that_the_intake_ignores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    rename = os.replace

    def spy(source: Path, target: Path) -> None:
        made.append(Path(source).name)
        rename(source, target)

    monkeypatch.setattr(page_files.os, "replace", spy)
    write_page(tmp_path / "page.html", SIGN, SIGN)
    sync_receipts(tmp_path, ONE)
    assert len(made) == 2
    assert all(ignored_by(name, ()) for name in made)


def test_somebody_elses_page_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    file.write_text("<html>mine</html>")
    with pytest.raises(ForeignFile, match=r"is no page of qbwatch's"):
        write_page(file, SIGN, SIGN)
    assert file.read_text() == "<html>mine</html>"


def test_an_empty_file_may_become_the_page(tmp_path: Path) -> None:
    (tmp_path / "page.html").touch()
    write_page(tmp_path / "page.html", SIGN, SIGN)
    assert (tmp_path / "page.html").read_text() == SIGN


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "page.html"
    link.symlink_to(tmp_path / "there" / "real.html")
    write_page(link, SIGN, SIGN)
    assert link.is_symlink()
    assert (tmp_path / "there" / "real.html").read_text() == SIGN


def test_a_missing_folder_is_an_error_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_page(tmp_path / "gone" / "page.html", SIGN, SIGN)
    assert os.listdir(tmp_path) == []


def test_a_failed_write_leaves_the_old_page_and_nothing_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_page(tmp_path / "page.html", SIGN + "old", SIGN)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_page(tmp_path / "page.html", SIGN + "new", SIGN)
    assert (tmp_path / "page.html").read_text() == SIGN + "old"
    assert os.listdir(tmp_path) == ["page.html"]


def test_receipts_come_change_and_go(tmp_path: Path) -> None:
    sync_receipts(tmp_path, ONE)
    assert (tmp_path / "NOT LOADED a.csv.txt").read_text() == f"a\n{MARK}"
    sync_receipts(tmp_path, {"NOT LOADED a.csv.txt": f"aa\n{MARK}", "NOT LOADED b.csv.txt": f"b\n{MARK}"})
    assert (tmp_path / "NOT LOADED a.csv.txt").read_text() == f"aa\n{MARK}"
    sync_receipts(tmp_path, {})
    assert os.listdir(tmp_path) == []


def test_files_of_others_are_neither_replaced_nor_removed(tmp_path: Path) -> None:
    taken, own_note = tmp_path / "NOT LOADED a.csv.txt", tmp_path / "NOT LOADED list.txt"
    taken.write_text("my own note")
    own_note.write_bytes(b"\xff\xfe not even text")
    (tmp_path / "NOT LOADED folder.txt").mkdir()
    (tmp_path / "Invoice.csv").write_text("an export")
    wanted = {**ONE, "NOT LOADED b.csv.txt": f"b\n{MARK}"}
    with pytest.raises(ForeignFile, match=r"NOT LOADED a\.csv\.txt is no receipt"):
        sync_receipts(tmp_path, wanted)
    assert taken.read_text() == "my own note"
    assert (tmp_path / "NOT LOADED b.csv.txt").exists()
    sync_receipts(tmp_path, {})
    assert sorted(os.listdir(tmp_path)) == [
        "Invoice.csv", "NOT LOADED a.csv.txt", "NOT LOADED folder.txt", "NOT LOADED list.txt",
    ]  # fmt: skip
