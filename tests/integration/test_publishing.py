"""The thread of the page: it writes what changed, tells what is in its way, and is in nobody's."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import page_samples as firm
import pytest
from ledger_rows import file_seen, item_of
from page_samples import AT, IDLE, ZONE
from sqlalchemy import Engine, text
from waiting import wait_until

from qbwatch import publishing
from qbwatch.core.facts import Json
from qbwatch.edges.page_files import write_page
from qbwatch.edges.postgres import engine_for
from qbwatch.publishing import Publisher, Publishing


@dataclass
class Stand:
    """A publisher whose status, clock and folder the test holds."""

    folder: Path
    engine: Engine | None = None
    said: Json = field(default_factory=firm.status)
    at: datetime = AT
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        settings = Publishing(self.file, ZONE, "analytics_mart", receipts=True, tick=0.05, pause=0.01, grace=0.0)
        self.publisher = Publisher(settings, lambda: self.said, lambda: self.engine, self.stop, lambda: self.at)

    @property
    def file(self) -> Path:
        return self.folder / "status.html"

    def look(self) -> int:
        """One look in the thread's own way; the inode of the page, which is another after each write."""
        self.publisher._guarded(self.publisher.look)
        return self.file.stat().st_ino if self.file.exists() else 0


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


def test_it_writes_when_the_answer_changes_and_only_then(stand: Stand) -> None:
    first = stand.look()
    stand.at += timedelta(minutes=5)
    stand.said = {**firm.status(daemon=replace(IDLE, pid=9)), "as_of": stand.at.isoformat()}
    assert stand.look() == first
    stand.said = firm.broken_status()
    assert stand.look() != first
    assert "Not right" in stand.file.read_text()


def test_a_page_that_stays_the_same_is_written_again_in_time(stand: Stand) -> None:
    first = stand.look()
    stand.at += timedelta(hours=5, minutes=59)
    assert stand.look() == first
    stand.at += timedelta(minutes=1)
    assert stand.look() != first
    assert "Wed, Nov 25, 2026, 15:30</time>" in stand.file.read_text()


def test_a_clock_that_was_set_back_is_no_reason_to_wait(stand: Stand) -> None:
    first = stand.look()
    stand.at -= timedelta(days=300)
    assert stand.look() != first


def test_a_page_that_somebody_removed_comes_back(stand: Stand) -> None:
    stand.look()
    stand.file.unlink()
    assert stand.look()


def test_a_missing_folder_is_one_problem_until_it_is_there(tmp_path: Path) -> None:
    stand = Stand(tmp_path / "later")
    stand.look()
    problem = stand.publisher.problem()
    assert problem is not None
    assert problem.summary == "the status page can't be written: no such file or directory"
    assert problem.hint.startswith("create that folder")
    stand.at += timedelta(minutes=1)
    stand.look()
    again = stand.publisher.problem()
    assert again is not None
    assert again.since == AT
    stand.folder.mkdir()
    assert stand.look()
    assert stand.publisher.problem() is None


def test_a_foreign_file_in_its_place_is_told(stand: Stand) -> None:
    stand.file.write_text("<html>mine</html>")
    stand.look()
    problem = stand.publisher.problem()
    assert problem is not None
    assert "is no page of qbwatch's" in problem.summary
    assert stand.file.read_text() == "<html>mine</html>"


