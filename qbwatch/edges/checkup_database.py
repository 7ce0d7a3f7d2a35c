"""Facts about Postgres, for `qbwatch doctor`: one short session that only reads."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from qbwatch.core.checkup_database import DatabaseFacts
from qbwatch.core.model import Failure
from qbwatch.edges.ledger_shape import drift_of
from qbwatch.edges.mart_tables import marts_to_replace
from qbwatch.edges.migrate import head, revisions
from qbwatch.edges.postgres import DATABASE_ERRORS, engine_for, failure_of
from qbwatch.edges.raw_names import RAW_SCHEMA
from qbwatch.edges.shipped import shipped
from qbwatch.edges.tables import foreign_tables

_CONNECT_WITHIN = 3  # seconds, for each address of the server

_ASKED = """
SELECT current_database() AS name, current_user AS role, current_setting('server_version_num')::int AS version_num,
       current_setting('server_version') AS version, current_setting('server_encoding') AS encoding,
       has_database_privilege(current_database(), 'CREATE') AS may_create,
       pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool AS is_read_only,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' OR backend_type IS NULL) AS used,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS allowed,
       EXISTS (SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
               WHERE nspname = 'qbwatch' AND relname = 'alembic_version'
                 AND has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(pg_class.oid, 'SELECT')
              ) AS has_readable_ledger,
       EXISTS (SELECT FROM pg_namespace WHERE nspname = 'qbwatch') AS has_ledger"""

_CLOSED = """
SELECT nspname FROM pg_namespace
WHERE nspname = ANY(:schemas) AND NOT has_schema_privilege(oid, 'CREATE') ORDER BY 1"""


@dataclass(frozen=True, slots=True)
class Places:
    """Where qbwatch and dbt write, and the folder of the dbt project."""

    raw_schema: str = RAW_SCHEMA
    target_schema: str = "analytics"
    project: Path = field(default_factory=lambda: shipped("dbt"))


def database_facts(url: str, places: Places | None = None) -> DatabaseFacts | Failure:
    """What Postgres says, or why it doesn't; ``places`` are the usual ones unless named."""
    places = places or Places()
    built = [f"{places.target_schema}_{layer}" for layer in ("staging", "intermediate", "mart")]
    ours = ["qbwatch", places.raw_schema, *built]
    engine = engine_for(url, name="qbwatch-doctor", connect_timeout=_CONNECT_WITHIN)
    try:
        with engine.connect() as connection, connection.begin():
            connection.execute(text("SET TRANSACTION READ ONLY"))
            began = time.monotonic()
            clock: Any = connection.scalar(text("SELECT clock_timestamp()"))
            took = time.monotonic() - began
            skew = (clock - datetime.now(UTC)).total_seconds()
            said: Any = connection.execute(text(_ASKED)).one()
            closed = list(connection.scalars(text(_CLOSED), {"schemas": ours}))
            foreign = foreign_tables(connection, places.raw_schema)
            replaced: list[str] = []
            revision = None
            if said.has_readable_ledger:
                revision = connection.scalar(text("SELECT version_num FROM qbwatch.alembic_version"))
            drift = drift_of(connection) if revision == head() else ()
            if revision is not None or not said.has_ledger:  # else nobody knows whether dbt has built already
                replaced = marts_to_replace(connection, places.target_schema, places.project)
    except DATABASE_ERRORS as error:
        return failure_of(error)
    finally:
        engine.dispose()
    return DatabaseFacts(
        name=said.name,
        role=said.role,
        version_num=said.version_num,
        version=said.version.split()[0],
        encoding=said.encoding,
        may_create=said.may_create,
        is_read_only=said.is_read_only,
        schemas=closed,
        connections_used=said.used,
        connections_allowed=said.allowed,
        skew=skew,
        revision=revision,
        wanted_revision=head(),
        drift=drift,
        has_newer=revision is not None and revision not in revisions(),
        round_trip_ms=took * 1000,
        foreign=[f"{places.raw_schema}.{name}" for name in foreign],
        replaced=replaced,
    )
