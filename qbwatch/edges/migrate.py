"""Bring the database to this version's shape: qbwatch's own schema by Alembic, the raw tables from the declarations.

Runs at every start, under a lock, so that two processes starting together don't collide. Alembic is imported only when
there is something to do: it would be a fifth of a daemon's start.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from qbwatch.core.model import QbwatchError
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
            if _revision(connection) != _newest():
                _upgrade(connection)
            ensure_raw_tables(connection)
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(failure_of(error)) from error
    finally:
        engine.dispose()


def _revision(connection: Connection) -> str | None:
    """What Alembic last brought the database to; None before its first time."""
    if connection.scalar(text("SELECT to_regclass('qbwatch.alembic_version')")) is None:
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM qbwatch.alembic_version"))
    return found


def _newest() -> str:
    """The newest revision that we have: our migrations are one line, and their files begin with their number."""
    return max(path.name.partition("_")[0] for path in (shipped("migrations") / "versions").glob("[0-9]*_*.py"))


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    current = _revision(connection)
    try:
        if current is not None:
            ScriptDirectory.from_config(config).get_revision(current)
    except CommandError:
        raise QbwatchError(
            f"the database was upgraded by a newer qbwatch (its schema is {current})",
            "install that version, or a newer one",
        ) from None
    command.upgrade(config, "head")
