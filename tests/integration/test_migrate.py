"""Bringing a database to this version's shape."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest

from qbwatch.core.model import QbwatchError
from qbwatch.edges.migrate import _newest, migrate

PROGRAM = """
import sys
from qbwatch.edges.migrate import migrate
migrate(sys.argv[1])
print("alembic" in sys.modules)
"""


def test_alembic_is_imported_only_when_there_is_something_to_do(empty_database_url: str) -> None:
    first, second = (
        subprocess.run(
            [sys.executable, "-c", PROGRAM, empty_database_url], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    )
    assert (first, second) == ("True", "False")


def test_what_the_files_say_is_newest_is_what_alembic_brings_the_database_to(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT version_num FROM qbwatch.alembic_version").fetchall() == [(_newest(),)]


def test_a_database_of_a_newer_version_is_left_alone(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE qbwatch.alembic_version SET version_num = '9999'")
    with pytest.raises(QbwatchError, match="newer qbwatch"):
        migrate(database_url)
