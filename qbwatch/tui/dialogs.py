"""What covers the screen for a moment: a question, an answer, a choice, a whole story, a window that is too small.

The text scrolls and the buttons stand below it, within the screen however long the text is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import Button, Footer, Static

from qbwatch.tui.lines import Line, as_text, line, words
from qbwatch.tui.plain import plain

SMALLEST = (60, 15)
_FRAME = 7  # lines of a dialog besides its text


class Dialog(ModalScreen[str | None]):
    """A text and a row of buttons; gives the name of the one that was pressed, None for escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel"),
        Binding("left,up", "app.focus_previous", "Before", show=False),
        Binding("right,down", "app.focus_next", "Next", show=False),
        Binding("pageup", "scroll(-1)", "Up", show=False),
        Binding("pagedown", "scroll(1)", "Down", show=False),
    ]

    def __init__(
        self, heading: str, lines: Sequence[Line], choices: Sequence[tuple[str, str]], *, command: str = ""
    ) -> None:
        """``choices``: (name, label), the last of which has the focus. A label's first letter chooses it, too."""
        super().__init__()
        self._heading, self._lines, self._choices, self._command = heading, list(lines), list(choices), command

    def compose(self) -> ComposeResult:
        """Title, text, command, buttons."""
        with Vertical(id="box"):
            yield Static(Text(plain(self._heading), no_wrap=True, overflow="ellipsis"), id="title")
            with VerticalScroll(id="body", can_focus=False):
                yield Static(as_text(self._lines), id="text", markup=False)
            command = Text(f"the same: {plain(self._command)}" if self._command else "", overflow="ellipsis")
            yield Static(command, id="command", markup=False)
            with Horizontal(id="choices", classes="-column" if len(self._choices) > 3 else ""):
                for name, label in self._choices:
                    yield Button(Text(label), id=name, compact=True)

    def on_mount(self) -> None:
        """The last choice is the one without consequences."""
        self.query_one(f"#{self._choices[-1][0]}", Button).focus()

    def on_resize(self, event: Resize) -> None:
        """The text gets what the frame leaves."""
        rows = len(self._choices) if len(self._choices) > 3 else 1
        self.query_one("#body").styles.max_height = max(event.size.height - _FRAME - rows + 1, 1)

    def say(self, lines: Sequence[Line]) -> None:
        """Another text."""
        self._lines = list(lines)
        self.query_one("#text", Static).update(as_text(lines))

    def allow(self, name: str, *, allowed: bool) -> None:
        """Whether a choice can be made."""
        self.query_one(f"#{name}", Button).disabled = not allowed

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """It was chosen."""
        event.stop()
        self.dismiss(event.button.id)

    def on_key(self, event: object) -> None:
        """A letter chooses what begins with it."""
        key = str(getattr(event, "key", ""))
        for name, label in self._choices:
            if label[:1].lower() == key and not self.query_one(f"#{name}", Button).disabled:
                self.dismiss(name)
                return

    def action_leave(self) -> None:
        """None of them."""
        self.dismiss(None)

    def action_scroll(self, by: int) -> None:
        """The text, by half a screen."""
        self.query_one("#body").scroll_relative(y=by * max(self.size.height // 2, 1), animate=False)


def question(heading: str, lines: Sequence[str], command: str) -> Dialog:
    """Shall it be done? ``yes`` or not."""
    shown = [line(each) for each in lines]
    return Dialog(heading, shown, [("yes", "Yes, do it"), ("no", "No")], command=command)


def answer(heading: str, lines: Sequence[str]) -> Dialog:
    """Something to be read."""
    return Dialog(heading, [line(each) for each in lines], [("close", "Close")])


class StoryScreen(ModalScreen[None]):
    """A long text on the whole screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "leave", "Back"),
        Binding("c", "copy", "Copy"),
        Binding("up,k", "scroll(-1)", "Up", show=False),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("pageup", "scroll(-15)", "Page up", show=False),
        Binding("pagedown,space", "scroll(15)", "Page down", show=False),
    ]

    def __init__(self, heading: str, lines: Sequence[Line]) -> None:
        super().__init__()
        self._heading, self._lines = heading, list(lines)

    def compose(self) -> ComposeResult:
        """Title, text, keys."""
        yield Static(Text(plain(self._heading), no_wrap=True, overflow="ellipsis"), id="title", markup=False)
        with VerticalScroll(id="body"):
            yield Static(as_text(self._lines), id="text", markup=False)
        yield Footer(show_command_palette=False)

    def say(self, lines: Sequence[Line]) -> None:
        """Another text."""
        self._lines = list(lines)
        self.query_one("#text", Static).update(as_text(lines))

    def action_leave(self) -> None:
        """Back to the list."""
        self.dismiss(None)

    def action_copy(self) -> None:
        """The text goes to the terminal's clipboard."""
        self.app.copy_to_clipboard(words(self._lines))

    def action_scroll(self, by: int) -> None:
        """So many lines."""
        self.query_one("#body").scroll_relative(y=by, animate=False)


class TooSmall(ModalScreen[None]):
    """Instead of a screen in which things lie outside."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", "Quit")]

    def compose(self) -> ComposeResult:
        """What is wrong, and how large it must be."""
        yield Static(id="small", markup=False)

    def on_resize(self, event: Resize) -> None:
        """How large it is now."""
        have, need = f"{event.size.width}×{event.size.height}", f"{SMALLEST[0]}×{SMALLEST[1]}"
        self.query_one(Static).update(Text(f"This terminal is {have}.\nqbwatch needs {need}.\nq: quit"))
