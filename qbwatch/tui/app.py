"""The application: the frame around the seven screens, and the keys that work everywhere."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import tzinfo
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Resize
from textual.message import Message
from textual.screen import Screen
from textual.widgets import ContentSwitcher, Footer, Static

from qbwatch.tui import actions, dialogs
from qbwatch.tui.asking import AskingApp
from qbwatch.tui.help import HELP
from qbwatch.tui.lines import Tone, as_text, line
from qbwatch.tui.overview import headline
from qbwatch.tui.pane import Pane
from qbwatch.tui.panes.control import ControlPane
from qbwatch.tui.panes.dbt import DbtPane
from qbwatch.tui.panes.files import FilesPane
from qbwatch.tui.panes.incidents import IncidentsPane
from qbwatch.tui.panes.log import LogPane
from qbwatch.tui.panes.overview import OverviewPane
from qbwatch.tui.panes.runs import RunsPane
from qbwatch.tui.plain import clock
from qbwatch.tui.seen import Answers, Seen

_PANES = ("Overview", "Files", "Runs", "dbt", "Control", "Incidents", "Log")


class Tab(Static):
    """The name of a screen, to be clicked."""

    def __init__(self, number: int, name: str) -> None:
        super().__init__(Text(f"{number} {name}"), id=f"tab-{name.lower()}", markup=False)
        self._goes_to = name.lower()

    def on_click(self) -> None:
        """Go there."""
        app: Any = self.app
        app.action_go(self._goes_to)


class QbwatchApp(AskingApp):
    """See the module."""

    CSS_PATH = "style.tcss"
    TITLE = "qbwatch"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"go('{name.lower()}')", name, show=False) for number, name in enumerate(_PANES, 1)),
        Binding("q", "quit", "Quit", show=False),
        Binding("question_mark", "help", "Help", show=False),
        Binding("p", "do('pause')", "Pause", show=False),
        Binding("u", "do('resume')", "Resume", show=False),
        Binding("X", "do('stop')", "Stop the run", show=False),
        Binding("g", "do('run')", "Run now", show=False),
    ]

    class News(Message):
        """The status has come."""

        def __init__(self, seen: Seen) -> None:
            super().__init__()
            self.seen = seen

    def __init__(self, answers: Answers, zone: tzinfo, *, read_only: bool = False, light: bool = False) -> None:
        super().__init__(answers, zone, read_only=read_only)
        self.theme = "textual-light" if light else "textual-dark"

    # the frame

    def compose(self) -> ComposeResult:
        """Head, banner, tabs, screens, the last answer, keys."""
        with Horizontal(id="top"):
            yield Static(as_text([line("qbwatch  asking …")]), id="head", markup=False)
            yield Static("? help  q quit", id="keys", markup=False)
        yield Static(id="banner", markup=False)
        with Horizontal(id="tabs"):
            for number, name in enumerate(_PANES, 1):
                yield Tab(number, name)
        with ContentSwitcher(initial="overview", id="panes"):
            yield OverviewPane("overview")
            yield FilesPane("files")
            yield RunsPane("runs")
            yield DbtPane("dbt")
            yield ControlPane("control")
            yield IncidentsPane("incidents")
            yield LogPane("log")
        yield Static(id="answer", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin once everything stands."""
        self.call_after_refresh(self._begin_to_follow)

    def _begin_to_follow(self) -> None:
        self._tell_link()
        self.action_go(str(self.pane.id))  # a key may have come before
        threading.Thread(target=self._follow, name="tui-follow", daemon=True).start()

    def on_unmount(self) -> None:
        """Nobody listens any more."""
        self.ends.set()

    def on_resize(self, event: Resize) -> None:
        """Below a certain size there is only a word about it."""
        is_small = event.size.width < dialogs.SMALLEST[0] or event.size.height < dialogs.SMALLEST[1]
        covers = isinstance(self.screen, dialogs.TooSmall)
        if is_small and not covers:
            self.push_screen(dialogs.TooSmall())
        elif covers and not is_small:
            self.pop_screen()

    # what comes in

    def _follow(self) -> None:
        for seen in self.answers.follow(self.ends):
            if self.ends.is_set():
                return
            self.post_message(self.News(seen))

    def on_qbwatch_app_news(self, event: News) -> None:
        """Show it everywhere, and have the screen that is shown ask what it needs."""
        if self.is_ending:
            return
        self.seen = event.seen
        base = self.screen_stack[0]
        base.query_one("#head", Static).update(as_text([headline(event.seen)]))
        self._tell_link()
        for pane in base.query(Pane):
            pane.show(event.seen)
        self.pane.ask()

    def _tell_link(self) -> None:
        seen, said = self.seen, []
        if seen is not None and seen.trouble:
            by = {"ledger": "from the ledger", "cache": "the last known answer"}.get(seen.status["answered_by"], "")
            at = clock(seen.status["as_of"], self.zone)
            said.append(line(("Not connected, trying again: ", Tone.BAD), seen.trouble))
            said.append(line(f"Shown: {by}, of {at}. Read only. {seen.hint}"))
        elif seen is not None and seen.note:
            said.append(line(seen.note))
        if self.read_only:
            said.append(line("Read only, as asked: nothing can be changed here."))
        banner = self.screen_stack[0].query_one("#banner", Static)
        banner.update(as_text(said))
        banner.set_class(bool(said), "-shown")

    # keys

    def action_go(self, name: str) -> None:
        """To a screen."""
        if len(self.screen_stack) > 1:
            return
        self.query_one("#panes", ContentSwitcher).current = name
        for tab in self.query(Tab):
            tab.set_class(tab.id == f"tab-{name}", "-active")
        self.pane.enter()

    def action_help(self) -> None:
        """All keys."""
        if len(self.screen_stack) == 1:
            self.read("Help", HELP)

    def action_do(self, what: str) -> None:
        """What has a key everywhere."""
        run = self.seen.status["current_run"] if self.seen else None
        chosen = {"pause": actions.pause(), "resume": actions.resume(), "run": actions.run_now()}
        if len(self.screen_stack) == 1:
            self.begin(chosen.get(what) or actions.stop_run(run))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette: every screen, and what has a key everywhere."""
        yield from super().get_system_commands(screen)
        for name in _PANES:
            yield SystemCommand(f"Go to {name}", f"The screen {name}", lambda name=name: self.action_go(name.lower()))
        for name, what in (("Pause", "pause"), ("Resume", "resume"), ("Stop the run", "stop"), ("Run now", "run")):
            yield SystemCommand(name, "Says first what it does", lambda what=what: self.action_do(what))
