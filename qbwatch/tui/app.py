"""The application: the frame around the seven screens, and the threads that ask.

Whatever may block runs in a thread of its own, which nobody waits for, not even at the end; what it brings is posted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Resize
from textual.message import Message
from textual.screen import Screen
from textual.widgets import ContentSwitcher, Footer, Static

from qbwatch.core.facts import Json
from qbwatch.core.model import QbwatchError
from qbwatch.tui import actions, dialogs
from qbwatch.tui.actions import Action
from qbwatch.tui.help import HELP
from qbwatch.tui.lines import Line, Tone, as_text, line
from qbwatch.tui.overview import headline
from qbwatch.tui.pane import Pane
from qbwatch.tui.panes.control import ControlPane
from qbwatch.tui.panes.dbt import DbtPane
from qbwatch.tui.panes.files import FilesPane
from qbwatch.tui.panes.incidents import IncidentsPane
from qbwatch.tui.panes.log import LogPane
from qbwatch.tui.panes.overview import OverviewPane
from qbwatch.tui.panes.runs import RunsPane
from qbwatch.tui.plain import clock, plain
from qbwatch.tui.seen import Answers, Seen
from qbwatch.tui.told import effect_of_revert, sentence

_PANES = ("Overview", "Files", "Runs", "dbt", "Control", "Incidents", "Log")
_TOLD = 200  # answers that are kept


class Tab(Static):
    """The name of a screen, to be clicked."""

    def __init__(self, number: int, name: str) -> None:
        super().__init__(Text(f"{number} {name}"), id=f"tab-{name.lower()}", markup=False)
        self._goes_to = name.lower()

    def on_click(self) -> None:
        """Go there."""
        app: Any = self.app
        app.action_go(self._goes_to)


class QbwatchApp(App[None]):
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

    class Done(Message):
        """What a thread brought, and who gets it."""

        def __init__(self, taker: Callable[[Any], None], brought: Any) -> None:
            super().__init__()
            self.taker, self.brought = taker, brought

    def __init__(self, answers: Answers, zone: tzinfo, *, read_only: bool = False, light: bool = False) -> None:
        super().__init__()
        self.answers, self.zone, self.read_only = answers, zone, read_only
        self.seen: Seen | None = None
        self.told: list[tuple[datetime, str, str]] = []
        self._last_words: Seen | None = None
        self._ends = threading.Event()
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
        self._ends.set()

    def on_resize(self, event: Resize) -> None:
        """Below a certain size there is only a word about it."""
        is_small = event.size.width < dialogs.SMALLEST[0] or event.size.height < dialogs.SMALLEST[1]
        covers = isinstance(self.screen, dialogs.TooSmall)
        if is_small and not covers:
            self.push_screen(dialogs.TooSmall())
        elif covers and not is_small:
            self.pop_screen()

    @property
    def pane(self) -> Pane:
        """The screen that is shown."""
        base = self.screen_stack[0]
        current = base.query_one("#panes", ContentSwitcher).current
        return base.query_one(f"#{current}", Pane)

    # what comes in

    def _follow(self) -> None:
        for seen in self.answers.follow(self._ends):
            if self._ends.is_set():
                return
            self.post_message(self.News(seen))

    def on_qbwatch_app_news(self, event: News) -> None:
        """Show it everywhere, and have the screen that is shown ask what it needs."""
        if self._is_ending:
            return
        self.seen = event.seen
        base = self.screen_stack[0]
        base.query_one("#head", Static).update(as_text([headline(event.seen)]))
        self._tell_link()
        for pane in base.query(Pane):
            pane.show(event.seen)
        self.pane.ask()

    @property
    def _is_ending(self) -> bool:
        """Whether the screens may be gone already."""
        if self._ends.is_set() or self._exit or self._closing or not self.screen_stack:
            return True
        return not self.screen_stack[0].query("#head, #answer")

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

    def background(self, work: Callable[[], Any], taker: Callable[[Any], None]) -> None:
        """Do ``work`` in a thread; ``taker`` gets what it returns, or its `QbwatchError`, in the application's."""

        def run() -> None:
            try:
                brought = work()
            except QbwatchError as error:
                brought = error
            except Exception as bug:  # noqa: BLE001 (top of a thread: the interface lives on and says so)
                brought = QbwatchError(f"a fault of qbwatch: {type(bug).__name__}: {bug}", "see qbwatch doctor")
            if not self._ends.is_set():
                self.post_message(self.Done(taker, brought))

        threading.Thread(target=run, name="tui-ask", daemon=True).start()

    def on_qbwatch_app_done(self, event: Done) -> None:
        """A thread is through."""
        if not self._is_ending:
            event.taker(event.brought)

    # what is shown on request

    def say(self, text: str) -> None:
        """A sentence in the line above the keys."""
        at = clock(datetime.now(UTC).isoformat(), self.zone)[6:]
        text = Text(plain(f"{at} {text}"), no_wrap=True, overflow="ellipsis")  # type: ignore[assignment]
        self.screen_stack[0].query_one("#answer", Static).update(text)

    def read(self, heading: str, lines: list[Line]) -> dialogs.StoryScreen:
        """A long text."""
        story = dialogs.StoryScreen(heading, lines)
        self.push_screen(story)
        return story

    def tell(self, heading: str, name: str, params: Json, told: Callable[[Json], list[Line]]) -> None:
        """The answer to a question, as a long text."""
        story = self.read(heading, [line("asking …")])

        def show(said: Any) -> None:
            if not story.is_attached:
                return
            failed = isinstance(said, QbwatchError)
            story.say([line((said.message, Tone.BAD)), line(said.hint)] if failed else told(said))

        self.background(lambda: self.answers.ask(name, params), show)

    # what is done on request

    def begin(self, action: Action, *, done: Callable[[], object] | None = None, asks: bool = True) -> None:
        """Say what it does, ask, and have it done."""
        if self.read_only:
            self.say(f"read only; the same at a shell: {action.command}")
        elif self.seen is None or not self.seen.is_connected:
            self.say(f"not connected, so nothing is done; at a shell: {action.command}")
        elif not asks:
            self._carry_out(action, done)
        else:
            self._ask_first(action, done)

    def _ask_first(self, action: Action, done: Callable[[], object] | None) -> None:
        dialog = dialogs.question(action.title, action.effect, action.command)
        self.push_screen(dialog, lambda choice: self._carry_out(action, done) if choice == "yes" else None)
        if action.rehearsal is None:
            return

        def show(said: Any) -> None:
            if not dialog.is_attached:
                return
            failed = isinstance(said, QbwatchError)
            effect = (said.message, said.hint) if failed else effect_of_revert(said)
            dialog.say([*(line(each) for each in action.effect), *(line((each, Tone.TITLE)) for each in effect)])
            dialog.allow("yes", allowed=not failed)

        def rehearse() -> None:
            dialog.allow("yes", allowed=False)
            dialog.say([*(line(each) for each in action.effect), line("working out what it would change …")])
            assert action.rehearsal is not None
            method, params = action.rehearsal
            self.background(lambda: self.answers.act(method, params), show)

        dialog.call_after_refresh(rehearse)

    def _carry_out(self, action: Action, done: Callable[[], object] | None) -> None:
        self.say(f"{action.title}: asked …")

        def work() -> str:
            said = [sentence(method, self.answers.act(method, params)) for method, params in action.calls]
            return "; ".join(said)

        def answered(said: Any) -> None:
            failed = isinstance(said, QbwatchError)
            text = f"not done: {said.message}" if failed else str(said)
            self.told = [*self.told[-_TOLD:], (datetime.now(UTC), action.command, text)]
            self.say(f"{action.title}: {text}")
            if done is not None and not failed:
                done()
            if failed and len(self.screen_stack) == 1:
                self.push_screen(dialogs.answer(f"{action.title}: not done", [said.message, said.hint]))
            self.screen_stack[0].query_one(ControlPane).tell()
            self.pane.ask()

        self.background(work, answered)

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
