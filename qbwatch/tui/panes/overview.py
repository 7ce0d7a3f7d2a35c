"""Overview: is my data current, and is it right?"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from qbwatch.core.facts import Json
from qbwatch.tui.lines import as_text, line
from qbwatch.tui.overview import overview
from qbwatch.tui.pane import Pane
from qbwatch.tui.seen import Seen


class OverviewPane(Pane):
    """The status, as lines."""

    question = "rows-by-day"

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._days: Json = {}
        self._seen: Seen | None = None

    def content(self) -> ComposeResult:
        """One text that scrolls."""
        with VerticalScroll(id="overview-body"):
            yield Static(as_text([line("asking …")]), id="overview-text", markup=False)

    def show(self, seen: Seen) -> None:
        """The status is news."""
        self._seen = seen
        lines = overview(seen, self._days, self.home.zone)
        self.query_one("#overview-text", Static).update(as_text(lines))

    def take(self, said: Json) -> None:
        """Rows by day."""
        self._days = said["days"]
        if self._seen is not None:
            self.show(self._seen)

    def enter(self) -> None:
        """It was switched to."""
        self.query_one("#overview-body").focus()
        self.ask()
