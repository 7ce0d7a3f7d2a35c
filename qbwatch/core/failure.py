"""Whose fault is it, can trying again help, and what should a person do?

The tables are the whole policy: an SQLSTATE (PostgreSQL, appendix "Error Codes") is looked up by its longest matching
prefix, an error of the system by its errno (errno(3)). Faults of the infrastructure pass: they are retried with a
growing pause and never use up a file's chances. Everything else waits for a person.
"""

from __future__ import annotations

import errno
from datetime import datetime, timedelta

from qbwatch.core.model import Failure, FailureClass

_INFRA = FailureClass.INFRASTRUCTURE  # passing: tried again by itself
_CONFIG = FailureClass.CONFIGURATION  # waits for a person, as do the data's
_DATA = FailureClass.DATA

_BY_SQLSTATE: dict[str, tuple[FailureClass, str, str]] = {
    "08": (_INFRA, "database_connection", "is Postgres running and reachable? It is tried again by itself"),
    "22": (_DATA, "database_value", "Postgres refused a value: see the reason, then export the file again"),
    "23": (_DATA, "database_constraint", "the rows contradict each other: see the reason, then export the file again"),
    "25006": (_INFRA, "database_read_only", "Postgres is read-only (a standby?); it is tried again by itself"),
    "25P03": (_INFRA, "database_connection", "the session was idle for too long; it is tried again by itself"),
    "25P04": (_INFRA, "database_connection", "the transaction took too long; it is tried again by itself"),
    "28": (_CONFIG, "database_login", "check user and password in [database] url"),
    "3D000": (_CONFIG, "database_missing", "create the database, or correct [database] url"),
    "3F000": (_CONFIG, "schema_missing", "let qbwatch create its schemas: grant CREATE on the database"),
    "40": (_INFRA, "database_conflict", "another session was in the way; it is tried again by itself"),
    "42501": (_CONFIG, "database_rights", "grant the missing right to qbwatch's database user"),
    "53": (_INFRA, "database_resources", "the database server is short of resources; it is tried again by itself"),
    "53100": (_INFRA, "database_disk_full", "free disk space on the database server; it is tried again by itself"),
    "53200": (_INFRA, "database_memory", "the database server is out of memory; it is tried again by itself"),
    "53300": (_INFRA, "database_too_busy", "the server has no connection left; it is tried again by itself"),
    "54": (_DATA, "database_limit", "a value or row is too large for Postgres: see the reason, then export it again"),
    "55006": (_INFRA, "database_locked", "another session uses it; it is tried again by itself"),
    "55P03": (_INFRA, "database_locked", "another session holds a lock; it is tried again by itself"),
    "57": (_INFRA, "database_stopped", "Postgres was stopped or cancelled the query; it is tried again by itself"),
    "57P04": (_CONFIG, "database_missing", "the database was dropped: create it, or correct [database] url"),
    "58": (_INFRA, "database_system", "the database server had a system error; it is tried again by itself"),
    "72": (_INFRA, "database_conflict", "the query took too long for the server; it is tried again by itself"),
    "XX001": (_INFRA, "database_damaged", "Postgres found damaged data: check its disk, and restore a backup"),
    "XX002": (_INFRA, "database_damaged", "Postgres found a damaged index: check its disk, then REINDEX it"),
}

# A refused login reaches us as text alone: libpq passes on no SQLSTATE before there is a session.
_REFUSALS = (
    ("authentication failed", "28"),
    ("no password supplied", "28"),
    ("no pg_hba.conf entry", "28"),
    ("too many clients", "53300"),
    ("too many connections", "53300"),
    ("remaining connection slots", "53300"),
    ("is starting up", "57"),
    ("is shutting down", "57"),
    ("in recovery mode", "57"),
    ('permission denied for database "', "42501"),
    ('role "', "28"),
    ('" does not exist', "3D000"),
)

