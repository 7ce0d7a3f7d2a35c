"""The three configuration files of the private Postgres, as text. They are written anew at each start.

Whoever wants to tune it uses ``ALTER SYSTEM``: that file is left alone and wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

ROLE = "qbwatch"

_ALWAYS = {
    "listen_addresses": "",  # no network at all: the socket is the only door
    "unix_socket_permissions": "0600",
    "max_connections": "50",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "min_wal_size": "64MB",
    # Segments in /dev/shm are removed by logind when the user who started us logs out; files in the data folder aren't.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "iso, ymd",
    "lc_messages": "C",
    # One file per weekday, overwritten a week later. An error goes to the client who caused it, and not in here: it
    # quotes the firm's data, and one that repeats would fill the disk.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgres-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}

# For a database that a power cut may ruin. A killed server still keeps what was committed: synchronous_commit stays on.
_DISPOSABLE = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def postgresql_conf(socket_directory: Path, *, durable: bool) -> str:
    """Settings of the server; not ``durable`` gives up surviving a power cut for speed (tests, demo)."""
    settings = {**_ALWAYS, "unix_socket_directories": _listed(socket_directory), **({} if durable else _DISPOSABLE)}
    lines = (f"{name} = {_quoted(value)}" for name, value in settings.items())
    return "# Written by qbwatch at each start; use ALTER SYSTEM to change a setting.\n" + "\n".join(lines) + "\n"


def hba_conf() -> str:
    """Who may come in: over the socket, as the one role, whom the kernel says is one of the listed users."""
    return f"local all {ROLE} peer map={ROLE}\n"


def ident_conf(logins: Iterable[str]) -> str:
    """The system users that are let in as the role."""
    return "".join(f'{ROLE} "{login}" {ROLE}\n' for login in sorted(set(logins)))


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _listed(path: Path) -> str:
    """A path as one entry of a comma-separated list setting."""
    return '"' + str(path).replace('"', '""') + '"'
