"""dbt where a service runs: a project that is read-only, no home, another profile, and things that are missing."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import threading
from importlib.metadata import requires, version
from pathlib import Path

import psycopg
import pytest
from packaging.requirements import Requirement
from small_dbt import MakeDbt, Project, sleeping_sessions
from waiting import wait_until

from qbwatch.edges.dbt import Outcome, TransformResult

TWO_MODELS = {"one": "select 1 as n", "two": "{{ config(materialized='table') }} select n from {{ ref('one') }}"}


def as_it_lies(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Everything below a folder, with what changes when it is written to, folders included."""
    looks = {str(path): path.lstat() for path in (folder, *folder.rglob("*"))}
    return {path: (look.st_size, look.st_mtime_ns, look.st_mode) for path, look in looks.items()}


@pytest.mark.parametrize("is_warm", [False, True], ids=["cold", "warm"])
def test_a_project_that_is_read_only_is_built_without_a_home(
    is_warm: bool, project: Project, make_dbt: MakeDbt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(**TWO_MODELS)
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.chdir("/")
    before, around = as_it_lies(folder), set(os.listdir("/"))
    dbt = make_dbt(folder)
    if is_warm:
        dbt.warm_up()

    built, tested = dbt.build(), dbt.test()

    assert built.outcome is Outcome.BUILT, built
    assert (built.cold_because is None) is is_warm
    assert tested.outcome is Outcome.CONFIGURATION  # there are none
    assert as_it_lies(folder) == before
    assert set(os.listdir("/")) == around
    assert (tmp_path / "state/dbt/logs").is_dir()


def test_a_profile_in_the_project_is_not_ours(
    project: Project, make_dbt: MakeDbt, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(**TWO_MODELS)
    (folder / "profiles.yml").write_text(
        "elsewhere:\n  target: far\n  outputs:\n    far: {type: postgres, host: nowhere, port: 1, user: u,"
        " password: \"{{ env_var('NOT_SET_AT_ALL') }}\", dbname: d, schema: s}\n"
    )
    monkeypatch.setenv("DBT_PROFILES_DIR", str(folder))
    monkeypatch.chdir(folder)

    assert make_dbt(folder).build().outcome is Outcome.BUILT

    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("select n from analytics.two").fetchone() == (1,)


def test_a_variable_that_is_missing_is_named_and_a_package_too(
    project: Project, make_dbt: MakeDbt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DBT_ENV_SECRET_TOKEN", raising=False)
    folder = project(one="select '{{ env_var(\"DBT_ENV_SITE_TOKEN\") }}' as site")

    unset = make_dbt(folder).build()

    assert (unset.outcome, unset.is_transient) == (Outcome.CONFIGURATION, False)
    assert "DBT_ENV_SITE_TOKEN" in unset.message
    (folder / "models" / "one.sql").write_text("select 1 as n")
    (folder / "packages.yml").write_text("packages:\n  - {package: dbt-labs/dbt_utils, version: 1.3.0}\n")
    missing = make_dbt(folder).build()
    assert (missing.outcome, missing.is_transient) == (Outcome.CONFIGURATION, False)
    assert "dbt_packages" in missing.message or "dbt deps" in missing.message


def test_results_that_are_removed_during_the_build_are_not_taken_from_elsewhere(
    project: Project, make_dbt: MakeDbt, tmp_path: Path, empty_database_url: str
) -> None:
    dbt = make_dbt(project(slow="{{ config(materialized='table') }} select 1 as n from pg_sleep(120)", one="select 1"))
    assert dbt.build(["one"]).outcome is Outcome.BUILT

    def sweep() -> None:
        (pid, *_) = wait_until(lambda: sleeping_sessions(empty_database_url), 60, "the query to run")
        for target in (tmp_path / "state/dbt").glob("target-*"):
            shutil.rmtree(target)
        with psycopg.connect(empty_database_url) as connection:
            connection.execute("select pg_cancel_backend(%s)", [pid])

    asked: list[bool] = []

    def never() -> bool:
        if sleeping_sessions(empty_database_url) and not asked:
            asked.append(True)
            sweep()
        return False

    result = dbt.build(["slow"], should_stop=never)

    assert asked
    assert not result.succeeded
    assert result.message


def test_a_build_from_another_thread_leaves_our_handlers_and_log_alone(project: Project, make_dbt: MakeDbt) -> None:
    dbt = make_dbt(project(**TWO_MODELS))
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers], list(logging.getLogger().handlers)
    results: list[TransformResult] = []

    builder = threading.Thread(target=lambda: results.append(dbt.build()))
    builder.start()
    builder.join()

    assert [each.outcome for each in results] == [Outcome.BUILT]
    assert ([signal.getsignal(number) for number in numbers], list(logging.getLogger().handlers)) == before
    assert "dbt.cli.main" not in sys.modules


def test_dbt_is_bounded_to_releases_with_a_python_api_that_download_nothing() -> None:
    (bounds,) = [each.specifier for each in map(Requirement, requires("qbwatch") or []) if each.name == "dbt-core"]

    assert not any(bounds.contains(release) for release in ("1.10.9", "1.12.0", "2.0.0", "2.0.1"))
    assert bounds.contains(version("dbt-core"))
