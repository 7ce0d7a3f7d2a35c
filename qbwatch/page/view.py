"""What stands on the page: texts and shapes, ready to be written down.

Two equal views make the same page, but for the moment at which it is written; so nothing in here grows older by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from qbwatch.page.charts import Bars, Strip

GENERATOR = '<meta name="generator" content="qbwatch">'
"""Stands at the beginning of each page, and tells it from anybody else's file."""
REWRITTEN_AFTER = timedelta(hours=6)
"""A page whose answer doesn't change is written anew after so long; four of these are the day that it speaks of."""


class Tone(StrEnum):
    """How the first line sounds; each has a sign and a word of its own, besides its colour."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Headline:
    """Is it current and right? In a few words, and a sentence or two."""

    tone: Tone
    text: str
    detail: str


@dataclass(frozen=True, slots=True)
class Task:
    """Something that is wrong: what, and what to do. ``label``: "Refused", "Wrong" or "Check";."""

    label: str
    is_error: bool
    title: str
    do: str
    since: str
    names: tuple[str, ...] = ()
    more: int = 0
    command: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that isn't loaded yet, and for what it waits."""

    name: str
    what: str
    state: str


@dataclass(frozen=True, slots=True)
class Recent:
    """A file that came lately; ``kind`` is ``loaded``, ``waiting``, ``refused`` or ``skipped``."""

    name: str
    what: str
    kind: str
    outcome: str
    at: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A mart or dataset: how many rows, complete through which day, and what is amiss with that, if anything."""

    title: str
    rows: str
    through: str
    state: str
    is_late: bool


@dataclass(frozen=True, slots=True)
class View:
    """The whole page. ``remark`` says that what stands below is older than the page, where it is; what
    is None isn't known."""

    headline: Headline
    remark: str
    for_office: tuple[Task, ...]
    for_server: tuple[Task, ...]
    for_nobody: tuple[Task, ...]
    refused_more: int
    waiting: tuple[Waiting, ...]
    waiting_count: int
    recent: tuple[Recent, ...] | None
    marts: tuple[Figure, ...]
    datasets: tuple[Figure, ...]
    sales: Bars | None
    rows: Bars | None
    arrivals: tuple[Strip, ...]
    days: tuple[str, str]
    clock: str
    version: str
