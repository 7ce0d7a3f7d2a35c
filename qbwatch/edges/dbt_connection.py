"""How dbt reaches the database: libpq's own reading of the URL, handed over in the environment.

dbt's profile knows host, port, user, password and database name and little else, while a libpq URL may name a socket
folder, several hosts, a service, a password file or certificates. So libpq resolves the URL once, by connecting; the
five values that result go to dbt in variables that the profile reads, every other option in the variable libpq has for
it (``sslrootcert`` as ``PGSSLROOTCERT``). The attempt also finds an absent database at once, not after dbt's start.

The profile itself is the same for everybody and holds no secret.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import conninfo, pq

from qbwatch.core.model import QbwatchError
from qbwatch.edges.dbt_result import Outcome, TransformResult
from qbwatch.edges.dbt_trouble import is_about_rights

APPLICATION_NAME = "qbwatch-dbt"
PROFILE_NAME = "qbwatch"
THREADS = 4
CONNECT_TIMEOUT_SECONDS = 10
HURRIED_TIMEOUT_SECONDS = 3  # when somebody waits for us to stop

# dbt hides the values of variables whose names begin like this in everything that it logs.
_PASSWORD = "DBT_ENV_SECRET_QBWATCH_PASSWORD"

PROFILE = f"""\
{PROFILE_NAME}:
  target: {PROFILE_NAME}
  outputs:
    {PROFILE_NAME}:
      type: postgres
      host: "{{{{ env_var('QBWATCH_DBT_HOST') }}}}"
      port: "{{{{ env_var('QBWATCH_DBT_PORT') | as_number }}}}"
      user: "{{{{ env_var('QBWATCH_DBT_USER') }}}}"
      password: "{{{{ env_var('{_PASSWORD}') }}}}"
      dbname: "{{{{ env_var('QBWATCH_DBT_DATABASE') }}}}"
      schema: "{{{{ env_var('QBWATCH_DBT_SCHEMA') }}}}"
      role: "{{{{ env_var('QBWATCH_DBT_ROLE') }}}}"
      threads: {THREADS}
      connect_timeout: {CONNECT_TIMEOUT_SECONDS}
      application_name: {APPLICATION_NAME}
"""

_IN_PROFILE = frozenset(
    {"host", "port", "user", "password", "dbname", "application_name", "fallback_application_name", "connect_timeout"}
)
# Not for dbt: who talks to the service manager, and our own settings, which hold secrets of alert services.
_WITHHELD = ("NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_", "CREDENTIALS_DIRECTORY", "QBWATCH_", "DATABASE_URL", "PGPASSWORD")
_WITHHELD_OF_DBT = "DBT_"  # would change the flags we set …
_OWN_OF_PROJECT = "DBT_ENV_"  # … but these are values that the firm's own project may read


@dataclass(frozen=True, slots=True)
class Reached:
    """The database that was reached, as dbt's profile wants it."""

    host: str
    port: int
    user: str
    database: str
    password: str = field(repr=False)
    options: Mapping[str, str] = field(repr=False)

    def environment(self, target_schema: str, timezone: str, role: str = "") -> dict[str, str]:
        """The environment for a dbt process: ours without what isn't for it, and the connection.

        ``timezone`` is that of the database sessions: a moment becomes a day there as in the office. ``role`` is whom
        they work as after the login; empty: as who logged in.
        """
        return {
            **{name: value for name, value in os.environ.items() if _is_passed_on(name)},
            "PGTZ": timezone,
            **self.options,
            "LC_ALL": "C.UTF-8",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
            "QBWATCH_DBT_HOST": self.host,
            "QBWATCH_DBT_PORT": str(self.port),
            "QBWATCH_DBT_USER": self.user,
            "QBWATCH_DBT_DATABASE": self.database,
            "QBWATCH_DBT_SCHEMA": target_schema,
            "QBWATCH_DBT_ROLE": role,
            _PASSWORD: self.password,
        }

    def masked(self, text: str) -> str:
        """The text without the password, should somebody have printed it."""
        return text.replace(self.password, "*****") if self.password else text


def reach(database_url: str) -> Reached | TransformResult:
    """Resolve a libpq URL by connecting. A result instead of a connection says why there is none."""
    try:
        with psycopg.connect(_introduced(database_url, CONNECT_TIMEOUT_SECONDS)) as connection:
            info = connection.info
            return Reached(info.host, info.port, info.user, info.dbname, info.password, _options(database_url))
    except psycopg.OperationalError as error:
        return _unreachable(str(error))
    except psycopg.ProgrammingError as error:
        return TransformResult(
            Outcome.CONFIGURATION,
            message=f"the database URL cannot be read: {_one_line(str(error))}",
            hint="correct database.url; it is a libpq URL such as postgresql:///dashboard",
        )


def end_backends(database_url: str) -> int:
    """End the database sessions that our dbt processes opened; gives their number.

    Killing a process leaves its query running, with its locks, until the server next writes to the connection. Sessions
    are known by the application's name and are ours alone: same user, same database. Raises `QbwatchError` when the
    database cannot be asked.
    """
    statement = """
        select count(pg_terminate_backend(pid)) from pg_stat_activity
        where application_name = %s and usename = current_user and datname = current_database()
          and pid <> pg_backend_pid()
    """
    try:
        with psycopg.connect(_introduced(database_url, HURRIED_TIMEOUT_SECONDS), autocommit=True) as connection:
            ended: int = connection.execute(statement, [APPLICATION_NAME]).fetchall()[0][0]
            return ended
    except psycopg.Error as error:
        raise QbwatchError(
            f"cannot look for queries that an earlier dbt left behind: {_one_line(str(error))}",
            "check that the database is up",
        ) from error


def _introduced(database_url: str, timeout_seconds: int) -> str:
    """The URL as we use it ourselves: under our own name, and without waiting for ever unless it says so."""
    timeout = conninfo.conninfo_to_dict(database_url).get("connect_timeout") or timeout_seconds
    return conninfo.make_conninfo(database_url, connect_timeout=timeout, application_name="qbwatch")


def _options(database_url: str) -> dict[str, str]:
    """Options of the URL that the profile has no word for, under the names of libpq's environment variables."""
    return {
        option.envvar.decode(): option.val.decode()
        for option in pq.Conninfo.parse(database_url.encode())
        if option.val and option.envvar and option.keyword.decode() not in _IN_PROFILE
    }


def _is_passed_on(name: str) -> bool:
    if name.startswith(_WITHHELD):
        return False
    return not name.startswith(_WITHHELD_OF_DBT) or name.startswith(_OWN_OF_PROJECT)


def _unreachable(error: str) -> TransformResult:
    message = f"dbt was not started, the database cannot be reached: {_one_line(error)}"
    if is_about_rights(error):
        return TransformResult(Outcome.CONFIGURATION, message=message, hint="correct database.url or the role's rights")
    return TransformResult(Outcome.INFRASTRUCTURE, message=message, hint="check that Postgres is up")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def write_profile(folder: Path) -> None:
    """Put ``profiles.yml`` into the folder, readable by us alone; written beside and renamed, so never half there."""
    beside = folder / f"profiles.yml.{threading.get_ident()}"  # a warm dbt is started in another thread
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(PROFILE)
    beside.replace(folder / "profiles.yml")
