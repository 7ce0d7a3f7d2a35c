"""A list of rows of which only those on the screen are drawn, with a cursor that stays on its row.

A row has a key. Whatever comes in anew, the cursor and the marks stay with their keys. A list may know only a window of
its rows: when the cursor leaves it, the list asks for another (`RowList.Wanted`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from qbwatch.tui.lines import Tone, style_of
from qbwatch.tui.plain import fitted, plain

_MARGIN = 2  # cells before the first column: the cursor's sign and the mark's


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``width`` in cells (0: what is left), shown from a list of ``shown_from`` cells on."""

    title: str
    width: int = 0
    right: bool = False
    shown_from: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A row: what tells it apart, its cells, and what stands behind it. ``toned`` is the column that has the tone."""

    key: str
    cells: tuple[str, ...]
    tone: Tone = Tone.USUAL
    toned: int = 0
    data: Any = field(default=None, compare=False)


class RowList(Widget, can_focus=True):
    """See the module."""

    DEFAULT_CSS = """
    RowList { height: 1fr; min-height: 2; }
    RowList > .row-list--title { text-style: bold underline; }
    RowList > .row-list--cursor { background: $block-cursor-blurred-background; text-style: bold; }
    RowList:focus > .row-list--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-list--title", "row-list--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "jump(0)", "First", show=False),
        Binding("end", "jump(-1)", "Last", show=False),
        Binding("space", "mark", "Mark", show=False),
        Binding("enter", "choose", "Open"),
    ]

    class Chosen(Message):
        """A person wants to see all of the row."""

        def __init__(self, owner: RowList, row: Row) -> None:
            super().__init__()
            self.owner, self.row = owner, row

        @property
        def control(self) -> RowList:
            """The list, for handlers that name it."""
            return self.owner

    class Wanted(Message):
        """Rows are to be shown that the list doesn't know: those around ``place``."""

        def __init__(self, owner: RowList, place: int) -> None:
            super().__init__()
            self.owner, self.place = owner, place

    def __init__(self, columns: Sequence[Column], *, empty: str = "nothing", id: str | None = None) -> None:
        super().__init__(id=id)
        self.columns, self.empty = tuple(columns), empty
        self.rows: list[Row] = []
        self.first = self.total = self.cursor = self.top = 0
        self.marked: dict[str, Row] = {}
        self.follows_end = False
        self._key: str | None = None

    # what it shows

    def show(self, rows: Sequence[Row], first: int = 0, total: int | None = None) -> None:
        """Show these rows, the first of which is number ``first`` of ``total``; the cursor stays with its key."""
        self.rows, self.first = list(rows), first
        self.total = first + len(self.rows) if total is None else total
        place = next((first + number for number, row in enumerate(self.rows) if row.key == self._key), None)
        if place is not None:
            self.top += place - self.cursor
            self.cursor = place
        if self.follows_end:
            self.cursor = self.total - 1
        known = {row.key: row for row in self.rows}
        self.marked = {key: known.get(key, row) for key, row in self.marked.items()}
        self._settle()

    def clear(self) -> None:
        """Forget cursor and marks: another list is about to come."""
        self.cursor = self.top = 0
        self.marked, self._key = {}, None

    @property
    def row(self) -> Row | None:
        """The row under the cursor, if it is known."""
        place = self.cursor - self.first
        return self.rows[place] if 0 <= place < len(self.rows) else None

    @property
    def chosen(self) -> list[Row]:
        """The marked rows, else the one under the cursor."""
        return list(self.marked.values()) or ([self.row] if self.row else [])

    @property
    def lead(self) -> int:
        """How many rows stand above the cursor on the screen."""
        return self.cursor - self.top

    def _settle(self) -> None:
        self.cursor = max(min(self.cursor, self.total - 1), 0)
        self._key = self.row.key if self.row else self._key
        space = max(self.size.height - 1, 1)
        self.top = max(min(self.top, self.cursor, self.total - space), self.cursor - space + 1, 0)
        last = min(self.top + space, self.total) - 1
        if self.total and not (self.first <= self.top and last < self.first + len(self.rows)):
            self.post_message(self.Wanted(self, self.top))
        self.refresh()

    # what a person does

    def action_move(self, by: int) -> None:
        """One row up or down."""
        self.cursor += by
        self.follows_end = self.follows_end and self.cursor >= self.total
        self._settle()

    def action_page(self, by: int) -> None:
        """One screen up or down."""
        self.action_move(by * max(self.size.height - 2, 1))

    def action_jump(self, to: int) -> None:
        """To the first row, or with -1 to the last."""
        self.cursor = to if to >= 0 else self.total - 1
        self._settle()

    def action_mark(self) -> None:
        """Mark the row, or take the mark away; the cursor goes on."""
        if self.row is not None:
            if self.marked.pop(self.row.key, None) is None:
                self.marked[self.row.key] = self.row
            self.action_move(1)

    def action_choose(self) -> None:
        """See all of the row."""
        if self.row is not None:
            self.post_message(self.Chosen(self, self.row))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a double one opens."""
        if event.y > 0 and self.top + event.y - 1 < self.total:
            self.cursor = self.top + event.y - 1
            self._settle()
            if event.chain > 1:
                self.action_choose()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the cursor."""
        event.stop()
        self.action_move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the cursor."""
        event.stop()
        self.action_move(-3)

    def on_resize(self) -> None:
        """More or fewer rows fit."""
        self._settle()

    # how it is drawn

    def _widths(self) -> list[int]:
        width = self.size.width
        shown = [column for column in self.columns if width >= column.shown_from]
        spare = width - _MARGIN - sum(column.width for column in shown) - (len(shown) - 1)
        return [-1 if width < column.shown_from else column.width or max(spare, 4) for column in self.columns]

    def _cells(self, texts: Sequence[str], widths: Sequence[int]) -> list[str]:
        return [
            "" if width < 0 else fitted(plain(text), width, right=column.right) + " "
            for text, width, column in zip(texts, widths, self.columns, strict=True)
        ]

    def render_line(self, y: int) -> Strip:
        """One line: the titles, a row, or nothing."""
        width, base = self.size.width, self.rich_style
        widths = self._widths()
        if y == 0:
            style = base + self.get_component_rich_style("row-list--title", partial=True)
            heading = "".join(self._cells([column.title for column in self.columns], widths))
            where = f" {self.cursor + 1:,}/{self.total:,}" if self.total else ""
            left = max(width - len(where), 0)
            text = set_cell_size(" " * _MARGIN + heading, left) + where
            return Strip([Segment(text, style)]).adjust_cell_length(width, base)
        place = self.top + y - 1
        if place >= self.total:
            text = f"  {self.empty}" if self.total == 0 and y == 1 else ""
            return Strip([Segment(fitted(text, width), base + Style(dim=True))])
        number = place - self.first
        if not 0 <= number < len(self.rows):
            return Strip([Segment(fitted("  …", width), base + Style(dim=True))])
        return self._row_strip(self.rows[number], place == self.cursor, widths, base).adjust_cell_length(width, base)

    def _row_strip(self, row: Row, is_cursor: bool, widths: Sequence[int], base: Style) -> Strip:
        style = base + self.get_component_rich_style("row-list--cursor", partial=True) if is_cursor else base
        signs = (">" if is_cursor else " ") + ("*" if row.key in self.marked else " ")
        segments = [Segment(signs, style)]
        for number, cell in enumerate(self._cells(row.cells, widths)):
            tone = style_of(row.tone) if number == row.toned and not is_cursor else ""
            segments.append(Segment(cell, style + Style.parse(tone) if tone else style))
        used = sum(segment.cell_length for segment in segments)
        segments.append(Segment(" " * max(self.size.width - used, 0), style))
        return Strip(segments)
