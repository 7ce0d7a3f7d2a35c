"""A warm dbt: it does what a cold one does, sooner; whatever happens to it, a cold one takes over and says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from small_dbt import SLEEPING, MakeDbt, Project, children, is_alive, sessions, sleeping_sessions
from waiting import wait_until

from qbwatch.edges import dbt_server
from qbwatch.edges.dbt import Dbt, Outcome
from qbwatch.edges.dbt_progress import NodeInHand

CHECKOUT = Path(__file__).parents[2]
TWO_MODELS = {"one": "select 1 as n", "two": "select n from {{ ref('one') }}"}


def warmed(dbt: Dbt) -> int:
    """Warm it up; gives the process that is warm."""
    dbt.warm_up()
    return wait_until(lambda: dbt.warm_pid, 30, "the warm dbt to start")


def meanwhile(what: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=what)
    thread.start()
    return thread


def test_outcomes_are_told_apart_as_by_a_cold_dbt(
    project: Project, make_dbt: MakeDbt, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    dbt = make_dbt(
        project(
            """
models:
  - {name: twice, columns: [{name: n, data_tests: [unique]}]}
  - {name: gaps, columns: [{name: n, data_tests: [{not_null: {config: {severity: warn}}}]}]}
""",
            good="{{ config(materialized='table') }} select * from generate_series(1, 3) as n",
            twice="select 1 as n union all select 1 as n",
            gaps="select null::int as n",
            broken="{{ config(materialized='table') }} select 1 / 0 as n",
            after_broken="select * from {{ ref('broken') }}",
        )
    )
    pid = warmed(dbt)

    results = {names: dbt.build(names.split()) for names in ("good", "gaps", "twice gaps", "broken+", "nosuch")}

    assert [result.cold_because for result in results.values()] == [None] * 5
    assert {names: result.outcome for names, result in results.items()} == {
        "good": Outcome.BUILT,
        "gaps": Outcome.WARNINGS,
        "twice gaps": Outcome.TESTS_FAILED,
        "broken+": Outcome.MODEL_ERROR,
        "nosuch": Outcome.CONFIGURATION,
    }
    (good,) = results["good"].nodes
    assert (good.name, good.status, good.rows) == ("good", "success", 3)
    assert "unique_twice_n (1 rows)" in results["twice gaps"].message
    assert "division by zero" in results["broken+"].message
    assert {node.name: node.status for node in results["broken+"].nodes}["after_broken"] == "skipped"
    assert len({result.invocation_id for result in results.values() if result.nodes}) == 4
    assert dbt.warm_pid == pid
    assert signal.getsignal(signal.SIGTERM) is handler
    assert capfd.readouterr() == ("", "")
    dbt.close()
    assert not is_alive(pid)
    assert not list((tmp_path / "state/dbt").glob("warm-*"))


def test_it_holds_no_session_no_secret_and_no_say_with_the_service_manager(
    project: Project, make_dbt: MakeDbt, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NOTIFY_SOCKET", "QBWATCH_ALERTS__URLS", "CREDENTIALS_DIRECTORY", "DATABASE_URL"):
        monkeypatch.setenv(name, "handed on")
    dbt = make_dbt(project(**TWO_MODELS))
    pid = warmed(dbt)
    assert dbt.build().cold_because is None

    environment = Path(f"/proc/{pid}/environ").read_bytes()
    open_files = [os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()]

    assert b"handed on" not in environment
    assert sessions(empty_database_url) == []
    assert len([each for each in open_files if each.startswith("socket:")]) == 1
    assert os.getpgid(pid) == pid


def test_a_session_serves_several_models_and_keeps_nothing_of_one_for_the_next(
    project: Project, make_dbt: MakeDbt, empty_database_url: str
) -> None:
    seen = (
        "select pg_backend_pid() as pid, current_setting('work_mem') as memory, to_regclass('pg_temp.remains') as rest"
    )
    untidy = (
        "{{ config(materialized='table', pre_hook=\"set work_mem = '7MB'; create temp table remains as select 1\") }}"
    )
    models = {"m0": f"{untidy} {seen}"}
    for number in range(1, 9):
        head = untidy if number % 2 == 0 else "{{ config(materialized='table') }}"
        models[f"m{number}"] = f"-- after {{{{ ref('m{number - 1}') }}}}\n{head} {seen}"
    dbt = make_dbt(project(**models))
    warmed(dbt)

    built = dbt.build()

    assert (built.outcome, built.cold_because) == (Outcome.BUILT, None)
    with psycopg.connect(empty_database_url) as connection:
        default = connection.execute("show work_mem").fetchone()
        rows = [connection.execute(f"select * from analytics.m{number}").fetchone() for number in range(9)]
    assert len({row[0] for row in rows if row}) <= 4 < len(rows)
    assert [row[1:] for row in rows[1::2] if row] == [(*(default or ()), None)] * 4
    wait_until(lambda: not sessions(empty_database_url), 20, "the sessions to end")


def test_a_changed_project_is_built_as_it_is_now(project: Project, make_dbt: MakeDbt, empty_database_url: str) -> None:
    folder = project(**TWO_MODELS)
    dbt = make_dbt(folder)
    pid = warmed(dbt)
    assert dbt.build().cold_because is None
    (folder / "models" / "one.sql").write_text("select 2 as n")  # the same size

    changed = dbt.build()

    assert changed.outcome is Outcome.BUILT
    assert changed.cold_because == "the project or its environment has changed"
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("select n from analytics.two").fetchone() == (2,)
    assert not is_alive(pid)
    warmed(dbt)
    assert dbt.build().cold_because is None


def test_a_changed_environment_is_noticed(project: Project, make_dbt: MakeDbt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_ENV_SITE", "here")
    dbt = make_dbt(project(one="select '{{ env_var(\"DBT_ENV_SITE\") }}' as site"))
    warmed(dbt)
    assert dbt.build().cold_because is None
    monkeypatch.delenv("DBT_ENV_SITE")

    missing = dbt.build()

    assert (missing.outcome, missing.is_transient) == (Outcome.CONFIGURATION, False)
    assert missing.cold_because == "the project or its environment has changed"
    assert "DBT_ENV_SITE" in missing.message


def test_a_stop_and_a_time_out_end_the_query_and_not_the_warm_dbt(
    project: Project, make_dbt: MakeDbt, empty_database_url: str
) -> None:
    dbt = make_dbt(project(slow=SLEEPING, quick="select 1 as n"), timeout_seconds=4)
    pid = warmed(dbt)
    assert dbt.build(["quick"]).cold_because is None
    stop = threading.Event()
    asked_at: list[float] = []
    in_hand: list[NodeInHand | None] = []

    def ask() -> None:
        wait_until(lambda: sleeping_sessions(empty_database_url), 60, "the query to run")
        in_hand.append(dbt.node_in_hand)
        asked_at.append(time.monotonic())
        stop.set()

    asker = meanwhile(ask)
    stopped = dbt.build(["slow"], should_stop=stop.is_set)
    took = time.monotonic() - asked_at[0]
    asker.join()
    assert sessions(empty_database_url) == []
    late = dbt.build(["slow"])

    assert (stopped.outcome, late.outcome) == (Outcome.CANCELLED, Outcome.TIMED_OUT)
    assert took < 2
    assert in_hand == [NodeInHand(1, 1, "slow")]
    assert 4 <= late.seconds < 7
    wait_until(lambda: not sessions(empty_database_url), 5, "the sessions to end")
    assert dbt.build(["quick"]).cold_because is None
    assert dbt.warm_pid == pid


def test_killed_in_the_middle_its_command_is_run_cold(
    project: Project, make_dbt: MakeDbt, empty_database_url: str
) -> None:
    gate = "{{ config(materialized='table') }} select n from public.gate"
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("create table public.gate as select 1 as n")
        dbt = make_dbt(project(waits=gate))
        pid = warmed(dbt)
        assert dbt.build().cold_because is None
        with psycopg.connect(empty_database_url) as holder:
            holder.execute("lock table public.gate in access exclusive mode")
            results = []
            builder = meanwhile(lambda: results.append(dbt.build()))
            waiting = wait_until(lambda: sessions(empty_database_url, "%public.gate%"), 30, "the query to wait")
            command = children(pid)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not is_alive(command[0]), 5, "the command to end with it")
            wait_until(
                lambda: set(sessions(empty_database_url, "%public.gate%")) - set(waiting), 60, "the cold one to wait"
            )
            assert not set(waiting) & set(sessions(empty_database_url))
        builder.join()

    (result,) = results
    assert result.outcome is Outcome.BUILT
    assert result.cold_because == "it ended (exit code -9)"
    assert dbt.warm_pid is None


def test_a_command_that_is_killed_from_outside_is_worth_another_try(
    project: Project, make_dbt: MakeDbt, empty_database_url: str
) -> None:
    dbt = make_dbt(project(slow=SLEEPING, quick="select 1 as n"))
    pid = warmed(dbt)

    def kill() -> None:
        wait_until(lambda: sleeping_sessions(empty_database_url), 60, "the query to run")
        os.kill(children(pid)[0], signal.SIGKILL)

    killer = meanwhile(kill)
    result = dbt.build(["slow"])
    killer.join()

    assert (result.outcome, result.is_transient, result.cold_because) == (Outcome.INFRASTRUCTURE, True, None)
    assert "SIGKILL" in result.message
    wait_until(lambda: not sessions(empty_database_url), 5, "the sessions to end")
    assert dbt.build(["quick"]).cold_because is None


def test_it_leaves_after_some_idle_time_and_is_collected(project: Project, make_dbt: MakeDbt) -> None:
    dbt = make_dbt(project(**TWO_MODELS), idle_seconds=0.5)
    pid = warmed(dbt)

    wait_until(lambda: not Path(f"/proc/{pid}").exists(), 60, "the warm dbt to leave, without a zombie")

    wait_until(lambda: dbt.warm_pid is None, 5, "its end to be noticed")
    assert dbt.build().cold_because == "none was warm"


def test_a_project_that_cannot_be_parsed_is_told_by_the_cold_dbt(project: Project, make_dbt: MakeDbt) -> None:
    dbt = make_dbt(project(two="select * from {{ ref('nowhere') }}"))
    warmed(dbt)

    result = dbt.build()

    assert result.outcome is Outcome.CONFIGURATION
    assert "nowhere" in result.message
    assert result.cold_because is not None
    assert result.cold_because.startswith("it could not parse the project: ")


def test_without_a_project_or_a_database_nothing_is_kept_warm(
    project: Project, make_dbt: MakeDbt, tmp_path: Path
) -> None:
    away = make_dbt(project(one="select 1 as n"), url=f"postgresql:///x?host={tmp_path}&user=somebody")
    nowhere = make_dbt(tmp_path / "nothing here")

    for dbt in (away, nowhere):
        dbt.warm_up()
        assert not dbt.build().succeeded
        assert dbt.warm_pid is None


def test_a_killed_daemon_takes_the_warm_dbt_and_its_command_along(
    project: Project, tmp_path: Path, empty_database_url: str
) -> None:
    script = (
        "import sys, pathlib; from qbwatch.edges.dbt import *; p = pathlib.Path;"
        "dbt = Dbt(DbtSettings(p(sys.argv[1]), p(sys.argv[2]), sys.argv[3])); dbt.warm_up(); dbt.build()"
    )
    arguments = [str(project(slow=SLEEPING)), str(tmp_path / "state"), empty_database_url]
    parent = subprocess.Popen(
        [sys.executable, "-c", script, *arguments], env={**os.environ, "PYTHONPATH": str(CHECKOUT)}
    )
    wait_until(lambda: sleeping_sessions(empty_database_url), 60, "the query to run")
    (warm,) = children(parent.pid, "dbt-warm")
    (command,) = children(warm)

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    wait_until(lambda: not is_alive(warm) and not is_alive(command), 5, "both to end with their parent")


def test_what_is_kept_of_a_parsing_is_thrown_away_when_it_is_damaged(
    project: Project, make_dbt: MakeDbt, tmp_path: Path
) -> None:
    dbt = make_dbt(project(**TWO_MODELS))
    assert dbt.build().outcome is Outcome.BUILT
    kept = tmp_path / "state/dbt/partial_parse.msgpack"
    whole = kept.read_bytes()
    assert b"select 1 as n" in whole

    for damaged in (whole[: len(whole) // 2], whole.replace(b"select 1 as n", b"selekt 1 as n")):
        kept.write_bytes(damaged)
        again = dbt.build()
        assert again.outcome is Outcome.BUILT, again
        assert kept.read_bytes() != damaged


LEFT_OVER = """
create table analytics.{0}__dbt_tmp (gone int);
create view analytics.{0}__dbt_backup as select 1 as gone;
"""


def test_relations_that_a_killed_build_left_do_not_disturb_the_next(
    project: Project, make_dbt: MakeDbt, empty_database_url: str
) -> None:
    folder = project(
        whole="{{ config(materialized='table') }} select 1 as n",
        grown="{{ config(materialized='incremental', unique_key='n') }} select 1 as n",
        seen="select 1 as n",
    )
    (folder / "snapshots").mkdir()
    (folder / "snapshots" / "kept.sql").write_text(
        "{% snapshot kept %}{{ config(unique_key='n', strategy='check', check_cols='all', target_schema='analytics') }}"
        "select n from {{ ref('whole') }}{% endsnapshot %}"
    )
    dbt = make_dbt(folder)
    warmed(dbt)
    assert dbt.build().outcome is Outcome.BUILT
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        for name in ("whole", "grown", "seen", "kept"):
            connection.execute(LEFT_OVER.format(name))

        for full in (False, True):
            again = dbt.build(full_refresh=full)
            assert again.outcome is Outcome.BUILT, again

        counted = [
            connection.execute(f"select count(*) from analytics.{each}").fetchone() for each in ("whole", "grown")
        ]
    assert counted == [(1,), (1,)]


def test_no_connection_goes_out_over_the_network(
    project: Project, make_dbt: MakeDbt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever Python opens or looks up besides Unix sockets is written down by the processes themselves."""
    (tmp_path / "watched").mkdir()
    (tmp_path / "watched" / "sitecustomize.py").write_text(
        "import sys\n"
        "def note(event, args):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.gethostbyname', 'socket.sendto'):\n"
        f"        open({str(tmp_path / 'seen')!r}, 'a').write(f'{{event}} {{args}}\\n')\n"
        "sys.addaudithook(note)\n"
        f"open({str(tmp_path / 'watching')!r}, 'a').write('yes')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "watched"))
    dbt = make_dbt(project(**TWO_MODELS))
    cold = dbt.build()
    warmed(dbt)
    warm = dbt.build()

    assert (cold.cold_because, warm.cold_because) == ("none was warm", None)
    assert (tmp_path / "watching").read_text().count("yes") >= 2
    assert not (tmp_path / "seen").exists(), (tmp_path / "seen").read_text()


def test_a_dbt_that_is_no_python_package_is_named(
    project: Project, make_dbt: MakeDbt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the next major version is: a package of that name, and nothing to import from it."""
    (tmp_path / "other" / "dbt").mkdir(parents=True)
    (tmp_path / "other" / "dbt" / "__init__.py").write_text("__version__ = '2.0.1'\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "other"))
    dbt = make_dbt(project(one="select 1 as n"))
    dbt.warm_up()

    result = dbt.build()

    assert (result.outcome, result.is_transient) == (Outcome.CONFIGURATION, False)
    assert "No module named 'dbt.cli'" in result.message


def test_after_an_upgrade_under_a_running_daemon_the_builds_are_cold(
    project: Project, make_dbt: MakeDbt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program of the warm dbt is a file: another release's would be talked to in the words of this one."""
    other = tmp_path / "dbt_forkserver.py"
    other.write_text(dbt_server.PROGRAM.read_text() + "# of the next release\n")
    monkeypatch.setattr(dbt_server, "PROGRAM", other)
    dbt = make_dbt(project(**TWO_MODELS))
    dbt.warm_up()

    result = dbt.build()

    assert (result.outcome, result.cold_because) == (Outcome.BUILT, "none was warm")
    assert dbt.warm_pid is None


def test_an_error_in_a_hook_after_the_models_is_no_success(project: Project, make_dbt: MakeDbt) -> None:
    folder = project(one="select 1 as n")
    with (folder / "dbt_project.yml").open("a") as file:
        file.write("on-run-end: ['select 1 / 0']\n")
    dbt = make_dbt(folder)
    cold = dbt.build()
    warmed(dbt)

    warm = dbt.build()

    assert [cold.cold_because, warm.cold_because] == ["none was warm", None]
    assert [result.outcome for result in (cold, warm)] == [Outcome.MODEL_ERROR] * 2
    assert "division by zero" in warm.message
