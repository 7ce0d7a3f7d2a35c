"""dbt as a child process: how each ending is told apart, and that nothing of it stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from small_dbt import SLEEPING, MakeDbt, Project, children, is_alive, sessions, sleeping_sessions
from waiting import wait_until

from qbwatch.core.model import QbwatchError
from qbwatch.edges.dbt import Outcome
from qbwatch.edges.dbt_progress import NodeInHand

CHECKOUT = Path(__file__).parents[2]


def files_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_good_project_is_built_and_leaves_no_trace_outside_the_state_folder(
    project: Project,
    make_dbt: MakeDbt,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = project(numbers="{{ config(materialized='table') }} select * from generate_series(1, 3) as n")
    shadow = tmp_path / "elsewhere" / "dbt"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").write_text("raise RuntimeError('this is not dbt')")
    monkeypatch.chdir(shadow.parent)
    before = files_below(tmp_path)

    result = make_dbt(folder).build()

    assert result.outcome is Outcome.BUILT, result
    assert result.succeeded
    assert not result.is_transient
    (node,) = result.nodes
    assert (node.name, node.resource_type, node.status, node.rows) == ("numbers", "model", "success", 3)
    assert node.unique_id == "model.small.numbers"
    assert 0 < node.seconds < result.seconds
    assert result.invocation_id
    assert {path.relative_to(tmp_path).parts[:2] for path in files_below(tmp_path) - before} == {("state", "dbt")}
    assert (tmp_path / "state/dbt/profiles.yml").stat().st_mode & 0o777 == 0o600
    assert not list((tmp_path / "state/dbt").glob("target-*"))
    assert capfd.readouterr() == ("", "")


def test_the_child_gets_neither_our_secrets_nor_a_say_with_the_service_manager(
    project: Project, make_dbt: MakeDbt, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NOTIFY_SOCKET", "QBWATCH_ALERTS__URLS", "CREDENTIALS_DIRECTORY", "DATABASE_URL", "DBT_ENV_SITE"):
        monkeypatch.setenv(name, "handed on")
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("DBT_TARGET_PATH", "/nonexistent")
    monkeypatch.setenv("DBT_FULL_REFRESH", "nonsense")
    names = ("NOTIFY_SOCKET", "QBWATCH_ALERTS__URLS", "CREDENTIALS_DIRECTORY", "DATABASE_URL", "DBT_ENV_SITE")
    columns = ", ".join(f'\'{{{{ env_var("{name}", "withheld") }}}}\' as c{at}' for at, name in enumerate(names))

    result = make_dbt(project(seen=f"select {columns}")).build()

    assert result.outcome is Outcome.BUILT, result
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("select * from analytics.seen").fetchone() == (*["withheld"] * 4, "handed on")


def test_a_failed_test_a_warning_and_an_error_are_three_outcomes(project: Project, make_dbt: MakeDbt) -> None:
    folder = project(
        """
models:
  - name: twice
    columns: [{name: n, data_tests: [unique]}]
  - name: gaps
    columns: [{name: n, data_tests: [{not_null: {config: {severity: warn}}}]}]
