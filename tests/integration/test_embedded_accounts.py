"""The private Postgres and the users of the machine: as whom it runs, whom it lets in, whose folders it touches."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from other_user import another_user, answer_as

from qbwatch.core.model import QbwatchError
from qbwatch.edges.embedded import EmbeddedPostgres
from qbwatch.edges.embedded_account import FALLBACK_ACCOUNTS
from qbwatch.edges.embedded_install import find_install


@pytest.fixture
def foreign_folder() -> Iterator[Path]:
    """An open folder that doesn't bear our name, so that nothing of it counts as qbwatch's own."""
    folder = Path(tempfile.mkdtemp(prefix="someone-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def postgres(state_directory: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(state_directory / "postgres", durable=False)


def modes_above(folder: Path) -> dict[Path, int]:
    return {parent: parent.stat().st_mode for parent in folder.parents}


def who_am_i(url: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_user").fetchone()
        return str(row[0]) if row else "nobody"


def test_it_runs_as_an_ordinary_user(postgres):
    postgres.start()
    uid = Path("/proc", str(postgres.pid)).stat().st_uid
    assert uid != 0
    assert uid == postgres.data.stat().st_uid
    if os.geteuid() == 0:
        assert pwd.getpwuid(uid).pw_name in FALLBACK_ACCOUNTS
    else:
        assert uid == os.geteuid()


def test_of_the_folders_above_only_our_own_gain_search_permission(postgres, state_directory):
    before = modes_above(state_directory)
    postgres.start()
    assert modes_above(state_directory) == before
    assert state_directory.stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)
    assert postgres.data.stat().st_mode & 0o777 == 0o700


def test_another_user_is_refused_even_where_the_folders_let_him_through(postgres):
    url = postgres.start()
    stranger = another_user("daemon", "nobody", "bin")
    assert stranger.pw_uid != postgres.data.stat().st_uid
    assert "ermission denied" in answer_as(stranger, lambda: who_am_i(url))
    postgres.data.chmod(0o755)
    (postgres.data / ".s.PGSQL.5432").chmod(0o777)
    for role in ("qbwatch", "postgres", stranger.pw_name):
        answer = answer_as(stranger, lambda role=role: who_am_i(url.replace("qbwatch@", f"{role}@")))
        assert "OperationalError" in answer
        assert "eer authentication failed" in answer or "no pg_hba.conf entry" in answer
    assert who_am_i(url) == "qbwatch"


def test_an_ordinary_user_starts_stops_and_reaches_his_own(foreign_folder):
    user = another_user("nobody", "postgres")
    home = foreign_folder / "home"
    home.mkdir(mode=0o700)
    os.chown(home, user.pw_uid, user.pw_gid)
    postgres = EmbeddedPostgres(home / "state" / "postgres", durable=False)
    if not os.access(find_install(None).program("postgres"), os.X_OK) or not _can_reach_programs(user):
        pytest.skip(f"needs a virtual environment that {user.pw_name} can reach")
    try:
        assert answer_as(user, lambda: who_am_i(postgres.start())) == "qbwatch"
        assert Path("/proc", str(postgres.pid)).stat().st_uid == user.pw_uid
        assert who_am_i(postgres.start()) == "qbwatch"  # root looks at it too, and adopts it
        assert answer_as(user, lambda: str(postgres.stop())) == "None"
        assert postgres.pid is None
    finally:
        postgres.stop("immediate")


def test_what_root_starts_in_a_users_folder_is_that_users(foreign_folder):
    user = another_user("daemon", "nobody", "bin")
    state = foreign_folder / "state"
    state.mkdir(mode=0o700)
    os.chown(state, user.pw_uid, user.pw_gid)
    postgres = EmbeddedPostgres(state / "qbwatch" / "postgres", durable=False)
    try:
        url = postgres.start()
        assert who_am_i(url) == "qbwatch"
        assert answer_as(user, lambda: who_am_i(url)) == "qbwatch"
        made = [state / "qbwatch", postgres.directory, *postgres.data.rglob("*")]
        assert {path.lstat().st_uid for path in made} == {user.pw_uid}
        assert state.stat().st_mode & 0o777 == 0o700
    finally:
        postgres.stop("immediate")


def test_a_closed_folder_that_is_not_ours_is_named_and_stays_closed(foreign_folder):
    another_user("nobody")
    closed = foreign_folder / "root"
    (closed / "qbwatch").mkdir(parents=True)
    closed.chmod(0o700)
    (closed / "qbwatch").chmod(0o700)
    with pytest.raises(QbwatchError, match=f"{closed} is closed to it"):
        EmbeddedPostgres(closed / "qbwatch" / "postgres").start()
    assert [folder.stat().st_mode & 0o777 for folder in (closed, closed / "qbwatch")] == [0o700, 0o700]


def test_programs_in_a_closed_folder_are_copied_once(postgres, foreign_folder, monkeypatch):
    another_user("nobody")
    package = find_install(None).root.parent
    closed = foreign_folder / "venv"
    closed.mkdir(mode=0o700)
    for part in (package, package.with_name(package.name + ".libs")):
        (closed / part.name).symlink_to(part)
    monkeypatch.syspath_prepend(closed)
    url = postgres.start()
    assert who_am_i(url) == "qbwatch"
    (copy,) = postgres.directory.glob("install-*")
    assert str(copy).encode() in Path("/proc", str(postgres.pid), "cmdline").read_bytes()
    assert closed.stat().st_mode & 0o777 == 0o700
    postgres.stop()
    made_at = copy.stat().st_ctime_ns
    assert postgres.start() == url
    assert copy.stat().st_ctime_ns == made_at


def _can_reach_programs(user: pwd.struct_passwd) -> bool:
    program = str(find_install(None).program("postgres"))
    return answer_as(user, lambda: str(os.access(program, os.X_OK))) == "True"


def test_data_of_another_user_are_not_taken_over(foreign_folder):
    user = another_user("nobody", "postgres")
    foreign_folder.chmod(0o777)
    directory = foreign_folder / "postgres"
    directory.mkdir(mode=0o777)
    directory.chmod(0o777)
    (directory / "data").mkdir(mode=0o755)
    answer = answer_as(user, lambda: EmbeddedPostgres(directory).start())
    assert answer == f"QbwatchError: {directory / 'data'} does not belong to {user.pw_name}"
