"""Builds in a row, many of them: memory, descriptors, processes, sessions and logs stay what they are.

A few by default; as many as QBWATCH_CHAOS_BUILDS says otherwise.
"""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
from measuring import memory_mb, open_files, show_facts

from qbwatch.edges.dbt import LOG_FILE_BYTES, Dbt, DbtSettings, Outcome

BUILDS = int(os.environ.get("QBWATCH_CHAOS_BUILDS", "20"))
SETTLED_AFTER = 5  # builds after which nothing is new any more
KEPT_LOGS = 6  # dbt keeps five beside the one it writes


@pytest.mark.timeout(7200)
def test_many_builds_in_a_row(empty_database_url: str, tmp_path: Path) -> None:
    (tmp_path / "project" / "models").mkdir(parents=True)
    (tmp_path / "project" / "dbt_project.yml").write_text("name: small\nversion: '1.0'\nprofile: elsewhere\n")
    (tmp_path / "project" / "models" / "one.sql").write_text("{{ config(materialized='table') }} select 1 as n")
    dbt = Dbt(DbtSettings(tmp_path / "project", tmp_path / "state", empty_database_url))
    dbt.warm_up()
    try:
        for _ in range(SETTLED_AFTER):
            assert dbt.build().outcome is Outcome.BUILT
        pid = dbt.warm_pid
        assert pid is not None
        before = (memory_mb(os.getpid()), memory_mb(pid), open_files(os.getpid()), open_files(pid), semaphores())
        invocations = set()
        for _ in range(BUILDS):
            built = dbt.build()
            assert (built.outcome, built.cold_because) == (Outcome.BUILT, None)
            invocations.add(built.invocation_id)
        after = (memory_mb(os.getpid()), memory_mb(pid), open_files(os.getpid()), open_files(pid), semaphores())
        assert dbt.warm_pid == pid
    finally:
        dbt.close()

    logs = [path.stat().st_size for path in (tmp_path / "state/dbt/logs").iterdir()]
    names = ("memory here, MB", "memory of the warm dbt, MB", "descriptors here", "its descriptors", "semaphores")
    figures = [(name, f"{was:.1f} → {now:.1f}") for name, was, now in zip(names, before, after, strict=True)]
    show_facts(f"{BUILDS} builds in a row", [*figures, ("logs", f"{len(logs)} files, {sum(logs) / 1e6:.1f} MB")])
    assert len(invocations) == BUILDS
    assert after[0] < before[0] + 5
    assert after[1] < before[1] + 10  # it also compiles macros while nobody asks
    assert after[2:4] == before[2:4]
    assert after[4] < before[4] + max(BUILDS / 2, 10)  # other processes of the machine have some, too
    assert len(logs) <= KEPT_LOGS
    assert max(logs) <= LOG_FILE_BYTES * 1.1
    assert sorted(path.name for path in (tmp_path / "state/dbt").iterdir()) == [
        "logs",
        "partial_parse.msgpack",
        "partial_parse.sha256",
        "profiles.yml",
    ]
    with psycopg.connect(empty_database_url) as connection:
        left = connection.execute("select count(*) from pg_stat_activity where application_name = 'qbwatch-dbt'")
        assert left.fetchone() == (0,)


def semaphores() -> int:
    """What processes that didn't clean up would leave in shared memory."""
    return len([path for path in Path("/dev/shm").glob("sem.*") if path.is_file()])
