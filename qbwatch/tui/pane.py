"""What the seven screens have in common: they show what is seen, ask for what they need, and can be filtered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from qbwatch.core.facts import Json
from qbwatch.core.model import QbwatchError
from qbwatch.tui.row_list import Row, RowList
from qbwatch.tui.seen import Seen

if TYPE_CHECKING:
    from qbwatch.tui.app import QbwatchApp


class Pane(Vertical):
    """One of the screens. ``question`` is what it asks the ledger, if anything, whenever something changed."""

    question: ClassVar[str | None] = None
    has_filter: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash", "filter", "Filter")]

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.filter_text = ""
        self._is_asking = self._is_due = False

    @property
    def home(self) -> QbwatchApp:
        """The application."""
        app: Any = self.app
        return app  # type: ignore[no-any-return]

    def compose(self) -> ComposeResult:
        """The filter above everything else."""
        if self.has_filter:
            yield Input(placeholder="filter", compact=True)
        yield from self.content()

    def content(self) -> ComposeResult:
        """What it consists of."""
        raise NotImplementedError

    def params(self) -> Json:
        """Parameters of the question."""
        return {}

    def show(self, seen: Seen) -> None:
        """The status is news."""

    def take(self, said: Json) -> None:
        """The answer to the question."""

    def fail(self, error: QbwatchError) -> None:
        """There is no answer."""
        self.home.say(f"{error.message} ({error.hint})" if error.hint else error.message)

    def ask(self) -> None:
        """Ask the question anew; while one is under way, once more after it."""
        if self.question is None:
            return
        if self._is_asking:
            self._is_due = True
            return
        self._is_asking, self._is_due = True, False
        name, params = self.question, self.params()
        self.home.background(lambda: self.home.answers.ask(name, params), self._answered)

    def _answered(self, said: Any) -> None:
        self._is_asking = False
        if isinstance(said, QbwatchError):
            self.fail(said)
        else:
            self.take(said)
        if self._is_due:
            self.ask()

    def answered(self) -> None:
        """Something that was to be done was answered."""
        self.ask()

    def enter(self) -> None:
        """It was switched to."""
        focusable = next(iter(self.query(RowList)), None)
        if focusable is not None:
            focusable.focus()
        self.ask()

    # filtering

    def fits(self, row: Row) -> bool:
        """Whether a row has the words of the filter."""
        text = " ".join(row.cells).lower()
        return all(word in text for word in self.filter_text.lower().split())

    def filtered(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that have them."""
        return [row for row in rows if self.fits(row)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """A screen without a list has nothing to filter."""
        return self.has_filter if action == "filter" else True

    def action_filter(self) -> None:
        """Type a filter."""
        for box in self.query(Input):
            box.add_class("-shown")
            box.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """It works while one types."""
        self.filter_text = event.value
        self.refilter()

    def on_input_submitted(self) -> None:
        """Back to the list."""
        self._close_filter()

    def on_key(self, event: Any) -> None:
        """Escape ends filtering."""
        box = next(iter(self.query(Input)), None)
        if event.key == "escape" and box is not None and (box.has_focus or self.filter_text):
            event.stop()
            box.value = ""
            self._close_filter()

    def _close_filter(self) -> None:
        for box in self.query(Input):
            box.set_class(bool(box.value), "-shown")
        for found in self.query(RowList):
            found.focus()
            break

    def refilter(self) -> None:
        """The filter has changed."""
        self.ask()
