"""pause, resume, stop-run and transform, as people call them, on a real daemon with real loads and a real dbt."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from installation import Installation
from waiting import wait_until

from qbwatch.demo.drop import drop
from qbwatch.demo.exports import ExportFile
from qbwatch.demo.story import story
from qbwatch.edges.shipped import shipped

ME = f"{pwd.getpwuid(os.geteuid()).pw_name} (uid {os.geteuid()})"


@pytest.fixture(scope="module")
def night() -> list[ExportFile]:
    """A night's exports: customers, items, invoices, receipts."""
    return story(date(2025, 4, 18)).waves[0].files


def put(installation: Installation, files: list[ExportFile]) -> None:
    """Drop exports into the folders."""
    drop(files, installation.input.parent)


@contextmanager
def table_locked(installation: Installation, table: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody keeps a table to himself, so that whoever wants to write to it waits."""
    with psycopg.connect(installation.url) as connection:
        connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE".encode())
        yield connection


def states(installation: Installation) -> set[str]:
    """The states of all items."""
    return set(installation.outcomes().values())


def test_a_pause_lets_nothing_begin_is_shown_with_its_author_and_outlives_a_restart(
    install: Callable[..., Installation], night: list[ExportFile]
) -> None:
    installation = install()
    installation.start()

    paused = installation.run("pause")
    assert (paused.returncode, paused.stdout) == (0, "Paused. Go on with: qbwatch resume\n")
    put(installation, night[:1])
    wait_until(lambda: states(installation) == {"pending"}, 20, "the file to be taken in")

    assert installation.stop() == 0
    installation.launch()
    wait_until(lambda: installation.status()["daemon"]["state"] == "paused", 30, "it to be up again, and paused")
    status = installation.status()
    assert status["daemon"]["paused"]["by"] == ME
    assert status["health"] == "warning"
    (problem,) = [each for each in status["problems"] if each["code"] == "paused"]
    assert problem["since"] == status["daemon"]["paused"]["since"]
    text = installation.run("status").stdout
    assert f"paused by {ME}" in text
    assert "qbwatch resume" in text
    assert states(installation) == {"pending"}
    assert f"uid={os.geteuid()}" in installation.log

    assert installation.run("resume").stdout == "Going on.\n"
    installation.wait_settled(1)
    assert states(installation) == {"loaded"}
    assert installation.status()["daemon"]["paused"] is None
    assert installation.run("resume").stdout == "It was not paused.\n"


def test_a_pause_during_a_run_ends_it_after_the_file_in_hand(
    install: Callable[..., Installation], night: list[ExportFile]
) -> None:
    installation = install()
    installation.start()
    installation.run("pause")
    put(installation, night[:3])
    wait_until(lambda: len(installation.outcomes()) >= 3, 20, "the files to be taken in")
    with table_locked(installation, "raw.quickbooks_customers"):
        installation.run("resume")
        wait_until(lambda: installation.status()["current_run"], 20, "the run to begin")
        said = installation.json("pause")
        assert said["was_running"] is True
    wait_until(lambda: installation.status()["daemon"]["state"] == "paused", 30, "the run to end")

    assert sorted(installation.outcomes().values()) == ["loaded", "pending", "pending"]
    assert installation.status()["last_run"]["status"] == "cancelled"
    assert installation.status()["transform"]["debt"], "dbt was not begun"

    installation.run("resume")
    installation.wait_settled(3)
    assert states(installation) == {"loaded"}


def test_stop_run_rolls_the_file_in_hand_back_although_its_statement_waits(
    install: Callable[..., Installation], night: list[ExportFile]
) -> None:
    installation = install()
    installation.start()
    with table_locked(installation, "raw.quickbooks_customers"):
        put(installation, night[:1])
        wait_until(lambda: states(installation) == {"loading"}, 30, "it to be loaded")
        stopped = installation.run("stop-run", timeout=60)
        assert stopped.returncode == 0, stopped.stderr
        assert states(installation) == {"pending"}
    status = installation.status()
    assert (status["daemon"]["state"], status["last_run"]["status"]) == ("paused", "cancelled")
    assert installation.query("SELECT count(*) FROM raw.quickbooks_customers") == [(0,)]
    assert "the current run is cancelled" in installation.log
    assert installation.run("stop-run").returncode == 1

    installation.run("resume")
    installation.wait_settled(1)
    assert states(installation) == {"loaded"}
    assert installation.query("SELECT attempt FROM qbwatch.work_items") in ([(0,)], [(1,)])


def test_stop_run_interrupts_dbt_and_ends_its_queries(
    tmp_path: Path, install: Callable[..., Installation], night: list[ExportFile]
) -> None:
    project = tmp_path / "dbt"
    shutil.copytree(shipped("dbt"), project)
    stands_on = "(select count(*) from {{ ref('stg_quickbooks__customers') }}) as customers"
    (project / "models/marts/fct_sleepy.sql").write_text(f"select pg_sleep(300)::text as slept, {stands_on}")
    installation = install(extra=f'\n[transform]\nproject = "{project}"\n')
    installation.start()
    put(installation, night[:1])
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND state = 'active'"
    wait_until(lambda: installation.query(sleeping) == [(1,)], 90, "dbt to sleep")
    node = installation.status()["current_run"]["node"]
    assert 1 <= node["number"] <= node["total"]
    said = " ".join(installation.run("status").stdout.split())  # a node with a long name stands on the next line
    assert f" of {node['total']}: " in said

    stopped = installation.run("stop-run", timeout=90)

    assert stopped.returncode == 0, stopped.stderr
    assert installation.query(sleeping) == [(0,)]
    status = installation.status()
    assert status["last_run"]["status"] == "cancelled"
    assert status["transform"]["debt"] == ["quickbooks.customers"]
    assert states(installation) == {"loaded"}


def test_requests_wait_their_turn_and_are_seen(install: Callable[..., Installation], night: list[ExportFile]) -> None:
    installation = install()
    installation.start()
    put(installation, night[:1])
    installation.wait_settled(1)
    done: list[subprocess.CompletedProcess[str]] = []

    def call(*words: str) -> threading.Thread:
        thread = threading.Thread(target=lambda: done.append(installation.run(*words)))
        thread.start()
        return thread

    with table_locked(installation, "qbwatch.runs"):
        threads = [call("transform", "--select", "stg_quickbooks__customers")]
        wait_until(lambda: names(installation) == ["transform"], 30, "the first request to be in hand")
        threads.append(call("rebuild", "--dataset", "customers"))
        wait_until(lambda: names(installation) == ["transform", "rebuild"], 30, "the second to wait")
        assert {each["by"] for each in installation.status()["daemon"]["requests"]} == {ME}
        assert f"asked for: transform by {ME}, rebuild by {ME}" in " ".join(installation.run("status").stdout.split())
    for thread in threads:
        thread.join(90)

    assert [each.returncode for each in done] == [0, 0], done
    assert names(installation) == []


def names(installation: Installation) -> list[str]:
    """What is asked for."""
    return [each["request"] for each in installation.status()["daemon"]["requests"]]


@pytest.mark.parametrize("with_daemon", [True, False], ids=["daemon", "by itself"])
def test_transform_builds_what_was_loaded_and_what_is_named(
    install: Callable[..., Installation], night: list[ExportFile], with_daemon: bool
) -> None:
    installation = install()
    put(installation, night[:1])
    assert installation.run("once").returncode == 0
    with psycopg.connect(installation.url, autocommit=True) as connection:
        connection.execute("TRUNCATE analytics_mart.fct_customers")
    if with_daemon:
        installation.start()

    named = installation.json("transform", "--select", "stg_quickbooks__customers")["run"]
    still = installation.query("SELECT count(*) FROM analytics_mart.fct_customers")
    everything = installation.json("transform", "--full-refresh")["run"]
    wrong = installation.run("transform", "--select", "no_such_model")

    assert (named["status"], named["transform"], still) == ("success", "built", [(0,)])
    assert (everything["status"], everything["loaded"]) == ("success", 0)
    assert installation.query("SELECT count(*) > 0 FROM analytics_mart.fct_customers") == [(True,)]
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stderr
    assert installation.status()["transform"]["debt"] == []


def test_without_a_daemon_there_is_nothing_to_steer(install: Callable[..., Installation]) -> None:
    installation = install()

    for command in ("pause", "resume", "stop-run"):
        done = installation.run(command)
        assert (done.returncode, done.stdout) == (1, "")
        assert "the daemon is not running" in done.stderr
