"""Three roles for one database, so that nobody may do more than his work: printed as SQL, for a person to run.

The *loader* is who `database.url` names: it owns the ledger and the raw tables. The *transformer* is whom dbt works as
(`transform.role`): it reads the raw tables and owns what it builds; whatever a model does, it can't change what was
loaded. The *reader* is for the dashboard: the marts, and the views for people, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

TRANSFORMER, READER = "qbwatch_transformer", "qbwatch_reader"
_LAYERS = ("staging", "intermediate", "mart")
_VIEWS = ("processed_files", "pipeline_metadata", "pipeline_status", "pending_files_view")
_MAKE_ROLE = """\
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} NOLOGIN; END IF;
END $$;"""
_HAND_OVER = """\
DO $$ DECLARE each record; BEGIN
  FOR each IN SELECT oid::regclass AS name, relkind FROM pg_class
    WHERE relnamespace::regnamespace::text IN ({schemas}) AND relkind IN ('r', 'v', 'm')
      AND relowner <> '{role}'::regrole
  LOOP EXECUTE format('ALTER %s %s OWNER TO {role}', CASE each.relkind WHEN 'v' THEN 'VIEW' WHEN 'm'
    THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, each.name); END LOOP;
END $$;"""


def roles_sql(database: str, loader: str, target_schema: str) -> str:
    """The statements; to be run by a superuser in that database, and again after an upgrade or at any time."""
    loads, built = quoted(loader), [f"{target_schema}_{layer}" for layer in _LAYERS]
    lines = [
        f"-- Roles for qbwatch in the database {database}; run it as a superuser, as often as you like:",
        f"--   qbwatch doctor --roles | runuser -u postgres -- psql -v ON_ERROR_STOP=1 -d {quoted(database)}",
        f'-- then set role = "{TRANSFORMER}" in [transform], and give the dashboard\'s login its rights:',
        f"--   GRANT {READER} TO …;",
        "BEGIN;",
        *(_MAKE_ROLE.format(role=role) for role in (TRANSFORMER, READER)),
        "-- The loader may work as the transformer, and reads what that builds.",
        f"GRANT {TRANSFORMER} TO {loads};",
        f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {quoted(database)} TO {loads}, {TRANSFORMER};",
        *_loaded(loads),
        *_built(built),
        *_read(built[-1]),
        "COMMIT;",
    ]
    return "\n".join(lines) + "\n"


def quoted(name: str) -> str:
    """A name as SQL spells it."""
    return '"' + name.replace('"', '""') + '"'


def _loaded(loads: str) -> list[str]:
    return [
        "-- What is loaded: the loader's, and readable by the transformer.",
        *(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {loads};" for schema in ("qbwatch", "raw")),
        f"GRANT USAGE ON SCHEMA raw TO {TRANSFORMER};",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA raw TO {TRANSFORMER};",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {loads} IN SCHEMA raw GRANT SELECT ON TABLES TO {TRANSFORMER};",
    ]


def _built(schemas: Sequence[str]) -> list[str]:
    return [
        "-- What is built: the transformer's.",
        *(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)} AUTHORIZATION {TRANSFORMER};" for schema in schemas),
        *(f"ALTER SCHEMA {quoted(schema)} OWNER TO {TRANSFORMER};" for schema in schemas),
        _HAND_OVER.format(schemas=", ".join(f"'{schema}'" for schema in schemas), role=TRANSFORMER),
    ]


def _read(mart: str) -> list[str]:
    views = ", ".join(f"'{view}'" for view in _VIEWS)
    return [
        "-- What is read: the marts, and the views for people.",
        f"GRANT USAGE ON SCHEMA {quoted(mart)}, qbwatch TO {READER};",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {quoted(mart)} TO {READER};",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {TRANSFORMER} IN SCHEMA {quoted(mart)} GRANT SELECT ON TABLES TO {READER};",
        "DO $$ DECLARE each name; BEGIN",
        f"  FOR each IN SELECT viewname FROM pg_views WHERE schemaname = 'qbwatch' AND viewname IN ({views})",
        f"  LOOP EXECUTE format('GRANT SELECT ON qbwatch.%I TO {READER}', each); END LOOP;",
        "END $$;",
    ]
