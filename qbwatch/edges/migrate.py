"""Bring the database to this version's shape: qbwatch's own schema by Alembic, the raw tables from the declarations.

Runs at every start, under a lock, so that two processes starting together don't collide.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from qbwatch.core.model import QbwatchError
from qbwatch.edges import item_prices
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, engine_for, failure_of
from qbwatch.edges.shipped import shipped
from qbwatch.edges.tables import ensure_raw_tables

_LOCK = (0x7162, 2)


def migrate(url: str) -> None:
    """Create or upgrade everything qbwatch needs in the database.

    Raises `DatabaseUnavailable`, or `QbwatchError` when the database belongs to a newer qbwatch.
    """
    engine = engine_for(url, name="qbwatch-migrate")
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:a, :b)"), {"a": _LOCK[0], "b": _LOCK[1]})
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS qbwatch"))
            _upgrade(connection)
            ensure_raw_tables(connection)
            item_prices.ensure_table(connection)
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(failure_of(error)) from error
    finally:
        engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    context = MigrationContext.configure(connection, opts={"version_table_schema": "qbwatch"})
    current = context.get_current_revision()
    if current == script.get_current_head():
        return
    try:
        if current is not None:
            script.get_revision(current)
    except CommandError:
        raise QbwatchError(
            f"the database was upgraded by a newer qbwatch (its schema is {current})",
            "install that version, or a newer one",
        ) from None
    command.upgrade(config, "head")
