"""Incidents and deliveries in Postgres, and in a file of the state folder while Postgres is what is down."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, text

from qbwatch.core.facts import Json, Severity, moment
from qbwatch.core.incident import Incident, Kind, Sighting
from qbwatch.core.model import FailureClass
from qbwatch.core.outbox import Book, Delivery

SPOOL = "alerts.json"
"""In the state folder."""
_SUCCESS_KNOWN = timedelta(days=3)  # longer than a run is news


def read_book(connection: Connection, now: datetime, lately: timedelta) -> Book:
    """The book as Postgres has it."""
    incidents = connection.execute(
        text("SELECT * FROM qbwatch.incidents WHERE recovered_at IS NULL OR recovered_at > :since ORDER BY opened_at"),
        {"since": now - lately},
    ).mappings()
    deliveries = connection.execute(
        text(
            """SELECT * FROM qbwatch.deliveries WHERE delivered_at IS NULL
               OR (kind = 'success' AND delivered_at > :since) ORDER BY queued_at, id"""
        ),
        {"since": now - _SUCCESS_KNOWN},
    ).mappings()
    return Book(tuple(_incident(dict(row)) for row in incidents), tuple(_delivery(dict(row)) for row in deliveries))


def write_book(connection: Connection, book: Book) -> None:
    """Keep the book, in the caller's transaction. What a person or an earlier try wrote meanwhile is not undone."""
    for incident in book.incidents:
        row = {**_row(incident), "names": json.dumps(incident.names), "reached": json.dumps(incident.reached)}
        connection.execute(text(_END_OTHERS), row)
        connection.execute(text(_PUT_INCIDENT), row)
    for delivery in book.deliveries:
        connection.execute(text(_PUT_DELIVERY), _row(delivery))


def forget_services(connection: Connection, configured: Sequence[str]) -> None:
    """Drop what waits for services that are configured no more."""
    statement = "DELETE FROM qbwatch.deliveries WHERE delivered_at IS NULL AND NOT service = ANY(:names)"
    connection.execute(text(statement), {"names": list(configured)})


def quarantined_causes(connection: Connection) -> list[Sighting]:
    """Files that wait for a person, by class, code and dataset, with full counts and the first names."""
    return [
        Sighting(
            FailureClass(row.class_),
            row.code or "quarantined_file",
            row.dataset or "",
            Severity.ERROR,
            f"{row.names[0]} is quarantined: {row.reason}",
            row.hint or f"qbwatch why '{row.names[0]}'",
            tuple(row.names),
            row.files,
        )
        for row in connection.execute(text(_QUARANTINED))
    ]


def listed(connection: Connection, limit: int = 50) -> tuple[list[Json], list[Json]]:
    """Open incidents and the latest others, newest first; and the deliveries that wait, without their texts."""
    incidents = connection.execute(text(_LISTED), {"limit": limit}).mappings()
    waiting = connection.execute(text(_WAITING), {"limit": limit}).mappings()
    return [_shown(dict(row)) for row in incidents], [_shown(dict(row)) for row in waiting]


def _shown(row: Json) -> Json:
    return {name: moment(value) if isinstance(value, datetime) else value for name, value in row.items()}


def acknowledge(connection: Connection, incident_id: str, now: datetime) -> int:
    """Note that a person knows of an open incident; gives how many (0 or 1) have this id."""
    statement = """UPDATE qbwatch.incidents SET acknowledged_at = coalesce(acknowledged_at, :now)
                   WHERE id = :id AND recovered_at IS NULL"""
    return connection.execute(text(statement), {"id": incident_id, "now": now}).rowcount


def write_spool(state: Path, book: Book) -> None:
    """Keep the book in the state folder, whole or not at all."""
    scratch = state / f".{SPOOL}.{os.getpid()}"
    content = {"incidents": [_row(each) for each in book.incidents], "deliveries": [_row(d) for d in book.deliveries]}
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, default=lambda moment: moment.isoformat())
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(state / SPOOL)


