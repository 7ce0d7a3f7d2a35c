"""The intake on real folders: how files come in, and that each is admitted once and whole."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from running_intake import RunningIntake, prepared, running
from waiting import wait_until

from qbwatch.core.intake_state import Watcher
from qbwatch.edges import lease

HEADER = b"Date,Num\n"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunningIntake]:
    with running(tmp_path) as run:
        yield run


def test_a_dropped_file_is_admitted_once_with_all_that_is_known_of_it(run: RunningIntake) -> None:
    before_at = datetime.now(UTC)
    (run.directory / "a.csv").write_bytes(HEADER)
    [arrival] = run.admitted(b"a.csv")
    assert (arrival.root, arrival.path, arrival.size_bytes) == ("input", b"a.csv", len(HEADER))
    assert arrival.look.inode == (run.directory / "a.csv").stat().st_ino
    assert run.content(arrival) == HEADER
    second = timedelta(seconds=1)
    assert before_at - second <= arrival.first_seen_at <= arrival.settled_at <= datetime.now(UTC) + second
    assert not arrival.patience_over
    run.rests()
    assert run.ledger.paths == {b"a.csv": 1}


def test_files_that_were_there_before_are_admitted(tmp_path: Path) -> None:
    (tmp_path / "input" / "2024").mkdir(parents=True)
    old = tmp_path / "input" / "2024" / "old.csv"
    old.write_bytes(HEADER)
    os.utime(old, (1_546_300_800, 1_546_300_800))
    with running(tmp_path) as run:
        run.admitted(b"2024/old.csv")


def test_a_known_file_is_not_read_again(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        (first.directory / "a.csv").write_bytes(HEADER)
        first.admitted(b"a.csv")
    with running(tmp_path, ledger=first.ledger) as second:
        (second.directory / "b.csv").write_bytes(HEADER)
        second.admitted(b"b.csv")
        assert second.ledger.paths == {b"a.csv": 1, b"b.csv": 1}


def test_files_that_come_while_it_starts_are_admitted_once(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    names = [f"{number}.csv" for number in range(100)]
    writing = threading.Thread(target=lambda: [(tmp_path / "input" / name).write_bytes(HEADER) for name in names])
    writing.start()
    with running(tmp_path) as run:
        writing.join()
        run.admitted(*(name.encode() for name in names))
        run.rests()
        assert set(run.ledger.paths.values()) == {1}


def test_a_writer_that_keeps_the_file_open_is_waited_for(run: RunningIntake) -> None:
    with (run.directory / "slow.csv").open("wb") as file:
        file.write(HEADER)
        file.flush()
        (run.directory / "other.csv").write_bytes(HEADER)
        run.admitted(b"other.csv")
        assert run.ledger.paths == {b"other.csv": 1}
        assert [path for _, path, _ in run.intake.state().settling] == [b"slow.csv"]
        file.write(b"1,2\n")
    [arrival] = run.admitted(b"slow.csv")
    assert run.content(arrival) == HEADER + b"1,2\n"


def test_a_writer_that_closes_and_reopens_is_waited_for(run: RunningIntake, monkeypatch: pytest.MonkeyPatch) -> None:
    path = run.directory / "slow.csv"
    looks = threading.Semaphore(0)
    has_writer = lease.has_writer

    def counted(*arguments: object) -> bool | None:
        looks.release()
        return has_writer(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("qbwatch.intake_root.has_writer", counted)
    for number in range(5):
        with path.open("ab") as file:
            file.write(b"%d\n" % number)
        assert looks.acquire(timeout=5)  # it was looked at between two writes, while nobody had it open
    [arrival] = run.admitted(b"slow.csv")
    assert run.content(arrival) == b"0\n1\n2\n3\n4\n"


def test_a_file_that_gets_an_old_mtime_after_each_write_comes_in_whole(run: RunningIntake) -> None:
    path = run.directory / "old.csv"
    with path.open("wb") as file:
        for number in range(5):
            file.write(b"%d\n" % number)
            file.flush()
            os.utime(path, (1_546_300_800, 1_546_300_800))
    [arrival] = run.admitted(b"old.csv")
    assert run.content(arrival) == b"0\n1\n2\n3\n4\n"


def test_a_file_moved_in_settles_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(HEADER)
    with running(tmp_path, settle_for=timedelta(hours=1), doubt_for=timedelta(hours=1)) as run:
        (tmp_path / "a.csv").rename(run.directory / "a.csv")
        [arrival] = run.admitted(b"a.csv", timeout=5)
        assert arrival.settled_at - arrival.first_seen_at < timedelta(seconds=2)


def test_a_temporary_that_is_renamed_comes_in_under_its_final_name_only(run: RunningIntake) -> None:
    (run.directory / ".syncthing.a.csv.tmp").write_bytes(HEADER)
    (run.directory / ".syncthing.a.csv.tmp").rename(run.directory / "a.csv")
    run.admitted(b"a.csv")
    run.rests()
    assert run.ledger.paths == {b"a.csv": 1}


def test_a_file_that_replaces_another_is_a_new_version(run: RunningIntake, tmp_path: Path) -> None:
    (run.directory / "a.csv").write_bytes(HEADER)
    run.admitted(b"a.csv")
    (tmp_path / "new").write_bytes(HEADER + b"new\n")
    os.replace(tmp_path / "new", run.directory / "a.csv")
    wait_until(lambda: run.ledger.paths[b"a.csv"] == 2)
    assert [run.content(arrival) for arrival in run.ledger.arrivals] == [HEADER, HEADER + b"new\n"]


def test_a_hard_link_comes_in(run: RunningIntake, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(HEADER)
    os.link(tmp_path / "a.csv", run.directory / "a.csv")
    run.admitted(b"a.csv")


def test_files_in_new_subfolders_come_in_once(run: RunningIntake, tmp_path: Path) -> None:
    expected = set()
    for number in range(200):
        (tmp_path / f"tree {number}" / "deep").mkdir(parents=True)
        (tmp_path / f"tree {number}" / "deep" / "b.csv").write_bytes(HEADER)
        (run.directory / f"{number}" / "01").mkdir(parents=True)
        (run.directory / f"{number}" / "01" / "a.csv").write_bytes(HEADER)
        (tmp_path / f"tree {number}").rename(run.directory / f"tree {number}")
        expected |= {f"{number}/01/a.csv".encode(), f"tree {number}/deep/b.csv".encode()}
    run.admitted(*expected, timeout=30)
    run.rests()
    assert run.ledger.paths == dict.fromkeys(expected, 1)


def test_new_content_behind_the_same_size_and_mtime_is_found(run: RunningIntake) -> None:
    path = run.directory / "a.csv"
    path.write_bytes(b"old,1\n")
    run.admitted(b"a.csv")
    status = path.stat()
    path.write_bytes(b"new,2\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    wait_until(lambda: run.ledger.paths[b"a.csv"] == 2)
    assert run.content(run.ledger.arrivals[-1]) == b"new,2\n"


def test_reading_a_file_brings_nothing_in(run: RunningIntake) -> None:
    path = run.directory / "a.csv"
    path.write_bytes(HEADER)
    run.admitted(b"a.csv")
    for _ in range(5):
        path.read_bytes()
    run.rests()
    run.rests()
    assert run.ledger.paths == {b"a.csv": 1}


def test_a_file_that_is_deleted_while_it_settles_has_vanished(tmp_path: Path) -> None:
    with running(tmp_path, settle_for=timedelta(seconds=2)) as run:
        (run.directory / "a.csv").write_bytes(HEADER)
        wait_until(lambda: run.intake.state().settling)
        (run.directory / "a.csv").unlink()
        wait_until(lambda: run.intake.state().vanished == 1)
        assert run.intake.is_quiet()
        (run.directory / "a.csv").write_bytes(HEADER)
        run.admitted(b"a.csv")


@pytest.mark.parametrize("how", ["removed", "renamed away"])
def test_a_folder_that_is_replaced_is_watched_anew(run: RunningIntake, tmp_path: Path, how: str) -> None:
    (run.directory / "a.csv").write_bytes(HEADER)
    run.admitted(b"a.csv")
    if how == "removed":
        (run.directory / "a.csv").unlink()
        run.directory.rmdir()
    else:
        run.directory.rename(tmp_path / "input.old")
    wait_until(lambda: "folder_missing" in run.problems())
    assert not run.intake.state().watch_alive
    run.directory.mkdir()
    (run.directory / "b.csv").write_bytes(HEADER)
    run.admitted(b"b.csv")
    wait_until(lambda: run.intake.state().watch_alive and not run.problems())
    (run.directory / "c.csv").write_bytes(HEADER)
    run.admitted(b"c.csv")
    assert run.ledger.paths == {b"a.csv": 1, b"b.csv": 1, b"c.csv": 1}


def test_a_burst_that_overflows_the_kernels_queue_comes_in_whole_and_once(tmp_path: Path) -> None:
    with running(tmp_path, rescan_every=timedelta(hours=1)) as run:
        reader = next(thread for thread in threading.enumerate() if type(thread).__name__ == "InotifyFD")
        queue_holds = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
        with reader._lock:  # type: ignore[attr-defined]  # watchdog reads no further, as on a busy machine
            for number in range(queue_holds + 3000):
                (run.directory / f"{number}.tmp").touch()
            for number in range(2000):
                (run.directory / f"{number}.csv").write_bytes(b"%d\n" % number)
        run.admitted(*(f"{number}.csv".encode() for number in range(2000)), timeout=60)
        assert set(run.ledger.paths.values()) == {1}
        assert run.intake.state().events_missed >= 1


def test_without_a_watch_everything_is_found_by_polling(tmp_path: Path) -> None:
    with running(tmp_path, watcher=Watcher.POLLING) as run:
        (run.directory / "a.csv").write_bytes(HEADER)
        run.admitted(b"a.csv")
        assert run.intake.state().watcher is Watcher.POLLING
        assert run.intake.state().watch_alive


def test_the_seed_folder_comes_in_as_its_own_root(tmp_path: Path) -> None:
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / "All Lists.xlsx").write_bytes(HEADER)
    with running(tmp_path, seed_directory=tmp_path / "seed") as run:
        run.admitted(b"All Lists.xlsx")
        (tmp_path / "seed" / "b.csv").write_bytes(HEADER)
        run.admitted(b"b.csv")
        assert {arrival.root for arrival in run.ledger.arrivals} == {"seed"}


def test_one_pass_without_a_daemon_takes_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "a.csv").write_bytes(HEADER)
    (tmp_path / "input" / "b.csv").write_bytes(HEADER)
    run = prepared(tmp_path)
    state = run.intake.settle_now(timedelta(seconds=10))
    assert run.ledger.paths == {b"a.csv": 1, b"b.csv": 1}
    assert (state.settling, state.problems, state.is_quiet) == ((), (), True)


def test_one_pass_ends_at_its_deadline_and_tells_what_still_settles(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    run = prepared(tmp_path)
    with (tmp_path / "input" / "open.csv").open("wb") as file:
        file.write(HEADER)
        file.flush()
        state = run.intake.settle_now(timedelta(seconds=0.5))
    assert [path for _, path, _ in state.settling] == [b"open.csv"]
    assert run.ledger.paths == {}


def test_one_pass_over_a_missing_folder_tells_so(tmp_path: Path) -> None:
    state = prepared(tmp_path).intake.settle_now(timedelta(seconds=5))
    assert {problem.code for problem in state.problems} == {"folder_missing"}
