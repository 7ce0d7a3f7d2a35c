"""Files: what waits, is loaded, quarantined or skipped; and what a person decides about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from qbwatch.core.facts import Json
from qbwatch.core.filename import part_name
from qbwatch.tui import actions
from qbwatch.tui.actions import Action
from qbwatch.tui.lines import STATE_TONES, Tone, as_text, line
from qbwatch.tui.pane import Pane
from qbwatch.tui.plain import clock, short_dataset
from qbwatch.tui.row_list import Column, Row, RowList
from qbwatch.tui.seen import Seen
from qbwatch.tui.story import story_of_file

_COLUMNS = (
    Column("state", 11),
    Column("file"),
    Column("dataset", 15, shown_from=90),
    Column("kind", 6, shown_from=100),
    Column("as of", 14, shown_from=70),
    Column("rows", 8, right=True),
    Column("next try", 14, shown_from=110),
)
_STATES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("all", ()),
    ("waiting", ("pending", "loading", "retrying")),
    ("quarantined", ("quarantined",)),
    ("loaded", ("loaded",)),
    ("skipped", ("skipped",)),
)
_SORTS = ("as_of", "changed", "name", "dataset", "state", "rows")
_WINDOW = 200  # rows that are asked for at once


class FilesPane(Pane):
    """The work table, of which only a window is known here."""

    question = "files"
    has_filter = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "decide('retry')", "Retry"),
        Binding("a", "decide('accept')", "Accept"),
        Binding("x", "decide('skip')", "Skip"),
        Binding("v", "decide('revert')", "Revert"),
        Binding("l", "load", "Load"),
        Binding("s", "state", "State"),
        Binding("o", "sort", "Sort", show=False),
        Binding("O", "turn", "Turn round", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._state = self._sort = 0
        self._descending = True
        self._place: int | None = None
        self._settling: list[Row] = []
        self._said: Json = {"total": 0, "offset": 0, "states": {}, "files": []}

    def content(self) -> ComposeResult:
        """What is listed, the list, and why the file under the cursor is where it is."""
        yield Static(id="files-head", classes="line", markup=False)
        yield RowList(_COLUMNS, empty="no file here", id="files-list")

    @property
    def list(self) -> RowList:
        """The list."""
        return self.query_one(RowList)

    def params(self) -> Json:
        """The window around the cursor, or around where the list wants to look."""
        listed = self.list
        words = self.filter_text.split()
        named = {key: value for key, _, value in (word.partition(":") for word in words) if key == "dataset" and value}
        dataset = named.get("dataset")
        wish: Json = {
            "states": list(_STATES[self._state][1]),
            "dataset": None if dataset is None else dataset if "." in dataset else f"quickbooks.{dataset}",
            "text": " ".join(word for word in words if not word.startswith("dataset:")),
            "sort": _SORTS[self._sort],
            "descending": self._descending,
            "limit": _WINDOW,
            "offset": max((listed.top if self._place is None else self._place) - len(self._settling) - _WINDOW // 3, 0),
        }
        row = listed.row
        if self._place is None and row is not None and row.data is not None:
            wish |= {"at": row.data["id"], "lead": min(listed.cursor - listed.first, _WINDOW - 1)}
        self._place = None
        return wish

    def show(self, seen: Seen) -> None:
        """Settling files are known to the daemon alone; they stand above the ledger's."""
        settling = [file for file in seen.status["pending"]["files"] if file["state"] == "settling"]
        is_shown = _STATES[self._state][0] in ("all", "waiting")
        rows = [
            Row(f"settling {file['name']}", ("settling", file["name"], "", "", "", "", ""))
            for file in (settling if is_shown else ())
        ]
        self._settling = [] if self.filter_text else rows
        self._list_anew()

    def take(self, said: Json) -> None:
        """A window of the ledger."""
        self._said = said
        self._list_anew()

    def _list_anew(self) -> None:
        zone = self.home.zone
        first = self._said["offset"]
        rows = [_row(file, zone) for file in self._said["files"]]
        above = len(self._settling)
        if first == 0:
            self.list.show([*self._settling, *rows], 0, above + self._said["total"])
        else:
            self.list.show(rows, above + first, above + self._said["total"])
        self._tell()

    def _tell(self) -> None:
        name = _STATES[self._state][0]
        counts = self._said["states"]
        told = "  ".join(f"{counts[state]:,} {state}" for state in sorted(counts))
        marked = f"  {len(self.list.marked)} marked" if self.list.marked else ""
        way = "newest first" if self._descending and self._sort < 2 else "down" if self._descending else "up"
        head = line((f"{name} by {_SORTS[self._sort]}, {way}", Tone.TITLE), f"{marked}  {told}")
        self.query_one("#files-head", Static).update(as_text([head]))

    def on_row_list_wanted(self, event: RowList.Wanted) -> None:
        """The cursor left the window."""
        event.stop()
        self._place = event.place
        self.ask()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """The whole story."""
        event.stop()
        part = event.row.data
        if part is None:
            self.home.say("it is still being written, or has only just been")
            return
        params = {"file": part["path"], "file_id": part["file_id"]}
        self.home.tell(part["path"], "why", params, lambda said: story_of_file(said, self.home.zone))

    def refilter(self) -> None:
        """Another list."""
        self.list.clear()
        self._place = 0
        self.ask()

    def action_state(self) -> None:
        """The next group of states."""
        self._state = (self._state + 1) % len(_STATES)
        self.refilter()
        if self.home.seen is not None:
            self.show(self.home.seen)

    def action_sort(self) -> None:
        """The next order."""
        self._sort = (self._sort + 1) % len(_SORTS)
        self.refilter()

    def action_turn(self) -> None:
        """The other way round."""
        self._descending = not self._descending
        self.refilter()

    def action_load(self) -> None:
        """One run now, with all that waits."""
        self.home.begin(actions.run_now())

    def action_decide(self, what: str) -> None:
        """A decision about the marked parts, or the one under the cursor."""
        parts = [row.data for row in self.list.chosen if row.data is not None]
        fitting = [part for part in parts if _FITS[what](part)]
        if not fitting:
            self.home.say(f"there is nothing to {what} here: {_WHAT[what]}")
        elif what == "revert" and len({part["file_id"] for part in fitting}) > 1:
            self.home.say("files are reverted one by one")
        else:
            action = actions.revert(fitting[0]) if what == "revert" else _ACTIONS[what](fitting)
            self.home.begin(action, done=self.list.marked.clear)


