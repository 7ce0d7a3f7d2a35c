"""dbt: models and tests with their newest word, how fresh the marts are, and the rows that break a rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from qbwatch.core.facts import Json
from qbwatch.tui import actions
from qbwatch.tui.lines import STATE_TONES, Line, Tone
from qbwatch.tui.pane import Pane
from qbwatch.tui.plain import clock
from qbwatch.tui.row_list import Column, Row, RowList
from qbwatch.tui.seen import Seen
from qbwatch.tui.story import story_of_node

_COLUMNS = (
    Column("status", 9),
    Column("kind", 9, shown_from=90),
    Column("name"),
    Column("fresh", 17),
    Column("rows", 9, right=True, shown_from=70),
    Column("seconds", 7, right=True, shown_from=110),
    Column("built", 14, shown_from=100),
)
_TESTS = ("test", "unit_test")


class DbtPane(Pane):
    """The nodes."""

    question = "nodes"
    has_filter = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "build", "Build it"),
        Binding("B", "build_all", "Build all"),
        Binding("t", "test", "Test it"),
        Binding("T", "test_all", "Test all"),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._known: list[Json] = []
        self._freshness: dict[str, Json] = {}

    def content(self) -> ComposeResult:
        """One list."""
        yield RowList(_COLUMNS, empty="dbt has not built anything so far; B does", id="nodes")

    def show(self, seen: Seen) -> None:
        """Freshness is part of the status."""
        self._freshness = {each["relation"]: each for each in seen.status["freshness"]}
        self.refilter()

    def take(self, said: Json) -> None:
        """The nodes."""
        self._known = said["nodes"]
        self.refilter()

    def refilter(self) -> None:
        """The list anew."""
        rows = [_row(node, self._freshness.get(node["name"]), self.home.zone) for node in self._known]
        self.query_one(RowList).show(self.filtered(rows))

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """All about a node, and the rows that break its rule."""
        event.stop()
        node = event.row.data
        told: Callable[[Json], list[Line]] = lambda said: story_of_node(node, said, self.home.zone)  # noqa: E731
        if node["found_in"] and node["status"] in ("fail", "warn"):
            self.home.tell(node["name"], "failing-rows", {"node": node["unique_id"]}, told)
        else:
            self.home.read(node["name"], story_of_node(node, None, self.home.zone))

    def _names(self) -> list[str]:
        return [row.data["name"] for row in self.query_one(RowList).chosen]

    def action_build(self) -> None:
        """The marked models, or the one under the cursor."""
        models = [row.data["name"] for row in self.query_one(RowList).chosen if row.data["resource_type"] not in _TESTS]
        if models:
            self.home.begin(actions.transform(models))
        else:
            self.home.say("tests are not built; t tests")

    def action_build_all(self) -> None:
        """Everything."""
        self.home.begin(actions.transform())

    def action_test(self) -> None:
        """The marked nodes, or the one under the cursor."""
        if names := self._names():
            self.home.begin(actions.run_tests(names))

    def action_test_all(self) -> None:
        """All tests."""
        self.home.begin(actions.run_tests())


def _row(node: Json, freshness: Json | None, zone: tzinfo) -> Row:
    fresh = f"{freshness['state']} {freshness['current_through'] or ''}" if freshness else ""
    cells = (
        node["status"],
        node["resource_type"],
        node["name"],
        fresh,
        "" if node["rows"] is None else f"{node['rows']:,}",
        f"{node['seconds']:.2f}",
        clock(node["finished_at"], zone),
    )
    return Row(node["unique_id"], cells, STATE_TONES.get(node["status"], Tone.USUAL), data=node)
