"""The database is brought to this version's shape, or it is said why not."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest

from qbwatch.core.model import QbwatchError
from qbwatch.edges.migrate import head, migrate
from qbwatch.edges.postgres import DatabaseUnavailable


def test_an_empty_database_gets_its_tables_and_a_second_time_changes_nothing(empty_database_url: str) -> None:
    for _ in range(2):
        migrate(empty_database_url)
        with psycopg.connect(empty_database_url) as connection:
            assert connection.execute("SELECT version_num FROM qbwatch.alembic_version").fetchall() == [(head(),)]
            assert connection.execute("SELECT count(*) FROM qbwatch.files").fetchall() == [(0,)]


def test_a_database_of_a_newer_version_is_left_alone(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE qbwatch.alembic_version SET version_num = '9999'")
    with pytest.raises(QbwatchError, match="newer qbwatch"):
        migrate(database_url)


def test_a_database_that_is_away_is_unavailable() -> None:
    with pytest.raises(DatabaseUnavailable):
        migrate("postgresql://nobody@/nothing?host=/nonexistent")


@pytest.mark.parametrize("module", ["alembic", "rich", "holidays"])
def test_the_daemon_does_not_load_what_it_needs_once_in_its_life(database_url: str, module: str) -> None:
    code = (
        "import sys, qbwatch.daemon; from qbwatch.edges.migrate import migrate; migrate(sys.argv[1]); "
        f"sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, database_url], check=False).returncode == 0
