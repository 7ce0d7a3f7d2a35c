"""The intake when something is wrong: with a file, a name, the ledger, the vault, or the intake itself."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from running_intake import MemoryLedger, NotNow, RunningIntake, prepared, running
from waiting import wait_until
from watchdog.events import FileSystemEvent

from qbwatch.edges import vault as vault_module
from qbwatch.edges.folder_watch import _Handler
from qbwatch.edges.watched_folder import WatchedFolder
from qbwatch.intake import Admission, Arrival

HEADER = b"Date,Num\n"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunningIntake]:
    with running(tmp_path) as run:
        yield run


NAMES = [b"caf\xe9.csv", b"a\nb.csv", b"a\tb.csv", b"o'brien.csv", b"100%s.csv", b"{x}.csv", b"[x].csv", b"-rf.csv",
         b"\x1b[31mred.csv", b"trailing.csv ", b"n" * 251 + b".csv", b"partial.csv", b"Invoices (1).csv"]  # fmt: skip


def test_every_name_the_system_takes_comes_in_by_its_exact_bytes(run: RunningIntake) -> None:
    for name in NAMES:
        with open(os.path.join(os.fsencode(run.directory), name), "wb") as file:
            file.write(name)
    for arrival in run.admitted(*NAMES):
        assert run.content(arrival) == arrival.path
    run.rests()
    assert run.ledger.paths == dict.fromkeys(NAMES, 1)


def test_ignored_files_are_counted_by_rule_as_long_as_they_are_there(run: RunningIntake) -> None:
    for name in ("~$a.xlsx", ".~lock.a.csv#", "a.csv.part", "notes.pdf", "draft.csv.tmp"):
        (run.directory / name).write_bytes(HEADER)
    expected = {"office lock file": 2, "browser download": 1, "not an export": 1, "temporary file": 1}
    wait_until(lambda: run.intake.state().ignored == expected)
    (run.directory / "~$a.xlsx").unlink()
    wait_until(lambda: run.intake.state().ignored["office lock file"] == 1)
    assert run.ledger.paths == {}


def test_a_pattern_of_the_configuration_keeps_a_file_out(tmp_path: Path) -> None:
    with running(tmp_path, ignore=("draft*",)) as run:
        (run.directory / "Draft.csv").write_bytes(HEADER)
        wait_until(lambda: run.intake.state().ignored == {"pattern draft*": 1})


def test_a_conflicted_copy_is_held_and_both_files_are_named(run: RunningIntake) -> None:
    (run.directory / "Invoices.csv").write_bytes(HEADER)
    (run.directory / "Invoices (HOST's conflicted copy 2024-01-31).csv").write_bytes(HEADER)
    run.admitted(b"Invoices.csv")
    wait_until(lambda: "conflicted_copy" in run.problems())
    [problem] = run.intake.state().problems
    assert "Invoices (HOST's conflicted copy 2024-01-31).csv is a conflicted copy of Invoices.csv" in problem.summary
    (run.directory / "Invoices (HOST's conflicted copy 2024-01-31).csv").unlink()
    wait_until(lambda: not run.problems())
    assert run.ledger.paths == {b"Invoices.csv": 1}


def test_links_and_pipes_are_neither_read_nor_waited_for(run: RunningIntake, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.csv").write_bytes(b"secret")
    (run.directory / "passwd.csv").symlink_to("/etc/passwd")
    (run.directory / "folder").symlink_to(tmp_path / "outside")
    (run.directory / "loop").symlink_to(run.directory)
    os.mkfifo(run.directory / "pipe.csv")
    (run.directory / "a.csv").write_bytes(HEADER)
    run.admitted(b"a.csv")
    wait_until(lambda: run.intake.state().ignored == {"symbolic link": 3, "not a regular file": 1})
    assert run.ledger.paths == {b"a.csv": 1}
    assert run.intake.is_quiet()


def test_an_empty_file_that_gets_its_content_comes_in_once_with_it(run: RunningIntake) -> None:
    (run.directory / "a.csv").touch()
    wait_until(lambda: run.intake.state().settling)
    assert run.ledger.arrivals == []
    (run.directory / "a.csv").write_bytes(HEADER)
    [arrival] = run.admitted(b"a.csv")
    assert run.content(arrival) == HEADER
    assert not arrival.patience_over


def test_a_file_that_stays_empty_comes_in_as_it_is(run: RunningIntake) -> None:
    (run.directory / "a.csv").touch()
    [arrival] = run.admitted(b"a.csv")
    assert (arrival.size_bytes, arrival.patience_over) == (0, True)
    run.rests()
    assert run.ledger.paths == {b"a.csv": 1}


def doubt_half_rows(run: RunningIntake) -> Callable[[Arrival], Admission]:
    """A ledger that doubts a file without a newline at its end."""

    def answer(arrival: Arrival) -> Admission:
        whole = run.content(arrival).endswith(b"\n") or arrival.patience_over
        return Admission.ADMITTED if whole else Admission.DOUBTED

    return answer


def test_a_doubted_file_that_grows_comes_in_whole(tmp_path: Path) -> None:
    with running(tmp_path, doubt_for=timedelta(hours=1)) as run:
        doubted = threading.Event()
        answer = doubt_half_rows(run)

        def told(arrival: Arrival) -> Admission:
            admission = answer(arrival)
            if admission is Admission.DOUBTED:
                doubted.set()
            return admission

        run.ledger.answer = told
        (run.directory / "a.csv").write_bytes(HEADER + b"1,")
        assert doubted.wait(10)
        wait_until(run.intake.is_quiet)  # a doubted file keeps nobody waiting
        with (run.directory / "a.csv").open("ab") as file:
            file.write(b"2\n")
        [arrival] = run.admitted(b"a.csv")
        assert run.content(arrival) == HEADER + b"1,2\n"
        assert not arrival.patience_over


def test_a_doubted_file_that_stays_so_comes_in_as_it_is(run: RunningIntake) -> None:
    run.ledger.answer = doubt_half_rows(run)
    (run.directory / "a.csv").write_bytes(HEADER + b"1,")
    [arrival] = run.admitted(b"a.csv")
    assert arrival.patience_over


def test_nothing_is_lost_while_the_ledger_cannot_be_reached(run: RunningIntake) -> None:
    reachable = threading.Event()

    def answer(arrival: Arrival) -> Admission:
        if not reachable.is_set():
            raise NotNow("connection refused")
        return Admission.ADMITTED

    run.ledger.answer = answer
    (run.directory / "a.csv").write_bytes(HEADER)
    wait_until(lambda: "intake_waits" in run.problems())
    (run.directory / "b.csv").write_bytes(HEADER)
    [problem] = run.intake.state().problems
    assert "connection refused" in problem.summary
    reachable.set()
    run.admitted(b"a.csv", b"b.csv")
    wait_until(lambda: not run.problems())
    run.rests()
    assert run.ledger.paths == {b"a.csv": 1, b"b.csv": 1}


class UnreachableAtFirst(MemoryLedger):
    """Fails the first questions whether a file is known."""

    failures = 2

    def is_known(self, root: str, path: bytes, look: object) -> bool:
        if self.failures:
            self.failures -= 1
            raise NotNow("starting up")
        return super().is_known(root, path, look)  # type: ignore[arg-type]


def test_a_scan_that_could_not_ask_the_ledger_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "a.csv").write_bytes(HEADER)
    with running(tmp_path, ledger=UnreachableAtFirst(), rescan_every=timedelta(hours=1)) as run:
        run.admitted(b"a.csv")


def test_one_file_that_always_fails_for_the_moment_does_not_hold_up_the_others(run: RunningIntake) -> None:
    def answer(arrival: Arrival) -> Admission:
        if arrival.path == b"0.csv":
            raise NotNow("deadlock")
        return Admission.ADMITTED

    run.ledger.answer = answer
    (run.directory / "0.csv").write_bytes(HEADER)
    wait_until(lambda: "intake_waits" in run.problems())
    for number in range(1, 20):
        (run.directory / f"{number}.csv").write_bytes(HEADER)
    run.admitted(*(b"%d.csv" % number for number in range(1, 20)), timeout=20)
    wait_until(run.intake.is_quiet)  # so a batch of the others may start
    assert [path for _, path, _ in run.intake.state().settling] == [b"0.csv"]


def test_a_full_disk_of_the_vault_is_waited_out(run: RunningIntake, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr(vault_module, "fsync_folder", full)
        (run.directory / "a.csv").write_bytes(HEADER)
        wait_until(lambda: "disk_full" in run.problems())
        [problem] = run.intake.state().problems
        assert "no space left" in problem.summary
        assert "Free space" in problem.hint
    run.admitted(b"a.csv")


def test_a_bug_ends_the_thread_and_the_state_says_that_nothing_is_watched(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    run = prepared(tmp_path)

    def answer(arrival: Arrival) -> Admission:
        raise ZeroDivisionError

    run.ledger.answer = answer
    run.thread.start()
    (tmp_path / "input" / "a.csv").write_bytes(HEADER)
    run.thread.join(10)
    assert not run.thread.is_alive()
    assert not run.intake.state().watch_alive
    assert not run.intake.is_quiet()


def test_stopping_ends_every_thread_and_closes_every_descriptor(tmp_path: Path) -> None:
    before = (threading.active_count(), len(os.listdir("/proc/self/fd")))
    with running(tmp_path) as run:
        (run.directory / "a.csv").write_bytes(HEADER)
        run.admitted(b"a.csv")
    wait_until(lambda: (threading.active_count(), len(os.listdir("/proc/self/fd"))) <= before)


def test_it_beats_while_it_idles_and_idling_costs_next_to_nothing(tmp_path: Path) -> None:
    with running(tmp_path, rescan_every=timedelta(hours=1)) as run:
        beats, used, began = run.beats, time.process_time(), time.monotonic()
        wait_until(lambda: run.beats >= beats + 3)
        assert time.monotonic() - began > 1.5  # no faster than a tick a second
        # The waiting test itself asks a hundred times a second: that is most of what is measured here.
        assert time.process_time() - used < 0.3


def test_a_missing_folder_does_not_make_it_spin(tmp_path: Path) -> None:
    run = prepared(tmp_path)
    run.thread.start()
    try:
        wait_until(lambda: "folder_missing" in run.problems())
        beats, began = run.beats, time.monotonic()
        wait_until(lambda: run.beats >= beats + 3)
        assert time.monotonic() - began > 1.5
    finally:
        run.stop.set()
        run.intake.wake()
        run.thread.join(10)


def test_a_watch_that_dies_is_replaced(run: RunningIntake) -> None:
    for thread in threading.enumerate():
        if type(thread).__name__ == "InotifyFD":
            thread.stop()  # type: ignore[attr-defined]
    (run.directory / "a.csv").write_bytes(HEADER)
    run.admitted(b"a.csv")
    wait_until(lambda: run.intake.state().watch_alive)


@pytest.mark.parametrize("fault", [UnicodeDecodeError("utf-8", b"\xe9", 0, 1, "bad"), OSError(5, "I/O error")])
def test_an_error_in_the_handler_of_events_ends_neither_the_watch_nor_the_intake(
    run: RunningIntake, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    failed = threading.Event()
    put = _Handler.on_any_event

    def failing(self: _Handler, event: FileSystemEvent) -> None:
        if not failed.is_set():
            failed.set()
            raise fault
        put(self, event)

    monkeypatch.setattr(_Handler, "on_any_event", failing)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # the thread that dies of it is what is wanted here
    (run.directory / "a.csv").write_bytes(HEADER)
    assert failed.wait(10)
    run.admitted(b"a.csv")
    (run.directory / "b.csv").write_bytes(HEADER)
    run.admitted(b"b.csv")
    wait_until(lambda: run.intake.state().watch_alive, what="the watch to be begun anew")
    run.rests()
    assert run.ledger.paths == {b"a.csv": 1, b"b.csv": 1}


@pytest.fixture
def nobodys() -> Iterator[Path]:
    """A folder of an ordinary user, and we act as that user."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody who may not read everything")
    directory = Path(tempfile.mkdtemp())
    os.chown(directory, 65534, 65534)
    os.seteuid(65534)
    try:
        yield directory
    finally:
        os.seteuid(0)
        shutil.rmtree(directory)


