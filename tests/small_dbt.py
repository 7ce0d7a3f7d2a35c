"""Small dbt projects, a dbt that runs them, and a look at what it does in the database and among the processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from qbwatch.edges.dbt import Dbt, DbtSettings
from qbwatch.edges.dbt_connection import APPLICATION_NAME

SLEEPING = "{{ config(materialized='table') }} select 1 as one from pg_sleep(120)"

Project = Callable[..., Path]
MakeDbt = Callable[..., Dbt]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Writes a small dbt project: models by name (SQL), and the YAML beside them."""

    def write(yaml: str = "", **models: str) -> Path:
        folder = tmp_path / "project"
        (folder / "models").mkdir(parents=True, exist_ok=True)
        (folder / "dbt_project.yml").write_text("name: small\nversion: '1.0'\nprofile: elsewhere\n")
        (folder / "models" / "models.yml").write_text(yaml)
        for name, statement in models.items():
            (folder / "models" / f"{name}.sql").write_text(statement)
        return folder

    return write


@pytest.fixture
def make_dbt(tmp_path: Path, empty_database_url: str) -> Iterator[MakeDbt]:
    """Makes a dbt for a project; whatever it keeps warm ends with the test."""
    made: list[Dbt] = []

    def make(
        project: Path, timeout_seconds: float = 120, url: str = empty_database_url, idle_seconds: float = 600
    ) -> Dbt:
        made.append(
            Dbt(
                DbtSettings(
                    project,
                    tmp_path / "state",
                    url,
                    timeout=timedelta(seconds=timeout_seconds),
                    warm_for=timedelta(seconds=idle_seconds),
                )
            )
        )
        return made[-1]

    yield make
    for each in made:
        each.close()


def sessions(url: str, query: str = "%") -> list[int]:
    """Server processes of our dbt's sessions whose last statement is like ``query``."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select pid from pg_stat_activity where application_name = %s and datname = current_database()"
            " and query like %s",
            [APPLICATION_NAME, query],
        )
        return [pid for (pid,) in found]


def sleeping_sessions(url: str) -> list[int]:
    return sessions(url, "%pg_sleep(120)%")


def children(pid: int, called: str = "dbt-build") -> list[int]:
    """Living children of ``pid`` by their name: those that run a dbt command, or the warm dbt."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            name = (folder / "comm").read_text().strip()
        except OSError:
            continue
        if parent == pid and name == called:
            found.append(int(folder.name))
    return found


def is_alive(pid: int) -> bool:
    """False also for a zombie that nobody has collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
