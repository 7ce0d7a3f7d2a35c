"""Messages about incidents, for a tired person: what happened, what qbwatch does about it, and the command to run.

The essentials stand first, so that a service that cuts a text cuts what matters least. Texts of problems name codes,
files and counts, never cells of a file.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from qbwatch.core.facts import Json
from qbwatch.core.incident import Incident, Kind
from qbwatch.core.model import FailureClass

SUBJECT_LIMIT = 120
_AMOUNT = re.compile(r"(?<![\w.,-])[-(]?[$€£]?\d[\d,]*\.\d{2}(?![\w.])\)?")
_EMPTY = "qbwatch has something to say, and its text is empty: run `qbwatch status`"

_MEANWHILE = {
    FailureClass.DATA: "Nothing of it is loaded or shown; all else goes on, and the data stays as it was.",
    FailureClass.INFRASTRUCTURE: "It is tried again by itself, with growing pauses; nothing is lost.",
    FailureClass.CONFIGURATION: "It waits for a person, because trying again can't help; nothing is lost.",
    FailureClass.MISSING_FILES: "The figures stay as they were until new files arrive.",
}
_OF_BUILDS = "The loaded data is safe. Models that failed, and what stands on failed models or tests, are as before."
_WORDS = {Kind.OPENED: "", Kind.REMINDER: "still open: ", Kind.RECOVERED: "recovered: "}


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``body`` is plain text, essentials first."""

    subject: str
    body: str

    @property
    def as_html(self) -> str:
        """The same text as HTML."""
        paragraphs = html.escape(self.body).split("\n\n")
        return "".join(f"<p>{paragraph.replace(chr(10), '<br>')}</p>" for paragraph in paragraphs)


def about(incident: Incident, kind: Kind, last_good: str | None, now: datetime) -> Message:
    """What is told of an incident; ``last_good`` is the moment of the last successful run, as status shows it."""
    summary, hint = without_amounts(incident.summary), without_amounts(incident.hint)
    noun = "files" if incident.names else "in all"
    count = f" ({incident.count:,} {noun})" if incident.count > 1 else ""
    subject = one_line(f"qbwatch: {_WORDS[kind]}{summary}{count}")
    if kind is Kind.RECOVERED:
        ended = incident.absent_since or now
        lines = [f"Recovered: {summary}", "", f"It lasted {lasting(ended - incident.opened_at)}."]
    else:
        lines = [summary + count, "", f"What to do: {hint or 'qbwatch status'}"]
        lines += ["", _meanwhile(incident)]
    if kind is not Kind.RECOVERED and incident.names:
        more = incident.count - len(incident.names)
        lines += ["", *incident.names, *([f"… and {more:,} more"] if more > 0 else [])]
    lines += [
        "",
        f"Class: {incident.failure_class.value} ({incident.code})",
        f"Open since: {incident.opened_at:%Y-%m-%d %H:%M} UTC",
        f"Last known good: {last_good or 'no run has succeeded yet'}",
        f"Incident: {incident.id}; to be reminded no more: qbwatch alerts ack {incident.id}",
    ]
    return Message(subject, "\n".join(lines[:-1] if kind is Kind.RECOVERED else lines))


def _meanwhile(incident: Incident) -> str:
    """What goes on until somebody acts. What a build was about is loaded and, where only a test failed, shown."""
    is_passing = incident.failure_class is FailureClass.INFRASTRUCTURE
    return _OF_BUILDS if incident.code == "transform_failed" and not is_passing else _MEANWHILE[incident.failure_class]


def of_success(run: Json) -> Message:
    """What is told of a run that went well."""
    rows = run["rows"]
    subject = f"qbwatch: run {run['id']} loaded {run['files']:,} files, all well"
    counts = ", ".join(f"{rows[name]:,} {name}" for name in ("inserted", "updated", "unchanged", "removed", "rejected"))
    return Message(one_line(subject), f"{subject}\n\nRows: {counts}\nFinished: {run['finished_at']}")


def digest(messages: Sequence[Message], limit: int) -> Message:
    """Several messages as one, in their order, of at most ``limit`` characters; a single one stays as it is."""
    if len(messages) == 1:
        only = messages[0]
        return Message(one_line(only.subject), cut(only.body, limit))
    count = f"qbwatch: {len(messages)} messages: "
    subjects = [message.subject.removeprefix("qbwatch: ") for message in messages]
    head = one_line(count + "; ".join(subjects))
    body = "\n".join(f"* {subject}" for subject in subjects)
    return Message(head, cut("\n\n---\n\n".join([body, *(message.body for message in messages)]), limit))


def without_amounts(text: str) -> str:
    """Amounts of money stay in the firm's own database: a message goes through other people's machines."""
    return _AMOUNT.sub("[amount]", text)


def one_line(text: str) -> str:
    """A subject: no line ends or control characters, which could forge a header, and not too long."""
    plain = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return (plain if len(plain) <= SUBJECT_LIMIT else plain[: SUBJECT_LIMIT - 1] + "…") or "qbwatch"


def cut(text: str, limit: int) -> str:
    """The beginning of a text, with the number of characters that were left out; never empty."""
    if not text.strip():
        text = _EMPTY
    if len(text) <= limit:
        return text
    note = f"\n… and {len(text) - limit:,} more characters: qbwatch status"
    return text[: max(limit - len(note), 1)] + note


def lasting(length: timedelta) -> str:
    """A duration in words: the two largest units."""
    seconds = max(int(length.total_seconds()), 0)
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s"