def _row(file: Json, zone: tzinfo) -> Row:
    cells = (
        file["state"],
        part_name(file["path"], file["sheet"]) + (f"  ({file['reason']})" if file["reason"] else ""),
        short_dataset(file["dataset"]),
        "full" if file["full"] else "window",
        clock(file["as_of"], zone),
        "" if file["rows"] is None else f"{file['rows']['read']:,}",
        clock(file["next_attempt_at"], zone) if file["next_attempt_at"] else "",
    )
    return Row(str(file["id"]), cells, STATE_TONES.get(file["state"], Tone.USUAL), data=file)


_FITS: dict[str, Callable[[Json], bool]] = {
    "retry": lambda part: part["state"] in ("quarantined", "retrying") or part["is_decided"],
    "accept": lambda part: part["is_question"],
    "skip": lambda part: part["state"] in ("pending", "retrying", "quarantined"),
    "revert": lambda part: part["state"] == "loaded",
}
_WHAT = {
    "retry": "only what is quarantined, waits for a later try, or was left out or reverted by a person",
    "accept": "only what is quarantined by a question; Enter says why it is",
    "skip": "only what waits or is quarantined; what is loaded can be reverted",
    "revert": "only what is loaded",
}
_ACTIONS: dict[str, Callable[[Sequence[Json]], Action]] = {
    "retry": actions.retry,
    "accept": actions.accept,
    "skip": actions.skip,
}
