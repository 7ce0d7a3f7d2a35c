"""Large files are read in a child: out of the daemon, no longer than it is wanted, and it may die at any time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from exports import INVOICE, csv_bytes, invoices
from small_exports import Office
from waiting import wait_until

from qbwatch.edges import lane_reader, staging
from qbwatch.edges.lane_reader import READER, LaneReader

NAME = "Invoice_04_04_2025_2_00_03.csv"
MANY = {f"{number:X}-17": [("p", "1.00"), ("q", "2.50")] for number in range(6000)}
PREPARE = """
import sys, time
from qbwatch.edges.lane_reader import READER
READER.prepare()
print(READER.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _by_the_plain_lane(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of any size, and with a reader of its own."""
    READER.end()
    for name in ("LARGE", "_SMALL"):
        monkeypatch.setattr(staging, name, 0)
    yield
    READER.end()


class Death:
    """Is asked whether to stop, and kills the reader when it is asked for the n-th time; or each time from then on."""

    def __init__(self, after: int, *, again: bool = False) -> None:
        self.killed: set[int] = set()
        self._left, self._again = after, again

    def __call__(self) -> bool:
        self._left -= 1
        pid = READER.pid
        if pid is not None and (self._left == 0 or (self._left < 0 and self._again)):
            os.kill(pid, signal.SIGKILL)
            self.killed.add(pid)
        return False


def is_loaded(office: Office) -> bool:
    return office.states() == [(NAME, "loaded")] and len(office.lines()) == sum(map(len, MANY.values()))


def test_a_large_file_is_loaded_without_arrow_in_this_process(office: Office) -> None:
    office.drop(NAME, invoices(MANY))
    office.work()
    assert is_loaded(office)
    assert READER.is_warm
    assert "libarrow" in Path(f"/proc/{READER.pid}/maps").read_text()
    assert "libarrow" not in Path("/proc/self/maps").read_text()


@pytest.mark.parametrize("after", [1, 2, 3, 4, 6, 8, 9, 10])
def test_when_the_reader_is_killed_another_one_reads_the_file(office: Office, after: int) -> None:
    office.drop(NAME, invoices(MANY))
    office.stopping = death = Death(after)
    office.work()
    assert is_loaded(office)
    assert READER.pid not in death.killed


def test_a_file_that_kills_each_reader_is_read_with_care(office: Office) -> None:
    office.drop(NAME, invoices(MANY))
    office.stopping = death = Death(1, again=True)
    office.work()
    assert is_loaded(office)
    assert len(death.killed) == 2


def test_a_reader_that_says_nothing_is_ended(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    READER.prepare()
    pid = READER.pid
    assert pid is not None
    monkeypatch.setattr(lane_reader, "_SILENT_AT_MOST", 5.0)
    os.kill(pid, signal.SIGSTOP)
    office.drop(NAME, invoices(MANY))
    office.work()
    assert is_loaded(office)
    assert not is_alive(pid)


def test_a_reader_that_can_not_be_started_is_done_without(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError("no process is left")

    monkeypatch.setattr(lane_reader.subprocess, "Popen", refuse)
    READER.prepare()
    office.drop(NAME, invoices(MANY))
    office.work()
    assert is_loaded(office)
    assert not READER.is_warm


def test_a_stop_ends_the_reading_and_its_reader(office: Office) -> None:
    office.drop(NAME, invoices(MANY))
    asked: list[int | None] = []

    def stopping() -> bool:
        asked.append(READER.pid)
        return READER.is_warm

    office.stopping = stopping
    office.work()
    assert office.states() == [(NAME, "pending")]
    assert office.lines() == []
    assert not READER.is_warm


def test_one_reader_serves_file_after_file_whatever_they_hold(office: Office) -> None:
    READER.prepare()
    pid = READER.pid
    few, torn = invoices({"A": [("p", "1")]}), invoices({"B": [("p", "1")]}) + b"B,1\r\n"
    for day, data in enumerate((invoices(MANY), torn, few, csv_bytes(INVOICE), invoices(MANY)), start=1):
        office.drop(f"Invoice_04_{day:02}_2025_2_00_03.csv", data)
        office.work()
    assert READER.pid == pid
    assert len(office.lines()) == 12001


def test_a_damaged_copy_is_told_as_such(office: Office) -> None:
    office.drop(NAME, invoices(MANY))
    [copy] = (office.root / "vault").glob("??/??/*.zst")
    whole = copy.read_bytes()
    copy.chmod(0o600)
    copy.write_bytes(whole[: len(whole) // 2] + b"x" + whole[len(whole) // 2 + 1 :])
    office.work()
    assert office.query("SELECT state, failure_code FROM qbwatch.work_items") == [("quarantined", "vault_copy_damaged")]
    assert office.lines() == []


def test_an_idle_reader_leaves_and_leaves_nothing_behind() -> None:
    reader = LaneReader(idle_seconds=0.1)
    reader.prepare()
    pid = reader.pid
    assert pid is not None
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), 15, "the idle reader to leave")
    wait_until(lambda: not reader.is_warm, 5, "its end to be known")


def test_a_reader_is_prepared_while_another_thread_reads(office: Office) -> None:
    office.drop(NAME, invoices(MANY))
    prepared: list[bool] = []

    def preparing() -> bool:
        if READER.is_warm and not prepared:
            thread = threading.Thread(target=READER.prepare)
            thread.start()
            thread.join(timeout=5)
            prepared.append(not thread.is_alive())
        return False

    office.stopping = preparing
    office.work()
    assert prepared == [True]
    assert is_loaded(office)


def test_a_reader_dies_with_the_process_that_started_it() -> None:
    with subprocess.Popen([sys.executable, "-c", PREPARE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert is_alive(pid)
        process.kill()
    wait_until(lambda: not is_alive(pid), 10, "the reader to be gone")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