@pytest.mark.parametrize(
    ("number", "kind", "told"),
    [(28, "infrastructure", "free space"), (13, "configuration", "ReadWritePaths="), (30, "configuration", "right to")],
)
def test_each_fault_of_the_folder_says_what_mends_it(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, number: int, kind: str, told: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(publishing, "write_page", fail)
    stand.look()
    problem = stand.publisher.problem()
    assert problem is not None
    assert problem.failure_class == kind
    assert told in problem.hint


def test_a_folder_that_hangs_is_told_and_keeps_nobody(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(publishing, "write_page", lambda *_: released.wait(30))
    monkeypatch.setattr(publishing, "_HANGS_AFTER", 0.1)
    monkeypatch.setattr(publishing, "_LAST_WORD", 0.2)
    stand.publisher.start()
    try:
        problem = wait_until(stand.publisher.problem, what="the hanging folder to be told")
        assert "its folder has not answered" in problem.summary
        stand.stop.set()
        began = time.monotonic()
        stand.publisher.end()
        assert time.monotonic() - began < 5
    finally:
        released.set()


def test_a_bug_costs_the_page_and_not_the_thread(stand: Stand) -> None:
    stand.said = {"answered_by": "daemon"}
    stand.publisher.start()
    wait_until(lambda: stand.publisher._is_failing, what="the fault")
    stand.said = firm.status()
    wait_until(stand.file.exists, what="the page after the fault")
    stand.stop.set()
    stand.publisher.end()


def test_the_last_word_is_that_it_stopped(stand: Stand) -> None:
    stand.publisher.start()
    wait_until(stand.file.exists, what="the page")
    stand.stop.set()
    stand.publisher.end()
    page = stand.file.read_text()
    assert "qbwatch was stopped" in page
    assert "When it stopped: Current and right." in page


def test_a_start_that_finds_no_database_yet_writes_nothing(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    stand.publisher.settings = replace(stand.publisher.settings, grace=30.0)
    asked: list[int] = []
    stand.publisher.status = _counting(asked, firm.status())
    stand.publisher.start()
    stand.publisher.wake()
    wait_until(lambda: not stand.publisher._woken.is_set(), what="the thread to come round")
    assert not stand.file.exists()
    assert asked == []
    stand.stop.set()
    stand.publisher.end()
    assert "qbwatch was stopped" in stand.file.read_text()


def _counting(asked: list[int], said: Json) -> Callable[[], Json]:
    def status() -> Json:
        asked.append(1)
        return said

    return status


def test_receipts_come_with_refused_files_and_go_with_them(stand: Stand, database_url: str) -> None:
    stand.engine = engine_for(database_url)
    with stand.engine.begin() as connection:
        file = file_seen(connection, "Invoice.csv")
        item_of(connection, file, "quarantined", "quickbooks.invoices", code="empty_file", reason="empty")
    stand.look()
    receipt = stand.folder / "NOT LOADED Invoice.csv.txt"
    assert "Export Invoices again." in receipt.read_text()
    assert "Invoices: the file is empty" in stand.file.read_text()
    unrelated = receipt.stat().st_ino
    stand.look()
    assert receipt.stat().st_ino == unrelated, "nothing changed, so nothing was written"
    with stand.engine.begin() as connection:
        connection.execute(text("UPDATE qbwatch.work_items SET state = 'skipped'"))
    stand.look()
    assert not receipt.exists()


def test_receipts_stay_while_postgres_is_away(stand: Stand) -> None:
    (stand.folder / "NOT LOADED x.csv.txt").write_text("x\n" + publishing.receipts([firm.REFUSED], ZONE).popitem()[1])
    stand.said = {**firm.status(), "answered_by": "cache"}
    stand.look()
    stand.at += timedelta(minutes=1)
    assert stand.look()
    assert (stand.folder / "NOT LOADED x.csv.txt").exists()


def test_a_postgres_that_is_busy_for_a_moment_is_not_told_as_gone(stand: Stand) -> None:
    first = stand.look()
    stand.said = {**firm.status(), "answered_by": "cache"}
    stand.at += timedelta(minutes=1)
    assert stand.look() == first
    assert stand.publisher._woken.is_set(), "it is asked again soon"
    stand.at += timedelta(seconds=29)
    assert stand.look() == first
    stand.at += timedelta(seconds=1)
    assert stand.look() != first
    assert "the database is out of reach" in stand.file.read_text()
    stand.said = firm.status()
    stand.look()
    assert "Current and right" in stand.file.read_text()


def test_a_page_of_an_earlier_start_is_taken_over(stand: Stand) -> None:
    write_page(stand.file, publishing.GENERATOR + "old", publishing.GENERATOR)
    stand.look()
    assert "Current and right" in stand.file.read_text()
