"""Three roles with no more rights than they need: the SQL that doctor prints, run, and each right tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from qbwatch.core.database_roles import READER, TRANSFORMER, roles_sql
from qbwatch.edges.dbt import Dbt, DbtSettings, Outcome
from qbwatch.edges.migrate import migrate
from qbwatch.edges.shipped import shipped

LOADER = "loader_of_tests"


@pytest.fixture
def loader_url(empty_database_url: str) -> Iterator[str]:
    """A database in which the roles were made, as the loader reaches it; the roles are gone afterwards."""
    name = str(conninfo_to_dict(empty_database_url)["dbname"])
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(LOADER)))
        for _ in range(2):  # it may be run again
            connection.execute(roles_sql(name, LOADER, "analytics").encode())
        yield make_conninfo(empty_database_url, options=f"-c role={LOADER}")
        for role in (LOADER, TRANSFORMER, READER):
            connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(role)))
        for role in (LOADER, TRANSFORMER, READER):
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def refused(url: str, role: str, statement: str) -> bool:
    """Whether a statement is denied to a role."""
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        try:
            connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            return True
        return False


def test_names_are_quoted_as_sql_wants_it() -> None:
    said = roles_sql('the "books"', "o'brien\"s", "analytics")

    assert 'ON DATABASE "the ""books""" TO "o\'brien""s", qbwatch_transformer;' in said


def test_each_role_can_do_its_work_and_nothing_else(loader_url: str, empty_database_url: str, tmp_path: Path) -> None:
    migrate(loader_url)
    settings = DbtSettings(shipped("dbt"), tmp_path / "state", loader_url, role=TRANSFORMER)
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(roles_sql(connection.info.dbname, LOADER, "analytics").encode())  # the views exist by now

    result = Dbt(settings).build()

    assert result.outcome is Outcome.BUILT, result
    with psycopg.connect(loader_url) as connection:
        owners = connection.execute(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'analytics_mart'"
        ).fetchall()
        assert owners == [(TRANSFORMER,)]
        connection.execute("SELECT count(*) FROM analytics_mart.fct_orders")
        may = connection.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", (LOADER, TRANSFORMER)).fetchone()
        assert may == (True,)
    for statement in (
        "DELETE FROM raw.quickbooks_invoices",
        "DROP TABLE raw.quickbooks_invoices CASCADE",
        "SELECT count(*) FROM qbwatch.files",
        "UPDATE qbwatch.work_items SET state = 'loaded'",
    ):
        assert refused(empty_database_url, TRANSFORMER, statement), statement
    for statement in ("SELECT * FROM analytics_mart.fct_orders", "SELECT * FROM qbwatch.processed_files"):
        assert not refused(empty_database_url, READER, statement), statement
    for statement in (
        "DELETE FROM analytics_mart.fct_orders",
        "SELECT * FROM raw.quickbooks_invoices",
        "SELECT * FROM analytics_staging.stg_quickbooks__invoices",
        "SELECT * FROM qbwatch.files",
        "CREATE SCHEMA mine",
    ):
        assert refused(empty_database_url, READER, statement), statement