def test_a_file_that_may_not_be_read_is_a_problem_until_it_may(nobodys: Path) -> None:
    with running(nobodys) as run:
        (run.directory / "a.csv").write_bytes(HEADER)
        (run.directory / "a.csv").chmod(0o000)
        wait_until(lambda: "file_unreadable" in run.problems())
        (run.directory / "a.csv").chmod(0o600)
        run.admitted(b"a.csv")
        wait_until(lambda: not run.problems())


def test_a_subfolder_that_may_not_be_entered_is_named_from_the_start_and_read_once_it_may_be(nobodys: Path) -> None:
    closed = nobodys / "input" / "2024"
    closed.mkdir(parents=True)
    (closed / "a.csv").write_bytes(HEADER)
    closed.chmod(0o000)
    with running(nobodys) as run:
        wait_until(lambda: run.problems() == {"subfolder_unreadable"})
        [problem] = run.intake.state().problems
        assert (problem.file, "setfacl" in problem.hint) == ("2024", True)
        (run.directory / "b.csv").write_bytes(HEADER)
        run.admitted(b"b.csv")
        closed.chmod(0o755)
        run.admitted(b"2024/a.csv")
        wait_until(lambda: not run.problems() and run.intake.state().watch_alive)
        assert run.ledger.paths == {b"2024/a.csv": 1, b"b.csv": 1}


