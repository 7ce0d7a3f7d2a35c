"""Incidents: what people were told of, from first sight to recovery."""

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
from qbwatch.tui.story import standing, story_of_incident

_COLUMNS = (
    Column("state", 12),
    Column("severity", 8, shown_from=76),
    Column("since", 14, shown_from=60),
    Column("what"),
)


class IncidentsPane(Pane):
    """One list."""

    question = "alerts"
    has_filter = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "acknowledge", "Acknowledge"),
        Binding("T", "try_alerts", "Test alerts"),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._said: Json = {"incidents": [], "undelivered": []}

    def content(self) -> ComposeResult:
        """The incidents, and below them the messages that wait."""
        yield RowList(_COLUMNS, empty="no incident so far", id="incidents-list")

    def take(self, said: Json) -> None:
        """Incidents and messages."""
        self._said = said
        self.refilter()

    def refilter(self) -> None:
        """The list anew."""
        zone = self.home.zone
        rows = [_incident(each, zone) for each in self._said["incidents"]]
        rows += [_message(each, number, zone) for number, each in enumerate(self._said["undelivered"])]
        self.query_one(RowList).show(self.filtered(rows))

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """All about it."""
        event.stop()
        if event.row.data is not None:
            self.home.read(f"Incident {event.row.data['id']}", story_of_incident(event.row.data, self.home.zone))

    def action_acknowledge(self) -> None:
        """No more reminders of the one under the cursor."""
        row = self.query_one(RowList).row
        if row is None or row.data is None or row.data["recovered_at"]:
            self.home.say("only an open incident can be acknowledged")
        else:
            self.home.begin(actions.acknowledge(row.data))

    def action_try_alerts(self) -> None:
        """A message through every service."""
        self.home.begin(actions.try_alerts())


def _incident(incident: Json, zone: tzinfo) -> Row:
    state = standing(incident)
    cells = (state, incident["severity"], clock(incident["opened_at"], zone), incident["summary"])
    return Row(incident["id"], cells, STATE_TONES.get(state, Tone.USUAL), data=incident)


def _message(message: Json, number: int, zone: tzinfo) -> Row:
    what = f"to {message['service']}: {message['kind']}, tried {message['attempts']} times: {message['error'] or '-'}"
    cells = ("undelivered", "", clock(message["queued_at"], zone), what)
    return Row(f"message {number}", cells, Tone.WARN)
