"""The database is brought to this version's shape, or it is said why not."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest

from qbwatch.core.checkup import Verdict
from qbwatch.core.checkup_database import DatabaseFacts, judge_database
from qbwatch.core.model import QbwatchError
from qbwatch.edges.checkup_database import database_facts
from qbwatch.edges.ledger_shape import drift_of, shape_of
from qbwatch.edges.migrate import head, migrate
from qbwatch.edges.postgres import DatabaseUnavailable, engine_for
from qbwatch.edges.shipped import shipped


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


def test_the_shape_that_is_shipped_is_that_of_the_newest_migration(database_url: str) -> None:
    with engine_for(database_url).connect() as connection:
        shape = "".join(f"{line}\n" for line in shape_of(connection))
        file = shipped("migrations") / "shape.txt"

        assert file.read_text("utf-8") == shape, f"write into {file}:\n{shape}"
        assert list(drift_of(connection)) == []


def test_a_ledger_that_was_changed_by_hand_is_told(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE qbwatch.runs DROP COLUMN mode CASCADE")
        connection.execute("ALTER TABLE qbwatch.runs ADD COLUMN our_own_note text")

    facts = database_facts(database_url, "analytics")

    assert isinstance(facts, DatabaseFacts)
    assert [line for line in facts.drift if line.startswith("runs.mode ")]
    (finding,) = [each for each in judge_database(facts) if each.check == "migrations"]
    assert finding.verdict is Verdict.FAIL
    assert not [line for line in facts.drift if "our_own_note" in line]
    migrate(database_url)  # it isn't kept from starting: what it meets, it tells


def test_two_that_start_together_migrate_once(empty_database_url: str) -> None:
    code = "import sys; from qbwatch.edges.migrate import migrate; migrate(sys.argv[1])"
    started = [subprocess.Popen([sys.executable, "-c", code, empty_database_url]) for _ in range(3)]

    assert [process.wait(120) for process in started] == [0, 0, 0]


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
