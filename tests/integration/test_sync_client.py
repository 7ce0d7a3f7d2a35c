"""Which program brings the files, and does it run?"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from waiting import wait_until

from qbwatch.edges.sync_client import SyncClient, marked_client, running_clients
from qbwatch.edges.unit_processes import commands_of_units

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A table of processes with nothing in it but the first."""
    return with_process(tmp_path / "proc", 1, "/sbin/init")


def with_process(proc: Path, pid: int, *command: str) -> Path:
    (proc / str(pid)).mkdir(parents=True)
    (proc / str(pid) / "cmdline").write_bytes(b"".join(os.fsencode(word) + b"\0" for word in command))
    return proc


@pytest.mark.parametrize(
    ("mark", "client"),
    [(".dropbox", "dropbox"), (".dropbox.cache", "dropbox"), (".mignore", "maestral"), (".stfolder", "syncthing")],
)
def test_a_folder_tells_who_keeps_it(tmp_path: Path, mark: str, client: str) -> None:
    (tmp_path / "exports" / "input").mkdir(parents=True)
    (tmp_path / mark).touch()
    assert marked_client(tmp_path / "exports" / "input") == client


@pytest.mark.parametrize(
    ("command", "client"),
    [
        (("/home/ann/.dropbox-dist/dropbox-lnx.x86_64-1/dropbox",), "dropbox"),
        (("/usr/bin/syncthing", "serve"), "syncthing"),
        (("/usr/bin/rclone", "mount", "box:", "/mnt"), "rclone"),
        (("/usr/bin/python3", "/usr/local/bin/maestral", "start", "-f"), "maestral"),
        (("/usr/bin/vim", "dropbox"), None),
        (("python3", "dropbox.py"), None),
    ],
)
def test_a_client_is_known_by_its_command(proc: Path, command: tuple[str, ...], client: str | None) -> None:
    assert running_clients(with_process(proc, 77, *command)) == ({client} if client else set())


def test_a_real_process_is_found_in_the_real_table(tmp_path: Path) -> None:
    script = tmp_path / "maestral"
    script.write_text("input()")
    with subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE) as process:
        wait_until(lambda: "maestral" in running_clients())
        process.communicate(b"\n")


def test_a_marked_folder_whose_client_is_gone_for_two_minutes_is_a_problem_until_it_is_back(
    tmp_path: Path, proc: Path
) -> None:
    (tmp_path / ".dropbox").touch()
    client = SyncClient(tmp_path, proc)
    assert client.look(NOON) is None
    assert client.look(after(60)) is None
    problem = client.look(after(120))
    assert problem is not None
    assert (problem.code, problem.since) == ("sync_client_down", NOON)
    assert "dropbox start" in problem.hint
    with_process(proc, 77, "python3", "/usr/bin/maestral", "start")  # the same service, by another program
    assert client.look(after(150)) is None


def test_who_keeps_the_folder_is_known_by_its_mark_or_by_being_the_only_one_that_runs(
    tmp_path: Path, proc: Path
) -> None:
    with_process(proc, 77, "syncthing", "serve")
    client = SyncClient(tmp_path, proc)
    client.look(NOON)
    assert client.name == "syncthing"
    with_process(proc, 78, "/usr/bin/rclone", "mount", "cloud:", "/mnt")
    client.look(after(30))
    assert client.name is None
    (tmp_path / ".dropbox").touch()
    client.look(after(60))
    assert client.name == "dropbox"


def test_where_the_table_is_hidden_systemd_is_asked(tmp_path: Path) -> None:
    (tmp_path / ".dropbox").touch()
    answers = [["/home/ann/.dropbox-dist/dropbox"]], [["/usr/sbin/cron"]]
    for commands, is_whole, is_missed in [
        (answers[0], True, False),
        (answers[1], True, True),
        (answers[1], False, False),
    ]:
        client = SyncClient(tmp_path, tmp_path / "no-proc", ask=lambda said=(commands, is_whole): said)
        client.look(NOON)
        assert (client.look(after(150)) is not None) is is_missed


def test_a_systemd_that_does_not_tell_is_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "busctl"
    monkeypatch.setenv("PATH", str(tmp_path))
    for script, told in [
        (None, ([], False)),
        ("exit 1", ([], False)),
        ("echo nonsense", ([], False)),
        ("""echo '{"data":[[["/x",7,"\\"/opt/x y/dropbox\\" start"],["/x",8,"[kthreadd"],["/x",9,"a \\"b"]]]}'""",
         ([["/opt/x y/dropbox", "start"], ["[kthreadd"], ["a", '"b']] * 2, True)),
    ]:  # fmt: skip
        if script is not None:
            fake.write_text(f"#!/bin/sh\n{script}\n")
            fake.chmod(0o755)
        assert commands_of_units() == told


def test_without_marks_or_where_the_table_is_hidden_nothing_is_said(tmp_path: Path, proc: Path) -> None:
    unmarked = SyncClient(tmp_path / "nowhere", proc)
    (tmp_path / ".stfolder").mkdir()
    hidden = SyncClient(tmp_path, tmp_path / "no-proc")
    for seconds in (0, 300):
        assert hidden.look(after(seconds)) is None
    (tmp_path / ".stfolder").rmdir()
    for seconds in (0, 300):
        assert unmarked.look(after(seconds)) is None
