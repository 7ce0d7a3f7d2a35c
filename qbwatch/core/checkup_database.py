"""Checks of Postgres: reachable, new enough, ours to write to, with room for one more connection, in step with us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote

from qbwatch.core.checkup import Finding, fail, ok, warn
from qbwatch.core.model import Failure

_OLDEST = 130000  # as server_version_num
_TRIED = 150000
_CONNECTIONS = 8  # that the daemon, dbt and a command may hold at the same time
_SKEW_WARN, _SKEW_FAIL = 2.0, 60.0  # seconds


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What Postgres says of itself and of us. ``schemas`` are those that exist and aren't ours to write to;
    ``skew`` is its clock less ours in seconds; ``revision`` of our tables, None before the first start."""

    name: str
    role: str
    version_num: int
    version: str
    encoding: str
    may_create: bool
    is_read_only: bool
    schemas: Sequence[str]
    connections_used: int
    connections_allowed: int
    skew: float
    revision: str | None
    wanted_revision: str
    has_newer: bool = False
    drift: Sequence[str] = ()
    round_trip_ms: float = 0.0


def judge_unreachable(failure: Failure) -> list[Finding]:
    """Postgres didn't answer, or refused us for good."""
    fix = "systemctl start postgresql  # or correct url in [database]"
    if not failure.is_transient and failure.hint:
        fix = failure.hint
    return [fail("database", f"Postgres can't be reached: {failure.reason}", fix)]


def judge_private_down() -> list[Finding]:
    """The private Postgres of the state folder doesn't run, as it needn't without the daemon."""
    return [ok("database", "the private Postgres is down; it starts with the daemon")]


def judge_database(facts: DatabaseFacts) -> list[Finding]:
    """Everything about a Postgres that answers."""
    return [
        ok("database", f"database {facts.name} as role {facts.role}, answers in {facts.round_trip_ms:.0f} ms"),
        _version(facts),
        _encoding(facts),
        _rights(facts),
        _connections(facts),
        _migrations(facts),
        _clock(facts),
    ]


def _version(facts: DatabaseFacts) -> Finding:
    fix = "pg_upgradecluster  # or name another server in [database] url"
    if facts.version_num < _OLDEST:
        return fail("database version", f"Postgres {facts.version} is too old: 13 is the oldest that could do", fix)
    if facts.version_num < _TRIED:
        return warn("database version", f"Postgres {facts.version}; qbwatch is tried on 15 and later", fix)
    return ok("database version", f"Postgres {facts.version}")


def _encoding(facts: DatabaseFacts) -> Finding:
    if facts.encoding == "UTF8":
        return ok("database encoding", "UTF8")
    fix = f"createdb --encoding UTF8 --template template0 --owner {quote(facts.role)} NEW  # and name it in [database]"
    return fail("database encoding", f"the database is in {facts.encoding}, which can't hold every name", fix)


def _rights(facts: DatabaseFacts) -> Finding:
    role, name = _identifier(facts.role), _identifier(facts.name)
    if facts.is_read_only:
        return fail("database rights", "the database is read-only (a standby, or set so)",
                    "name the primary server in [database] url")  # fmt: skip
    if facts.schemas:
        listed = ", ".join(facts.schemas)
        sql = "; ".join(f"ALTER SCHEMA {_identifier(schema)} OWNER TO {role}" for schema in facts.schemas)
        return fail(
            "database rights", f"role {facts.role} may not write to the schema {listed}", f"psql -c {quote(sql)}"
        )
    if not facts.may_create:
        sql = f"GRANT CREATE ON DATABASE {name} TO {role}"
        return fail("database rights", f"role {facts.role} may not create schemas", f"psql -c {quote(sql)}")
    return ok("database rights", "schemas can be made and written to")


def _connections(facts: DatabaseFacts) -> Finding:
    left = facts.connections_allowed - facts.connections_used
    text = f"{facts.connections_used} of {facts.connections_allowed} connections are in use"
    if left >= _CONNECTIONS:
        return ok("database connections", text)
    sql = f"ALTER SYSTEM SET max_connections = {max(facts.connections_allowed * 2, 100)}"
    return warn("database connections", f"{text}; qbwatch and dbt need up to {_CONNECTIONS}",
                f"psql -c {quote(sql)}; systemctl restart postgresql")  # fmt: skip


def _migrations(facts: DatabaseFacts) -> Finding:
    if facts.revision is None:
        return ok("migrations", "qbwatch's tables are made at the first start")
    if facts.revision == facts.wanted_revision and facts.drift:
        more = f" (and {len(facts.drift) - 1} more)" if len(facts.drift) > 1 else ""
        text = f"qbwatch's tables were changed by hand, or restored in part: they lack {facts.drift[0]}{more}"
        return fail("migrations", text, "restore schema qbwatch from a backup as a whole, or undo the change")
    if facts.revision == facts.wanted_revision:
        return ok("migrations", f"qbwatch's tables are at {facts.revision}, as this version wants them")
    if facts.has_newer:
        text = f"the tables were made by a newer qbwatch ({facts.revision}; this one knows {facts.wanted_revision})"
        return fail("migrations", text, "install that version, or a newer one")
    text = f"qbwatch's tables are at {facts.revision}; the next start brings them to {facts.wanted_revision}"
    return warn("migrations", text, "systemctl restart qbwatch")


def _clock(facts: DatabaseFacts) -> Finding:
    apart = abs(facts.skew)
    if apart < _SKEW_WARN:
        return ok("clock of the database", "agrees with this machine's")
    text = f"Postgres' clock is {apart:,.0f} s {'ahead of' if facts.skew > 0 else 'behind'} this machine's"
    fix = "timedatectl set-ntp true  # on both machines"
    return (fail if apart >= _SKEW_FAIL else warn)("clock of the database", text, fix)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