_BY_ERRNO: dict[int, tuple[FailureClass, str, str]] = {
    errno.ENOSPC: (_INFRA, "disk_full", "free space on this machine; it is tried again by itself"),
    errno.EDQUOT: (_INFRA, "disk_full", "the disk quota is used up; it is tried again by itself"),
    errno.EIO: (_INFRA, "disk_error", "the disk reports an error: check it; it is tried again by itself"),
    errno.EROFS: (_INFRA, "disk_read_only", "the disk is mounted read-only: check it; it is tried again by itself"),
    errno.ENODEV: (_INFRA, "disk_gone", "the disk is gone: mount it again; it is tried again by itself"),
    errno.ENXIO: (_INFRA, "disk_gone", "the disk is gone: mount it again; it is tried again by itself"),
    errno.ESTALE: (_INFRA, "disk_gone", "the network disk lost us: mount it again; it is tried again by itself"),
    errno.ENOTCONN: (_INFRA, "disk_gone", "the network disk is gone: mount it again; it is tried again by itself"),
    errno.ETIMEDOUT: (_INFRA, "disk_gone", "the network disk doesn't answer; it is tried again by itself"),
    errno.EMFILE: (_INFRA, "too_many_open_files", "raise LimitNOFILE; it is tried again by itself"),
    errno.ENFILE: (_INFRA, "too_many_open_files", "raise the sysctl fs.file-max; it is tried again by itself"),
    errno.ENOMEM: (_INFRA, "out_of_memory", "this machine is out of memory; it is tried again by itself"),
    errno.ENOENT: (_INFRA, "file_gone", "the state folder lacks a file that it held; it is tried again by itself"),
    errno.EACCES: (_CONFIG, "permission", "give qbwatch's user the right to read it"),
    errno.EPERM: (_CONFIG, "permission", "give qbwatch's user the right to read it"),
}

CRASHES_ALLOWED = 3  # deaths of the process while loading one item, before that item is quarantined
LONGEST_PAUSE = timedelta(minutes=5)
_FIRST_PAUSE = timedelta(seconds=5)

COPY_LOST = ("vault_copy_gone", "vault_copy_damaged")
"""Codes of items whose copy in the vault is no more: dropping the same bytes again mends them."""


def of_sqlstate(sqlstate: str | None, message: str) -> Failure:
    """Classify a database error. No SQLSTATE at all means that the connection itself failed."""
    if sqlstate is None:
        cls, code, hint = _BY_SQLSTATE[next((state for words, state in _REFUSALS if words in message), "08")]
        return Failure(cls, code, message, hint)
    for length in (5, 3, 2):
        if entry := _BY_SQLSTATE.get(sqlstate[:length]):
            return Failure(entry[0], entry[1], message, entry[2])
    hint = "this is a fault of qbwatch or of a change made to its tables by hand: please report it"
    return Failure(_CONFIG, f"database_{sqlstate}", message, hint)


def of_errno(number: int | None, message: str) -> Failure:
    """Classify an error of the operating system; unknown ones are taken for passing faults."""
    entry = _BY_ERRNO.get(number or 0, (_INFRA, "system_error", "it is tried again by itself"))
    return Failure(entry[0], entry[1], message, entry[2])


def of_lost_copy(*, is_damaged: bool) -> Failure:
    """The verdict on content whose copy in the vault is gone, or holds other bytes than it should."""
    what = "is damaged" if is_damaged else "is gone"
    return Failure(
        FailureClass.MISSING_FILES,
        COPY_LOST[is_damaged],
        f"its copy in the vault {what}",
        "drop the same file into the input folder again (or touch it there): it is then loaded by itself",
    )


def of_crashes(crashes: int) -> Failure:
    """The verdict on an item during whose load the process died too often."""
    return Failure(
        _DATA,
        "kills_the_process",
        f"qbwatch died {crashes} times while loading it",
        "look into the journal around those times; `qbwatch retry` tries once more",
    )


def unexpected(error: Exception) -> Failure:
    """A bug of qbwatch that one file brought to light: it waits for a person, and the traceback is in the log."""
    return Failure(
        _DATA,
        "unexpected",
        f"qbwatch failed on this file ({type(error).__name__})",
        "please report it with the journal's lines; after an upgrade, `qbwatch retry` tries again",
    )


def pause_before(attempt: int) -> timedelta:
    """How long to wait before the next try, after ``attempt`` (≥ 1) tries: doubling from 5 s to 5 min."""
    doublings: int = 2 ** min(attempt - 1, 10)
    return min(_FIRST_PAUSE * doublings, LONGEST_PAUSE)


def is_due(next_attempt_at: datetime, at: datetime) -> bool:
    """Whether a pause is over. A moment further ahead than any pause was written by a clock that was set back since."""
    return not at < next_attempt_at <= at + LONGEST_PAUSE