def read_spool(state: Path) -> Book | None:
    """The spooled book; None when there is none."""
    try:
        found = json.loads((state / SPOOL).read_text("utf-8"))
        incidents = tuple(_incident(_revived(each)) for each in found["incidents"])
        return Book(incidents, tuple(_delivery(_revived(each)) for each in found["deliveries"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _revived(row: Json) -> Json:
    return {k: datetime.fromisoformat(v) if v and k.endswith(("_at", "_since")) else v for k, v in row.items()}


def _row(thing: Incident | Delivery) -> Json:
    row = asdict(thing)
    if isinstance(thing, Incident):
        row["class"] = row.pop("failure_class").value
    return row


def _incident(row: Json) -> Incident:
    row["failure_class"] = FailureClass(row.pop("class"))
    row |= {"severity": Severity(row["severity"]), "names": tuple(row["names"])}
    row["reached"] = tuple(row.get("reached", ()))  # a spool of an earlier version doesn't have it
    return Incident(**{field.name: row[field.name] for field in fields(Incident)})


def _delivery(row: Json) -> Delivery:
    row["kind"] = Kind(row["kind"])
    return Delivery(**{field.name: row[field.name] for field in fields(Delivery) if field.name in row})


def _put(table: str, columns: Sequence[str], kept: Sequence[str]) -> str:
    """An upsert after which the ``kept`` columns still hold what they held, if anything."""
    values = ", ".join(f"CAST(:{name} AS jsonb)" if name in _LISTS else f":{name}" for name in columns)
    changes = ", ".join(
        f"{name} = coalesce(known.{name}, excluded.{name})" if name in kept else f"{name} = excluded.{name}"
        for name in columns
        if name != "id"
    )
    return f"""INSERT INTO qbwatch.{table} AS known ({", ".join(columns)}) VALUES ({values})
               ON CONFLICT (id) DO UPDATE SET {changes}"""


_LISTS = ("names", "reached")
_INCIDENT = ["class" if field.name == "failure_class" else field.name for field in fields(Incident)]
# A person's word that came meanwhile stays, unless the trouble has come back since.
_PUT_INCIDENT = _put("incidents", _INCIDENT, ()).replace(
    "acknowledged_at = excluded.acknowledged_at",
    """acknowledged_at = CASE WHEN excluded.returns > known.returns THEN excluded.acknowledged_at
       ELSE coalesce(excluded.acknowledged_at, known.acknowledged_at) END""",
)
# What the state folder knows of a cause counts, should Postgres have been told of an earlier incident of it.
_END_OTHERS = """UPDATE qbwatch.incidents SET recovered_at = :opened_at
                 WHERE cause = :cause AND id <> :id AND recovered_at IS NULL"""
_PUT_DELIVERY = _put("deliveries", [field.name for field in fields(Delivery)], ("delivered_at",))

_QUARANTINED = """
SELECT coalesce(item.failure_class, 'data') AS class_, item.failure_code AS code, item.dataset, count(*) AS files,
       (array_agg(file.name ORDER BY item.id))[1:5] AS names, (array_agg(item.reason ORDER BY item.id))[1] AS reason,
       (array_agg(item.hint ORDER BY item.id))[1] AS hint
FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.state = 'quarantined' GROUP BY 1, 2, 3 ORDER BY min(item.id)"""

_LISTED = """
SELECT id, class, code, severity, summary, hint, names, count, opened_at, told_at, acknowledged_at, recovered_at,
       returns
FROM qbwatch.incidents ORDER BY recovered_at IS NOT NULL, opened_at DESC, code LIMIT :limit"""

_WAITING = """
SELECT incident_id, service, kind, subject, queued_at, attempts, next_attempt_at, refused_at, error
FROM qbwatch.deliveries WHERE delivered_at IS NULL ORDER BY queued_at, id LIMIT :limit"""
