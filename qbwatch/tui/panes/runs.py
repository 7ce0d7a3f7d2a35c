"""Runs: what is asked for and waits its turn, and the history."""

from __future__ import annotations

from datetime import tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from qbwatch.core.facts import Json
from qbwatch.tui import actions
from qbwatch.tui.lines import STATE_TONES, Tone
from qbwatch.tui.pane import Pane
from qbwatch.tui.plain import clock
from qbwatch.tui.row_list import Column, Row, RowList
from qbwatch.tui.seen import Seen
from qbwatch.tui.story import story_of_run

_QUEUE = (
    Column("asked for"),
    Column("by", 18, shown_from=50),
    Column("since", 14, shown_from=70),
    Column("turn", 8),
)
_HISTORY = (
    Column("run", 6, right=True),
    Column("mode", 11),
    Column("status", 15),
    Column("started", 14),
    Column("seconds", 8, right=True, shown_from=70),
    Column("files", 6, right=True, shown_from=70),
    Column("rows", 8, right=True, shown_from=90),
    Column("failure"),
)
_NEWEST = 200
_CHOICES = [
    ("now", "Run now"),
    ("incremental", "Incremental"),
    ("seed", "Seed"),
    ("transform", "dbt build"),
    ("test", "Test the data"),
    ("none", "Nothing"),
]


class RunsPane(Pane):
    """Two lists."""

    question = "runs"
    has_filter = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "add", "Ask for"),
        Binding("x", "take_out", "Take out"),
        Binding("K,shift+up", "shift(-1)", "Earlier"),
        Binding("J,shift+down", "shift(1)", "Later"),
        Binding("tab", "app.focus_next", "Other list", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._runs: list[Json] = []

    def content(self) -> ComposeResult:
        """The queue, the history."""
        yield RowList(_QUEUE, empty="nobody asks for anything; n adds", id="queue")
        yield RowList(_HISTORY, empty="no run so far", id="history")

    def params(self) -> Json:
        """So many."""
        return {"limit": _NEWEST}

    def show(self, seen: Seen) -> None:
        """The queue is part of the status."""
        requests = seen.status["daemon"].get("requests") or []
        is_running = seen.status["daemon"]["state"] == "running"
        rows = [
            _request(each, number, zone=self.home.zone, is_running=is_running) for number, each in enumerate(requests)
        ]
        self.query_one("#queue", RowList).show(rows)
        self.query_one("#queue").styles.height = min(len(rows) + 1, 6) if rows else 2

    def take(self, said: Json) -> None:
        """The history."""
        self._runs = said["runs"]
        rows = [_run(run, self.home.zone) for run in self._runs]
        self.query_one("#history", RowList).show(self.filtered(rows))

    def refilter(self) -> None:
        """The filter has changed."""
        self.take({"runs": self._runs})

    def enter(self) -> None:
        """It was switched to."""
        self.query_one("#history").focus()
        self.ask()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """All that a run did."""
        event.stop()
        if event.owner.id == "history":
            run = event.row.data["id"]
            self.home.tell(f"Run {run}", "run", {"id": run}, lambda said: story_of_run(said["run"], self.home.zone))

    def action_add(self) -> None:
        """Ask for something, which waits its turn."""
        from qbwatch.tui.dialogs import Dialog

        self.app.push_screen(Dialog("What is to be done next?", [], _CHOICES), self._add)

    def _add(self, choice: str | None) -> None:
        match choice:
            case "now":
                self.home.begin(actions.run_now())
            case "incremental" | "seed":
                self.home.begin(actions.run_now(choice))
            case "transform":
                self.home.begin(actions.transform())
            case "test":
                self.home.begin(actions.run_tests())
            case _:
                pass

    def action_take_out(self) -> None:
        """Have a request not done."""
        row = self.query_one("#queue", RowList).row
        if row is None:
            self.home.say("nothing waits in the queue")
        else:
            self.home.begin(actions.take_out(row.data))

    def action_shift(self, places: int) -> None:
        """Have a request done earlier or later."""
        row = self.query_one("#queue", RowList).row
        if row is None:
            self.home.say("nothing waits in the queue")
        else:
            self.home.begin(actions.move(row.data, places), asks=False)


def _request(asked: Json, number: int, *, zone: tzinfo, is_running: bool) -> Row:
    turn = "now" if number == 0 and is_running else f"{number + 1}."
    what = f"{asked['request']} {asked.get('detail', '')}".strip()
    return Row(str(asked.get("id", number)), (what, asked["by"], clock(asked["since"], zone), turn), data=asked)


def _run(run: Json, zone: tzinfo) -> Row:
    cells = (
        str(run["id"]),
        run["mode"],
        run["status"].replace("_", " "),
        clock(run["started_at"], zone),
        "" if run["seconds"] is None else f"{run['seconds']:,.1f}",
        f"{run['files']:,}",
        f"{run['rows']['read']:,}",
        run["error"] or "",
    )
    return Row(str(run["id"]), cells, STATE_TONES.get(run["status"], Tone.USUAL), 2, run)
