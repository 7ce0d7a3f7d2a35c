"""Bring the database to this version's shape: qbwatch's own schema by Alembic, the raw tables from the declarations.

Runs at every start, under a lock, so that two processes starting together don't collide. Alembic itself is needed once
in a version's life and weighs a tenth of the daemon: whether there is anything to do is seen without it, and what there
is to do, a process of its own does.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict

from sqlalchemy import Connection, text

from qbwatch.core.model import Failure, FailureClass, QbwatchError
from qbwatch.edges import item_prices, places
from qbwatch.edges.ledger_shape import drift_of
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, engine_for, failure_of
from qbwatch.edges.raw_names import RAW_SCHEMA
from qbwatch.edges.shipped import shipped
from qbwatch.edges.tables import ensure_raw_tables
from qbwatch.log import get_logger

log = get_logger(__name__)

_LOCK = (0x7162, 2)
_REVISION = re.compile(r"^revision = [\"'](.+)[\"']", re.MULTILINE)
_ABOVE = re.compile(r"^down_revision = [\"'](.+)[\"']", re.MULTILINE)
_CURRENT = "SELECT version_num FROM qbwatch.alembic_version"
_IS_THERE = "SELECT to_regclass('qbwatch.alembic_version') IS NOT NULL"


def migrate(url: str, raw_schema: str = RAW_SCHEMA) -> None:
    """Create or upgrade everything qbwatch needs in the database; the raw tables in ``raw_schema``.

    A raw table that had to be created holds nothing, whatever was loaded before: a changed ``raw_schema`` gives such
    tables, and so does one that somebody dropped. The ledger then says of the loaded parts that no table holds them,
    and the next run folds them anew from the vault. Raises `DatabaseUnavailable`, `ForeignTables` where somebody
    else's tables have the names of ours, or `QbwatchError` when the database belongs to a newer qbwatch.
    """
    engine = engine_for(url, name="qbwatch-migrate")
    try:
        with engine.connect() as connection:
            current = _revision_of(connection)
        if current != head():
            _upgrade_in_a_child(url)
        with engine.begin() as connection:
            _lock(connection)
            if drift := drift_of(connection):
                log.error(
                    "the ledger is not as its migrations left it; `qbwatch doctor` says more", lacks=list(drift[:5])
                )
            created = ensure_raw_tables(connection, raw_schema)
            if item_prices.ensure_table(connection, raw_schema):
                created.append(item_prices.ITEMS)
            places.set_unfolded(connection, created)
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(failure_of(error)) from error
    finally:
        engine.dispose()


def head() -> str:
    """The newest revision of the shipped migrations: the one that no other stands on."""
    texts = [path.read_text("utf-8") for path in (shipped("migrations") / "versions").glob("*.py")]
    below = {found[1] for text in texts if (found := _ABOVE.search(text))}
    (newest,) = {found[1] for text in texts if (found := _REVISION.search(text))} - below
    return newest


def revisions() -> frozenset[str]:
    """All revisions of the shipped migrations."""
    texts = [path.read_text("utf-8") for path in (shipped("migrations") / "versions").glob("*.py")]
    return frozenset(found[1] for text in texts if (found := _REVISION.search(text)))


def upgrade(url: str) -> None:
    """Run what Alembic has to do, in this process. Raises as `migrate` does."""
    engine = engine_for(url, name="qbwatch-migrate")
    try:
        with engine.begin() as connection:
            _lock(connection)
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS qbwatch"))
            _upgrade(connection)
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(failure_of(error)) from error
    finally:
        engine.dispose()


def _revision_of(connection: Connection) -> str | None:
    with connection.begin():
        if not connection.scalar(text(_IS_THERE)):
            return None
        found: str | None = connection.scalar(text(_CURRENT))
        return found


def _lock(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:a, :b)"), {"a": _LOCK[0], "b": _LOCK[1]})


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    current = connection.scalar(text(_CURRENT)) if connection.scalar(text(_IS_THERE)) else None
    try:
        if current is not None:
            ScriptDirectory.from_config(config).get_revision(current)
    except CommandError:
        raise QbwatchError(
            f"the database was upgraded by a newer qbwatch (its schema is {current})",
            "install that version, or a newer one",
        ) from None
    command.upgrade(config, "head")


def _upgrade_in_a_child(url: str) -> None:
    """The URL goes by a pipe: an argument would show its password to everybody on the machine."""
    done = subprocess.run(
        [sys.executable, "-m", "qbwatch.edges.migrate"], input=url, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return
    try:
        told = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        last = (done.stderr.strip().splitlines() or [f"it ended with exit code {done.returncode}"])[-1]
        raise QbwatchError(f"the database can't be upgraded: {last}", "see the journal") from None
    if failure := told.get("failure"):
        raise DatabaseUnavailable(Failure(**{**failure, "failure_class": FailureClass(failure["failure_class"])}))
    raise QbwatchError(told["message"], told["hint"])


def _main() -> int:
    try:
        upgrade(sys.stdin.read())
    except DatabaseUnavailable as error:
        print(json.dumps({"failure": asdict(error.failure)}))  # noqa: T201 (the answer to the parent)
        return 1
    except QbwatchError as error:
        print(json.dumps({"message": error.message, "hint": error.hint}))  # noqa: T201 (likewise)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
