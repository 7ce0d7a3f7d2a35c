"""Log: the daemon's last lines, as they come."""

from __future__ import annotations

from collections import deque
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from qbwatch.core.facts import Json
from qbwatch.tui.lines import Tone, line
from qbwatch.tui.pane import Pane
from qbwatch.tui.row_list import Column, Row, RowList

_KEPT = 5000
_EVERY = 1.0  # seconds between looks while it is on the screen
_TONES = {"warning": Tone.WARN, "error": Tone.BAD, "critical": Tone.BAD}


class LogPane(Pane):
    """The lines; the cursor stays at the end until it is moved away from it."""

    question = "log"
    has_filter = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow"),
        Binding("c", "copy", "Copy"),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._last = 0
        self._count = 0
        self._lines: deque[Row] = deque(maxlen=_KEPT)

    def content(self) -> ComposeResult:
        """One list."""
        yield RowList((Column("line"),), empty="no line so far; all of them: journalctl -u qbwatch", id="log-list")

    def on_mount(self) -> None:
        """Look again and again while it is on the screen."""
        self.query_one(RowList).follows_end = True
        self.set_interval(_EVERY, self._look)

    def _look(self) -> None:
        if self.display and self.home.seen is not None and self.home.seen.is_connected:
            self.ask()

    def params(self) -> Json:
        """Only what is new."""
        return {"after": self._last}

    def take(self, said: Json) -> None:
        """More lines."""
        self._last = said["last"]
        for text in said["lines"]:
            self._count += 1
            words = text.split(maxsplit=2)
            tone = _TONES.get(words[1], Tone.USUAL) if len(words) > 1 else Tone.USUAL
            self._lines.append(Row(str(self._count), (text,), tone))
        if said["lines"]:
            self.refilter()

    def refilter(self) -> None:
        """The list anew."""
        self.query_one(RowList).show(self.filtered(list(self._lines)))

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """The whole line."""
        event.stop()
        self.home.read("Log", [line(event.row.cells[0])])

    def action_follow(self) -> None:
        """Stay at the end."""
        found = self.query_one(RowList)
        found.follows_end = not found.follows_end
        found.action_jump(-1)
        self.home.say("following" if found.follows_end else "not following")

    def action_copy(self) -> None:
        """The marked lines, or the one under the cursor, go to the terminal's clipboard."""
        chosen = self.query_one(RowList).chosen
        self.app.copy_to_clipboard("\n".join(row.cells[0] for row in chosen))
        self.home.say(f"copied {len(chosen)} line(s)")