def test_a_folder_that_may_not_be_read_counts_as_not_watched_from_the_start_until_it_may_be(nobodys: Path) -> None:
    folder = nobodys / "input"
    folder.mkdir()
    (folder / "a.csv").write_bytes(HEADER)
    folder.chmod(0o000)
    run = prepared(nobodys, rescan_every=timedelta(hours=1))
    run.thread.start()
    try:
        wait_until(lambda: run.problems() == {"folder_unreadable"})
        assert not run.intake.state().watch_alive
        folder.chmod(0o755)
        run.admitted(b"a.csv")
        wait_until(lambda: not run.problems() and run.intake.state().watch_alive)
        (folder / "b.csv").write_bytes(HEADER)
        run.admitted(b"b.csv")
        folder.chmod(0o000)
        wait_until(lambda: run.problems() == {"folder_unreadable"} and not run.intake.state().watch_alive)
        folder.chmod(0o755)
        (folder / "c.csv").write_bytes(HEADER)
        run.admitted(b"c.csv")
        wait_until(lambda: not run.problems() and run.intake.state().watch_alive)
    finally:
        run.stop.set()
        run.intake.wake()
        run.thread.join(10)


def test_a_storm_of_new_folders_does_not_cause_a_storm_of_scans(
    run: RunningIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans = 0
    scan = WatchedFolder.scan

    def counted(self: WatchedFolder, *arguments: object) -> object:
        nonlocal scans
        scans += 1
        return scan(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(WatchedFolder, "scan", counted)
    began = time.monotonic()
    for number in range(200):
        (run.directory / str(number)).mkdir()
        (run.directory / str(number) / "a.csv").write_bytes(HEADER)
    run.admitted(*(b"%d/a.csv" % number for number in range(200)), timeout=30)
    assert scans <= 3 + (time.monotonic() - began) / 0.4
    run.rests()
    assert set(run.ledger.paths.values()) == {1}
