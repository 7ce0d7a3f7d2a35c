"""Messages about incidents, for a tired person: what happened, what qbwatch does about it, and the command to run.

The essentials stand first, so that a service that cuts a text cuts what matters least.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

from qbwatch.core.facts import Json
from qbwatch.core.incident import Incident, Kind
from qbwatch.core.model import FailureClass
from qbwatch.core.redaction import Redact, redaction

SUBJECT_LIMIT = 120
_EMPTY = "qbwatch has something to say, and its text is empty: run `qbwatch status`"

_MEANWHILE = {
    FailureClass.DATA: "Nothing of it is loaded or shown; all else goes on, and the data stays as it was.",
    FailureClass.INFRASTRUCTURE: "It is tried again by itself, with growing pauses; nothing is lost.",
    FailureClass.CONFIGURATION: "It waits for a person, because trying again can't help; nothing is lost.",
    FailureClass.MISSING_FILES: "The figures stay as they were until new files arrive.",
}
_OF_BUILDS = "The loaded data is safe. Models that failed, and what stands on failed models or tests, are as before."
_WORDS = {Kind.OPENED: "", Kind.REMINDER: "still open: "}
_CLASSES = {each: each.value.replace("_", " ") for each in FailureClass}
_NOUNS = {"stale": "tables", "data_test_warns": "tests"}


@dataclass(frozen=True, slots=True)
class Ending:
    """How trouble ended, as a sentence or none; ``has_gap``: what it was about still lacks something."""

    text: str = ""
    has_gap: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``body`` is plain text, essentials first."""

    subject: str
    body: str

    @property
    def as_html(self) -> str:
        """The same text as HTML: the first words in bold, commands set off."""
        paragraphs = html.escape(self.body, quote=False).split("\n\n")
        paragraphs[0] = f"<strong>{paragraphs[0]}</strong>"
        return "".join(f"<p>{_marked(paragraph)}</p>" for paragraph in paragraphs)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a message says beside its incident: the time on the office's clock, and what was last known to be good.

    ``through``: the day up to which the data is complete; ``redact`` leaves out what must not leave the house.
    """

    now: datetime
    zone: tzinfo = UTC
    last_success_at: datetime | None = None
    through: date | None = None
    redact: Redact = field(default_factory=redaction)

    def clock(self, at: datetime) -> str:
        """A moment as the office's clock shows it."""
        local = at.astimezone(self.zone)
        return f"{local:%A} {local.day} {local:%B %Y, %H:%M %Z}"

    @property
    def last_good(self) -> str:
        """When a run last succeeded, and which day the data speaks for."""
        if self.last_success_at is None:
            return "no run has succeeded yet"
        day = f"; data through {self.through:%A} {self.through.day} {self.through:%B}" if self.through else ""
        return f"{self.clock(self.last_success_at)}{day}"


def about(incident: Incident, kind: Kind, told: Circumstances) -> Message:
    """What is told of trouble: what happened, what to do, what qbwatch does meanwhile, what it hits, since when."""
    summary = told.redact(incident.summary)
    names = [told.redact(name) for name in incident.names]
    lines = [
        summary + _count(incident, " ({})"),
        "",
        f"What to do: {told.redact(incident.hint) or 'see `qbwatch status`'}",
    ]
    lines += [f"Look at it: `{command}`" for command in _commands(incident, names) if command not in lines[2]]
    lines += ["", f"Meanwhile: {_meanwhile(incident)}"]
    if len(names) > 1 or incident.count > 1:
        more = incident.count - len(names)
        lines += ["", *(f"- {name}" for name in names), *([f"… and {more:,} more"] if more > 0 and names else [])]
    lines += ["", *_facts(incident, told)]
    lines += [f"Incident {incident.id}; for no more reminders: `qbwatch alerts ack {incident.id}`"]
    return Message(one_line(f"qbwatch: {_WORDS[kind]}{_count(incident, '{}: ')}{summary}"), "\n".join(lines))


def recovered(incident: Incident, told: Circumstances, ending: Ending = Ending()) -> Message:
    """What those are told who know of the trouble: that it is over, how it ended, and how long it lasted.

    What left a gap isn't called recovered.
    """
    if ending.has_gap:
        return _ended(incident, told, ending, "over, with a gap: ", "Over, with a gap")
    return _ended(incident, told, ending, "recovered: ", "Recovered")


def over(incident: Incident, told: Circumstances, ending: Ending = Ending()) -> Message:
    """What those are told who could not be told of the trouble in time."""
    return _ended(incident, told, ending, "over by now: ", "This could not be told in time, and is over by now")


def _ended(incident: Incident, told: Circumstances, ending: Ending, word: str, first: str) -> Message:
    summary = told.redact(incident.summary) + _count(incident, " ({})")
    ended = incident.absent_since or told.now
    lines = [f"{first}: {summary}", ""]
    lines += [told.redact(ending.text)] if ending.text else []
    lines += [f"It lasted {lasting(ended - incident.opened_at)}, until {told.clock(ended)}.", ""]
    lines += [*_facts(incident, told), f"Incident {incident.id}"]
    return Message(one_line(f"qbwatch: {word}{summary}"), "\n".join(lines))


def _facts(incident: Incident, told: Circumstances) -> list[str]:
    return [
        f"Last known good: {told.last_good}",
        f"Open since: {told.clock(incident.opened_at)}",
        f"Class: {_CLASSES[incident.failure_class]} ({incident.code})",
    ]


def _count(incident: Incident, form: str) -> str:
    """How many it hits, if that is more than one."""
    if incident.count <= 1:
        return ""
    return form.format(f"{incident.count:,} {_NOUNS.get(incident.code, 'files' if incident.names else 'in all')}")


def _commands(incident: Incident, names: Sequence[str]) -> list[str]:
    """What shows more of it."""
    if names and incident.code not in _NOUNS:
        return [f"qbwatch why '{names[0]}'"]
    if incident.failure_class is FailureClass.MISSING_FILES and incident.concerns:
        return [f"qbwatch files --dataset {incident.concerns}"]
    return ["qbwatch status"]


def _marked(paragraph: str) -> str:
    """Line ends, and commands in backticks, as HTML."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", paragraph).replace("\n", "<br>\n")


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
