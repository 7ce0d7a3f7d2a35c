"""The application as far as it asks: questions, and what a person wants done.

Whatever may block runs in a thread of its own, which nobody waits for, not even at the end; what it brings is posted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any

from rich.text import Text
from textual.app import App
from textual.message import Message
from textual.widgets import ContentSwitcher, Static

from qbwatch.core.facts import Json
from qbwatch.core.model import QbwatchError
from qbwatch.tui import dialogs
from qbwatch.tui.actions import Action
from qbwatch.tui.lines import Line, Tone, line
from qbwatch.tui.pane import Pane
from qbwatch.tui.plain import clock, plain
from qbwatch.tui.seen import Answers, Seen
from qbwatch.tui.told import effect_of_revert, sentence

_TOLD = 200  # answers that are kept


class AskingApp(App[None]):
    """See the module. ``told`` holds what was answered: when, to which command, in which words."""

    class Done(Message):
        """What a thread brought, and who gets it."""

        def __init__(self, taker: Callable[[Any], None], brought: Any) -> None:
            super().__init__()
            self.taker, self.brought = taker, brought

    def __init__(self, answers: Answers, zone: tzinfo, *, read_only: bool) -> None:
        super().__init__()
        self.answers, self.zone, self.read_only = answers, zone, read_only
        self.seen: Seen | None = None
        self.told: list[tuple[datetime, str, str]] = []
        self.ends = threading.Event()

    @property
    def pane(self) -> Pane:
        """The screen that is shown."""
        base = self.screen_stack[0]
        current = base.query_one("#panes", ContentSwitcher).current
        return base.query_one(f"#{current}", Pane)

    @property
    def is_ending(self) -> bool:
        """Whether the screens may be gone already."""
        if self.ends.is_set() or self._exit or self._closing or not self.screen_stack:
            return True
        return not self.screen_stack[0].query("#head, #answer")

    def background(self, work: Callable[[], Any], taker: Callable[[Any], None]) -> None:
        """Do ``work`` in a thread; ``taker`` gets what it returns, or its `QbwatchError`, in the application's."""

        def run() -> None:
            try:
                brought = work()
            except QbwatchError as error:
                brought = error
            except Exception as bug:  # noqa: BLE001 (top of a thread: the interface lives on and says so)
                brought = QbwatchError(f"a fault of qbwatch: {type(bug).__name__}: {bug}", "see qbwatch doctor")
            if not self.ends.is_set():
                self.post_message(self.Done(taker, brought))

        threading.Thread(target=run, name="tui-ask", daemon=True).start()

    def on_asking_app_done(self, event: Done) -> None:
        """A thread is through."""
        if not self.is_ending:
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
            self.pane.answered()

        self.background(work, answered)
