"""What is wrong apart from single refused files, in words for whoever can mend it: the office, or the server's keeper.

Texts of problems are written for a shell and may name hosts, folders and cells, so the page has words of its own for
each code; what has none is told by its class. Only what is missing is told as the status tells it: those sentences
name exports and days, and were written for the office.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from qbwatch.core.facts import Json, Severity
from qbwatch.core.model import FailureClass
from qbwatch.page.words import counted, file_name, is_mart, title_of

_NAMES_SHOWN = 12
_BY_ITSELF = "Nothing needs to be done: it is tried again by itself, and nothing is lost."
_COMMAND = "qbwatch status"


class Whose(StrEnum):
    """Who can mend it."""

    OFFICE = "the office"
    SERVER = "whoever looks after the server"
    NOBODY = "nobody: it passes by itself"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong. ``names`` are the first of ``count`` files that it is about, if it is about files."""

    title: str
    do: str
    whose: Whose
    is_error: bool
    since: datetime | None
    names: tuple[str, ...] = ()
    count: int = 0
    command: str = ""


_STARTS_IT = "Start it, or find out what ended it: systemctl status qbwatch."
_OFFICE, _SERVER, _NOBODY = Whose.OFFICE, Whose.SERVER, Whose.NOBODY

# The beginning of a code → title, what to do, who can. The longest beginning that fits counts.
_WORDS: dict[str, tuple[str, str, Whose]] = {
    "daemon_down": ("qbwatch isn’t running, so new files aren’t loaded", _STARTS_IT, _SERVER),
    "paused": (
        "qbwatch is paused, so new files aren’t loaded",
        "Let it go on when what it was paused for is over: qbwatch resume.",
        _SERVER,
    ),
    "locked_out": ("Another qbwatch works on the same database", "End one of the two.", _SERVER),
    "database_": ("The database can’t be reached or worked with", "Start it, or mend what ails it.", _SERVER),
    "disk_": ("The server’s disk is full or faulty, so files wait", "Free space on it, or mend it.", _SERVER),
    "watch_": (
        "New files are noticed later than usual",
        "Nothing is lost: the folder is looked through every few minutes.",
        _SERVER,
    ),
    "folder_": (
        "The folder of the exports is missing, empty or can’t be read",
        "Is Dropbox running on the server, and is the disk mounted? In the office: was the folder moved or renamed?",
        _SERVER,
    ),
    "subfolder_unreadable": ("A folder among the exports can’t be read", "Give qbwatch the right to read it.", _SERVER),
    "sync_client_down": ("Dropbox isn’t running on the server, so new exports don’t arrive", "Start it.", _SERVER),
    "nothing_arrives": (
        "No file has arrived for longer than usual",
        "Is the office PC on? Did the exporter run, and does Dropbox say that it is up to date?",
        _OFFICE,
    ),
    "stale": (
        "New exports are overdue",
        "Did the exporter run on the office PC, and does Dropbox say that it is up to date?",
        _OFFICE,
    ),
    "conflicted_copy": (
        "Dropbox kept two versions of a file, and the second isn’t loaded",
        "Compare the two, keep the right one under the plain name, and delete the “conflicted copy”.",
        _OFFICE,
    ),
    "file_unreadable": ("A file may not be read", "Give qbwatch the right to read it.", _SERVER),
    "file_unsettled": (
        "A file is still being written, so it waits",
        "Close it on the office PC, if it is open there. It is taken as soon as it is complete.",
        _OFFICE,
    ),
    "transform_failed": (
        "The new data is loaded, but the dashboard isn’t up to date",
        "The dashboard shows the figures as they were before. Mend what dbt names, then: qbwatch once.",
        _SERVER,
    ),
    "data_test_warns": (
        "A check of the data found something odd",
        "The figures are shown all the same. Look at the rows that the check names.",
        _SERVER,
    ),
    "channel_broken": (
        "Messages about trouble can’t be delivered",
        "Correct the address, then: qbwatch alerts test.",
        _SERVER,
    ),
}
_BY_CLASS: dict[FailureClass, tuple[str, str, Whose]] = {
    FailureClass.DATA: ("Something is wrong with the data", "Look at what the status says.", _SERVER),
    FailureClass.INFRASTRUCTURE: ("Something on the server is in the way", _BY_ITSELF, _NOBODY),
    FailureClass.CONFIGURATION: ("Something on the server isn’t set up right", "Look at the status.", _SERVER),
    FailureClass.MISSING_FILES: (
        "{summary}",
        "Did the exporter run on the office PC, and does Dropbox say that it is up to date?",
        _OFFICE,
    ),
}
_WAITING = ("Files wait, because something on the server is in the way", _BY_ITSELF, _NOBODY)


def troubles_of(status: Json, unspoken: Sequence[str]) -> tuple[Trouble, ...]:
    """The problems of a status, errors first; what has one cause is one trouble. ``unspoken``: codes to leave out."""
    shown = [each for each in status["problems"] if each["code"] not in unspoken and not _follows(each, status)]
    told = [_in_words(each, status) for each in shown]
    grouped = [list(alike) for _, alike in groupby(sorted(told, key=_cause), _cause)]
    return tuple(sorted(map(_joined, grouped), key=lambda each: not each.is_error))


def _cause(trouble: Trouble) -> tuple[str, str]:
    return trouble.title, trouble.do


def _joined(alike: list[Trouble]) -> Trouble:
    names = [name for each in alike for name in each.names]
    since = [each.since for each in alike if each.since is not None]
    first = alike[0]
    return Trouble(
        first.title,
        first.do,
        first.whose,
        any(each.is_error for each in alike),
        min(since, default=None),
        tuple(names[:_NAMES_SHOWN]),
        len(alike),
        first.command,
    )


def _in_words(problem: Json, status: Json) -> Trouble:
    code, failure_class = str(problem["code"]), FailureClass(problem["class"])
    title, do, whose = _words(code, failure_class, str(problem["summary"]))
    names = () if problem["file"] is None else (file_name(problem["file"]),)
    if code == "stale":
        names = (_stale(problem, status),)
    if failure_class is FailureClass.MISSING_FILES:
        title = title.replace("{summary}", str(problem["summary"]))
    return Trouble(
        title[:1].upper() + title[1:],
        do,
        whose,
        problem["severity"] == Severity.ERROR,
        None if problem["since"] is None else datetime.fromisoformat(problem["since"]),
        names,
        command=_COMMAND if whose is Whose.SERVER else "",
    )


def _words(code: str, failure_class: FailureClass, summary: str) -> tuple[str, str, Whose]:
    if failure_class is FailureClass.INFRASTRUCTURE and "for another try" in summary:
        return _WAITING
    fitting = [known for known in _WORDS if code.startswith(known)]
    return _WORDS[max(fitting, key=len)] if fitting else _BY_CLASS[failure_class]


def _follows(problem: Json, status: Json) -> bool:
    """Whether it is a mart that is old because exports are, which are told of already."""
    stale = [_relation(each) for each in status["problems"] if each["code"] == "stale"]
    return problem["code"] == "stale" and is_mart(_relation(problem)) and not all(map(is_mart, stale))


def _stale(problem: Json, status: Json) -> str:
    """``Invoices: 3 business days old``."""
    relation = _relation(problem)
    age = next((each["age_business_days"] for each in status["freshness"] if each["relation"] == relation), None)
    return title_of(relation) if age is None else f"{title_of(relation)}: {counted(age, 'business day')} old"


def _relation(problem: Json) -> str:
    """A relation's name is the first word of the summary of its age."""
    return str(problem["summary"]).partition(" ")[0]
