"""Control: what can be asked of the daemon, and what it answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Grid, VerticalScroll
from textual.events import DescendantFocus
from textual.widgets import Button, Static

from qbwatch.core.facts import Json
from qbwatch.tui import actions
from qbwatch.tui.actions import Action
from qbwatch.tui.editing import edit_settings
from qbwatch.tui.lines import Line, Tone, as_text, line, title, toned
from qbwatch.tui.pane import Pane
from qbwatch.tui.plain import clock
from qbwatch.tui.seen import Seen

_BUTTONS: Mapping[str, tuple[str, Callable[[Json | None], Action]]] = {
    "run-now": ("Run now", lambda _: actions.run_now()),
    "run-incremental": ("Incremental", lambda _: actions.run_now("incremental")),
    "run-seed": ("Seed", lambda _: actions.run_now("seed")),
    "run-full": ("Full", lambda _: actions.run_now("full")),
    "pause": ("Pause", lambda _: actions.pause()),
    "resume": ("Resume", lambda _: actions.resume()),
    "stop-run": ("Stop the run", actions.stop_run),
    "transform": ("dbt build", lambda _: actions.transform()),
    "test": ("Test the data", lambda _: actions.run_tests()),
    "reload": ("Reload config", lambda _: actions.reload()),
    "alerts-test": ("Test alerts", lambda _: actions.try_alerts()),
}
_EDIT = "edit"
_ANSWERS = 20


class ControlPane(Pane):
    """Buttons, what the one with the focus does, and the answers so far."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._run: Json | None = None
        self._about = "run-now"
        self._seen: Seen | None = None

    def content(self) -> ComposeResult:
        """Buttons above, text below."""
        with Grid(id="buttons"):
            for name, (label, _) in _BUTTONS.items():
                yield Button(Text(label), id=name, compact=True)
            yield Button(Text("Edit settings"), id=_EDIT, compact=True)
        with VerticalScroll(id="about", can_focus=False):
            yield Static(id="about-text", markup=False)

    def show(self, seen: Seen) -> None:
        """What can be done now, and what is going on."""
        self._seen, self._run = seen, seen.status["current_run"]
        can_act = seen.is_connected and not self.home.read_only
        for button in self.query(Button):
            button.disabled = not can_act
        self.tell()

    def tell(self) -> None:
        """The text below the buttons."""
        action = self._action(self._about)
        lines: list[Line] = [title(action.title), *(line(each) for each in action.effect)]
        lines.append(line(("the same: ", Tone.DIM), action.command))
        if self._seen is not None:
            daemon = self._seen.status["daemon"]
            paused = daemon.get("paused")
            known = f", process {daemon['pid'] or '-'}, watching by {daemon['watcher'] or '-'}"
            by = f", paused by {paused['by']}" if paused else ""
            lines += [(), line(("Daemon ", Tone.TITLE), toned(daemon["state"]), known, by)]
        if self.home.told:
            lines += [(), title("Answers")]
        for at, command, said in reversed(self.home.told[-_ANSWERS:]):
            lines.append(line((clock(at.isoformat(), self.home.zone)[6:], Tone.DIM), f" {command}: {said}"))
        self.query_one("#about-text", Static).update(as_text(lines))

    def answered(self) -> None:
        """The answer belongs to the text."""
        self.tell()

    def enter(self) -> None:
        """It was switched to."""
        self.query_one("#run-now").focus()
        self.tell()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """The text tells of the button that has the focus."""
        name = str(event.widget.id)
        if name in (*_BUTTONS, _EDIT):
            self._about = name
            self.tell()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Ask for it."""
        event.stop()
        if event.button.id == _EDIT:
            edit_settings(self.home)
        else:
            self.home.begin(self._action(str(event.button.id)))

    def _action(self, name: str) -> Action:
        return actions.edit_settings(self.home.answers.config_file) if name == _EDIT else _BUTTONS[name][1](self._run)
