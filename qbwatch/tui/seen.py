"""What the interface knows at a moment: the status, and how it came by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Protocol

from qbwatch.core.facts import Json


@dataclass(frozen=True, slots=True)
class Seen:
    """A status. ``trouble`` says why it isn't the daemon's own word (empty: it is), ``hint`` what to do.

    ``note`` is something to know although all works, as that the daemon is of another version.
    """

    status: Json
    at: datetime
    trouble: str = ""
    hint: str = ""
    note: str = ""

    @property
    def is_connected(self) -> bool:
        """Whether the daemon itself says so, so that it can also be asked to do something."""
        return not self.trouble


class Answers(Protocol):
    """Where answers come from. Everything in here may block, and is called in threads of its own."""

    @property
    def config_file(self) -> Path | None:
        """The file of the settings; None where all of them come from the environment."""
        ...

    def follow(self, stop: Event) -> Iterator[Seen]:
        """The status now and whenever it changes, from wherever it can be had, until ``stop``."""
        ...

    def ask(self, name: str, params: Json) -> Json:
        """One question (`qbwatch.ledger_questions`, ``log``). Raises `QbwatchError`."""
        ...

    def act(self, method: str, params: Json) -> Json:
        """Have the daemon do something. Raises `QbwatchError`."""
        ...
