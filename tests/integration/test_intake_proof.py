"""The intake proves that it hears, and says by name what it can't take in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from running_intake import MemoryLedger, RunningIntake, running
from waiting import wait_until

from qbwatch import intake_root
from qbwatch.core.intake_state import Watcher
from qbwatch.edges import canary
from qbwatch.edges.folder_watch import FolderWatch

HEADER = b"Date,Num\n"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunningIntake]:
    with running(tmp_path) as run:
        yield run


@pytest.fixture
def impatient_canary(monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary that sings with every tick, and whose answer is overdue after half a second."""
    monkeypatch.setattr(canary, "SING_EVERY", timedelta(0))
    monkeypatch.setattr(canary, "ANSWER_WITHIN", timedelta(seconds=0.5))


def test_the_canary_is_answered_through_the_watch_and_leaves_the_input_folder_alone(
    tmp_path: Path, impatient_canary: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[bool] = []
    answer = FolderWatch.answers

    def counted(self: FolderWatch, at: object) -> bool:
        answers.append(answer(self, at))  # type: ignore[arg-type]
        return answers[-1]

    monkeypatch.setattr(FolderWatch, "answers", counted)
    with running(tmp_path, canary_directory=tmp_path / "state" / "canary") as run:
        wait_until(lambda: len(answers) >= 3, what="three ticks")
        assert all(answers)
        assert (run.intake.state().watcher, run.problems()) == (Watcher.INOTIFY, set())
        assert (tmp_path / "state" / "canary" / "input").stat().st_size == 0
        assert list(run.directory.iterdir()) == []
        assert run.ledger.paths == {}


def test_a_watch_that_stays_mute_is_told_and_polling_takes_over_until_it_answers_again(
    tmp_path: Path, impatient_canary: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, canary_directory=tmp_path / "state" / "canary") as run:
        with monkeypatch.context() as patched:
            patched.setattr(canary.Canary, "heard", lambda self: None)
            wait_until(lambda: "watch_deaf" in run.problems(), what="the silence to be noticed")
            assert run.intake.state().polled_because == "events don't arrive"
            (run.directory / "a.csv").write_bytes(HEADER)
            run.admitted(b"a.csv")
        monkeypatch.setattr("qbwatch.edges.watched_folder._RETRY_WATCH_AFTER", timedelta(0))
        monkeypatch.setattr("qbwatch.edges.canary.ANSWER_WITHIN", timedelta(seconds=5))
        # The next try is up to a minute away; a folder that is found anew is watched anew at once.
        run.directory.rename(tmp_path / "away")
        wait_until(lambda: "folder_missing" in run.problems())
        (tmp_path / "away").rename(run.directory)
        wait_until(lambda: run.problems() == set() and run.intake.state().watcher is Watcher.INOTIFY)


def test_a_folder_that_comes_back_while_its_watch_is_mute_is_found_mute_again(
    tmp_path: Path, impatient_canary: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary.Canary, "heard", lambda self: None)
    with running(tmp_path, canary_directory=tmp_path / "state" / "canary") as run:
        wait_until(lambda: run.problems() == {"watch_deaf"})
        run.directory.rename(tmp_path / "away")
        wait_until(lambda: "folder_missing" in run.problems())
        (tmp_path / "away").rename(run.directory)
        wait_until(lambda: run.problems() == {"watch_deaf"})
        assert run.intake.state().polled_because == "events don't arrive"


def test_a_watch_that_is_granted_and_tells_nothing_is_found_out_by_the_scans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qbwatch.edges.folder_watch._Handler.on_any_event", lambda self, event: None)
    with running(tmp_path) as run:
        for number in range(8):
            name = f"{number}.csv"
            (run.directory / name).write_bytes(HEADER)
            run.admitted(name.encode())
            if "watch_deaf" in run.problems():
                break
            run.rests()
        wait_until(lambda: "watch_deaf" in run.problems(), what="the deafness to be noticed")
        assert run.intake.state().watcher is Watcher.POLLING


def test_a_folder_of_many_files_that_is_empty_is_gone_or_not_mounted_and_nothing_follows(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        for number in range(30):
            (run.directory / f"{number}.csv").write_bytes(b"%d\n" % number)
        run.admitted(*(f"{number}.csv".encode() for number in range(30)))
        run.rests()
        for path in run.directory.iterdir():
            path.unlink()
        wait_until(lambda: run.problems() == {"folder_emptied"})
        [problem] = run.intake.state().problems
        assert "not mounted" in problem.summary
        assert problem.is_doubt
        (run.directory / "new.csv").write_bytes(HEADER)
        run.admitted(b"new.csv")
        wait_until(lambda: run.problems() == set())
        assert len(run.ledger.arrivals) == 31


def test_at_the_start_the_ledger_tells_how_many_files_there_should_be(tmp_path: Path) -> None:
    class Old(MemoryLedger):
        known_count = staticmethod(lambda root: 4000)

    with running(tmp_path, ledger=Old()) as run:
        wait_until(lambda: run.problems() == {"folder_emptied"})


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """An input folder that is a disk of its own."""
    folder = tmp_path / "input"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "none", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("needs root and the right to mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], capture_output=True, check=False)


def test_an_unmounted_folder_is_noticed_and_watched_again_when_its_disk_is_back(mounted: Path, tmp_path: Path) -> None:
    for number in range(30):
        (mounted / f"{number}.csv").write_bytes(b"%d\n" % number)
    with running(tmp_path) as run:
        run.admitted(*(f"{number}.csv".encode() for number in range(30)))
        run.rests()
        subprocess.run(["umount", "-l", mounted], check=True)
        wait_until(lambda: run.problems() == {"folder_emptied"})
        subprocess.run(["mount", "-t", "tmpfs", "none", mounted], check=True)
        (mounted / "back.csv").write_bytes(HEADER)
        run.admitted(b"back.csv")
        wait_until(lambda: run.problems() == set() and run.intake.state().watch_alive)
        (mounted / "later.csv").write_bytes(HEADER)
        run.admitted(b"later.csv")


def test_a_file_that_never_rests_is_named_and_never_given_up(
    run: RunningIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_root, "_RESTLESS_AFTER", timedelta(seconds=1))
    with (run.directory / "open.csv").open("wb") as file:
        file.write(HEADER)
        file.flush()
        wait_until(lambda: run.problems() == {"file_unsettled"})
        [problem] = run.intake.state().problems
        assert "open.csv is still open for writing" in problem.summary
        assert run.ledger.paths == {}
    run.admitted(b"open.csv")
    wait_until(lambda: run.problems() == set())


def test_a_file_that_shrinks_comes_in_as_it_is_in_the_end(run: RunningIntake) -> None:
    path = run.directory / "a.csv"
    path.write_bytes(b"x\n" * 1000)
    wait_until(lambda: run.intake.state().settling)
    os.truncate(path, 4)
    [arrival, *_] = run.admitted(b"a.csv")
    assert run.content(run.ledger.arrivals[-1]) == b"x\n" * 2
    assert arrival.size_bytes in (4, 2000)


@pytest.mark.parametrize("change", ["mode", "attribute"])
def test_a_change_of_attributes_is_at_most_a_look_at_the_content(run: RunningIntake, change: str) -> None:
    path = run.directory / "a.csv"
    path.write_bytes(HEADER)
    [first] = run.admitted(b"a.csv")
    run.rests()
    if change == "mode":
        path.chmod(0o600)
    else:
        try:
            os.setxattr(path, "user.com.dropbox.attrs", b"x")
        except OSError:
            pytest.skip("this file system has no attributes of users")
    run.rests()
    run.rests()
    assert {arrival.content_hash for arrival in run.ledger.arrivals} == {first.content_hash}
    assert len(run.ledger.arrivals) <= 2