""",
        twice="select 1 as n union all select 1 as n",
        gaps="select null::int as n",
        broken="{{ config(materialized='table') }} select 1 / 0 as n",
        after_broken="select * from {{ ref('broken') }}",
    )
    dbt = make_dbt(folder)

    warned = dbt.build(["gaps"])
    failed = dbt.build(["twice", "gaps"])
    wrong = dbt.build()

    assert (warned.outcome, warned.succeeded) == (Outcome.WARNINGS, True)
    assert "not_null_gaps_n (1 rows)" in warned.message
    assert (failed.outcome, failed.succeeded, failed.is_transient) == (Outcome.TESTS_FAILED, False, False)
    assert "unique_twice_n (1 rows)" in failed.message
    assert {node.name: node.status for node in failed.nodes}["unique_twice_n"] == "fail"
    assert (wrong.outcome, wrong.is_transient) == (Outcome.MODEL_ERROR, False)
    assert "division by zero" in wrong.message
    assert {node.name: node.status for node in wrong.nodes}["after_broken"] == "skipped"


def test_a_selection_that_matches_nothing_is_a_mistake_and_no_success(project: Project, make_dbt: MakeDbt) -> None:
    dbt = make_dbt(project(one="select 1 as n"))

    result = dbt.build(["source:quickbooks.nosuch+"])

    assert result.outcome is Outcome.CONFIGURATION
    assert "source:quickbooks.nosuch+" in result.message
    assert dbt.build(["--full-refresh"]).outcome is Outcome.CONFIGURATION


def test_a_run_that_dies_early_is_not_judged_by_the_results_of_the_one_before(
    project: Project, make_dbt: MakeDbt
) -> None:
    dbt = make_dbt(project(one="select 1 as n"))
    assert dbt.build().outcome is Outcome.BUILT
    project(two="select * from {{ ref('nowhere') }}")

    result = dbt.build()

    assert result.outcome is Outcome.CONFIGURATION
    assert "nowhere" in result.message
    assert result.nodes == ()
    assert result.invocation_id is None


def test_an_error_as_long_as_a_book_becomes_a_line(project: Project, make_dbt: MakeDbt) -> None:
    folder = project(loud="{{ exceptions.raise_compiler_error('no ' * 1000000) }} select 1 as n")

    result = make_dbt(folder).build()

    assert not result.succeeded
    assert len(result.message) < 2200
    assert "\n" not in result.message


def test_a_missing_project_is_named(make_dbt: MakeDbt, tmp_path: Path) -> None:
    result = make_dbt(tmp_path / "nothing here").build()

    assert result.outcome is Outcome.CONFIGURATION
    assert "nothing here" in result.message


def test_a_database_that_is_away_is_worth_another_try_and_a_wrong_one_is_not(
    project: Project, make_dbt: MakeDbt, tmp_path: Path, empty_database_url: str
) -> None:
    folder = project(one="select 1 as n")

    away = make_dbt(folder, url=f"postgresql:///x?host={tmp_path}&user=somebody&password=marker-4711").build()
    wrong = make_dbt(folder, url=make_conninfo(empty_database_url, dbname="no_such_database")).build()
    unreadable = make_dbt(folder, url="postgresql://[").build()

    assert (away.outcome, away.is_transient) == (Outcome.INFRASTRUCTURE, True)
    assert "marker-4711" not in away.message
    assert (wrong.outcome, wrong.is_transient) == (Outcome.CONFIGURATION, False)
    assert "no_such_database" in wrong.message
    assert unreadable.outcome is Outcome.CONFIGURATION
    with pytest.raises(QbwatchError):
        make_dbt(folder, url=f"postgresql:///x?host={tmp_path}&user=somebody").leftovers()


def test_the_password_is_written_nowhere(
    project: Project, make_dbt: MakeDbt, tmp_path: Path, empty_database_url: str
) -> None:
    folder = project(broken="{{ config(materialized='table') }} select 'marker-4711' / 0 as n")

    result = make_dbt(folder, url=make_conninfo(empty_database_url, password="marker-4711")).build()

    assert result.outcome is Outcome.MODEL_ERROR
    assert "marker-4711" not in repr(result)
    logs = b"".join(path.read_bytes() for path in (tmp_path / "state/dbt/logs").iterdir())
    assert b"marker-4711" not in logs
    assert b"marker-4711" not in (tmp_path / "state/dbt/profiles.yml").read_bytes()


def test_a_stop_ends_the_build_and_its_query_at_once(
    project: Project, make_dbt: MakeDbt, empty_database_url: str
) -> None:
    dbt = make_dbt(project(slow=SLEEPING))
    stop = threading.Event()
    asked_at: list[float] = []
    in_hand: list[NodeInHand | None] = []

    def ask() -> None:
        wait_until(lambda: sleeping_sessions(empty_database_url), 60, "the query to run")
        in_hand.append(dbt.node_in_hand)
        asked_at.append(time.monotonic())
        stop.set()

    asker = threading.Thread(target=ask)
    asker.start()
    result = dbt.build(should_stop=stop.is_set)
    took = time.monotonic() - asked_at[0]
    asker.join()

    assert result.outcome is Outcome.CANCELLED, result
    assert took < 2
    assert in_hand == [NodeInHand(1, 1, "slow")]
    assert dbt.node_in_hand is None
    wait_until(lambda: not sessions(empty_database_url), 5, "the sessions to end")
    assert dbt.build(should_stop=lambda: True).outcome is Outcome.CANCELLED


def test_a_build_that_takes_too_long_is_ended_with_its_query(
    project: Project, make_dbt: MakeDbt, empty_database_url: str
) -> None:
    result = make_dbt(project(slow=SLEEPING), timeout_seconds=5).build()

    assert (result.outcome, result.is_transient) == (Outcome.TIMED_OUT, False)
    assert 5 <= result.seconds < 8
    wait_until(lambda: not sessions(empty_database_url), 5, "the sessions to end")


def test_a_session_that_the_server_ends_is_worth_another_try(
    project: Project, make_dbt: MakeDbt, empty_database_url: str
) -> None:
    dbt = make_dbt(project(slow=SLEEPING))

    def end_the_session() -> None:
        (pid, *_) = wait_until(lambda: sleeping_sessions(empty_database_url), 60, "the query to run")
        with psycopg.connect(empty_database_url) as connection:
            connection.execute("select pg_terminate_backend(%s)", [pid])

    ender = threading.Thread(target=end_the_session)
    ender.start()
    result = dbt.build()
    ender.join()

    assert (result.outcome, result.is_transient) == (Outcome.INFRASTRUCTURE, True), result


def test_a_killed_parent_takes_dbt_along_and_the_next_start_ends_its_query(
    project: Project, make_dbt: MakeDbt, tmp_path: Path, empty_database_url: str
) -> None:
    folder = project(slow=SLEEPING, quick="{{ config(materialized='table') }} select 1 as n")
    script = (
        "import sys, pathlib; from qbwatch.edges.dbt import *; p = pathlib.Path;"
        "Dbt(DbtSettings(p(sys.argv[1]), p(sys.argv[2]), sys.argv[3])).build()"
    )
    arguments = [str(folder), str(tmp_path / "state"), empty_database_url]
    parent = subprocess.Popen(
        [sys.executable, "-c", script, *arguments], env={**os.environ, "PYTHONPATH": str(CHECKOUT)}
    )
    wait_until(lambda: sleeping_sessions(empty_database_url), 60, "the query to run")
    (child,) = children(parent.pid)

    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not is_alive(child), 5, "the child to end with its parent")
    dbt = make_dbt(folder)
    ended = dbt.leftovers()

    assert ended >= 1
    wait_until(lambda: not sessions(empty_database_url), 5, "the sessions to end")
    assert dbt.build(["quick"]).outcome is Outcome.BUILT
    assert dbt.leftovers() == 0


def test_a_dbt_that_is_killed_from_outside_is_worth_another_try(
    project: Project, make_dbt: MakeDbt, empty_database_url: str
) -> None:
    dbt = make_dbt(project(slow=SLEEPING))

    def kill() -> None:
        wait_until(lambda: sleeping_sessions(empty_database_url), 60, "the query to run")
        (child,) = children(os.getpid())
        os.kill(child, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    result = dbt.build()
    killer.join()

    assert result.outcome is Outcome.INFRASTRUCTURE
    assert "SIGKILL" in result.message
    wait_until(lambda: not sessions(empty_database_url), 5, "the sessions to end")
