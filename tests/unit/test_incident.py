"""Incidents: one per cause, told once, recovered once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from qbwatch.core.facts import Severity
from qbwatch.core.incident import Incident, Kind, Pace, Sighting, judge
from qbwatch.core.message import Circumstances, Ending, about, cut, digest, one_line, recovered
from qbwatch.core.model import FailureClass

START = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
PACE = Pace()
TOLD = Circumstances(START, ZoneInfo("America/New_York"))


def _bad(name: str = "Invoice.csv", concerns: str = "quickbooks.invoices") -> Sighting:
    summary = f"{name} is quarantined: the file stops in the middle of row 212"
    return Sighting(FailureClass.DATA, "truncated", concerns, Severity.ERROR, summary, "export it again", (name,))


def _play(*looks: tuple[float, list[Sighting]], pace: Pace = PACE) -> list[tuple[float, Kind, Incident]]:
    known: tuple[Incident, ...] = ()
    told = []
    for seconds, present in looks:
        judged = judge(known, present, pace, START + timedelta(seconds=seconds))
        gone = {each.cause for each in judged.incidents}
        known = (*judged.incidents, *(each for each in known if each.cause not in gone))
        told += [(seconds, kind, incident) for incident, kind in judged.told]
    return told


def test_trouble_is_told_once_and_its_recovery_once() -> None:
    present = [_bad()]
    looks = [(float(at), present if at < 300 else []) for at in range(0, 600, 5)]
    assert [(at, kind) for at, kind, _ in _play(*looks)] == [(15.0, Kind.OPENED), (360.0, Kind.RECOVERED)]


def test_five_hundred_bad_files_are_one_message_with_the_count_and_the_first_names() -> None:
    burst = [_bad(f"Invoice_{number}.csv") for number in range(500)]
    told = _play((0, burst[:40]), (10, burst[:300]), (15, burst), (20, burst))
    assert len(told) == 1
    message = about(told[0][2], Kind.OPENED, TOLD)
    assert "500 files" in message.subject
    assert "Invoice_4.csv\n… and 495 more" in message.body


def test_a_later_file_of_another_dataset_is_an_incident_of_its_own() -> None:
    told = _play((0, [_bad()]), (20, [_bad()]), (40, [_bad(), _bad("C.csv", "quickbooks.customers")]),
                 (60, [_bad(), _bad("C.csv", "quickbooks.customers")]))  # fmt: skip
    assert [incident.names for _, _, incident in told] == [("Invoice.csv",), ("C.csv",)]


def test_what_passes_within_the_hold_is_not_told() -> None:
    assert _play((0, [_bad()]), (10, []), (100, []), (200, [])) == []


def test_flapping_is_damped() -> None:
    looks = [(float(at), [_bad()] if at % 20 < 10 else []) for at in range(0, 3600, 5)]
    assert len(_play(*looks)) <= 1


def test_what_comes_back_soon_is_the_same_incident_and_is_told_again_more_slowly() -> None:
    told = _play((0, [_bad()]), (20, [_bad()]), (30, []), (100, []), (200, [_bad()]), (215, [_bad()]), (230, [_bad()]))
    assert [(at, kind) for at, kind, _ in told] == [(20, Kind.OPENED), (100, Kind.RECOVERED), (230, Kind.OPENED)]
    assert told[0][2].id == told[2][2].id
    assert told[2][2].returns == 1


def test_it_is_reminded_unless_it_is_acknowledged() -> None:
    day = 86_400.0
    told = _play((0, [_bad()]), (20, [_bad()]), (day, [_bad()]), (day + 20, [_bad()]), (day + 40, [_bad()]))
    assert [kind for _, kind, _ in told] == [Kind.OPENED, Kind.REMINDER]
    known = replace(told[0][2], acknowledged_at=START + timedelta(hours=1))
    assert judge([known], [_bad()], PACE, START + timedelta(days=2)).told == ()


def test_a_message_has_the_essentials_first_and_is_cut_behind_them() -> None:
    incident = _play((0, [_bad()]), (20, [_bad()]))[0][2]
    good = datetime(2026, 11, 24, 7, 5, tzinfo=UTC)
    message = about(incident, Kind.OPENED, replace(TOLD, last_success_at=good, through=date(2026, 11, 23)))
    assert message.body.splitlines()[0] == incident.summary
    for part in (
        "What to do: export it again\nLook at it: `qbwatch why 'Invoice.csv'`",
        "Meanwhile: Nothing of it is loaded or shown",
        "Last known good: Tuesday 24 November 2026, 02:05 EST; data through Monday 23 November",
        "Open since: Tuesday 24 November 2026, 22:00 EST",
        "Class: data (truncated)",
        f"`qbwatch alerts ack {incident.id}`",
    ):
        assert part in message.body
    short = cut(message.body + "x" * 5000, 300)
    assert len(short) <= 300
    assert short.startswith(incident.summary)
    assert "more characters" in short


def test_a_recovery_tells_how_long_it_lasted() -> None:
    told = _play((0, [_bad()]), (20, [_bad()]), (125, []), (200, []))
    body = recovered(told[1][2], TOLD, Ending("It was late.")).body
    assert "It was late.\nIt lasted 2 min 5 s, until Tuesday 24 November 2026, 22:02 EST." in body
    assert "ack" not in body


def test_a_subject_is_one_line_and_an_empty_text_is_replaced() -> None:
    assert one_line("a\r\nBcc: x\x1b[31m") == "a Bcc: x [31m"
    assert "qbwatch status" in cut(" \n", 100)


def test_html_shows_markup_of_names_as_text_and_a_digest_keeps_the_order() -> None:
    first = about(_play((0, [_bad("<b>.csv")]), (20, [_bad("<b>.csv")]))[0][2], Kind.OPENED, TOLD)
    assert "<b>" not in first.as_html
    both = digest([first, replace(first, subject="qbwatch: later")], 4000)
    assert both.subject.startswith("qbwatch: 2 messages: ")
    assert both.body.index("* later") > both.body.index("* <b>.csv")


def test_amounts_are_not_sent() -> None:
    wrong = replace(_bad(), summary="the file prints 1,234.56, its lines make $99.10; see A_10.25.csv")
    incident = _play((0, [wrong]), (20, [wrong]))[0][2]
    body = about(incident, Kind.OPENED, TOLD).body
    assert body.startswith("the file prints [amount], its lines make ")
    assert "1,234" not in body
    assert "A_10.25.csv" in body


def test_an_alert_of_a_failed_build_names_the_rows_and_doesnt_say_that_nothing_is_shown() -> None:
    hint = "look at the rows: select * from analytics_quality.assert_no_day_is_doubled"
    failed = Sighting(FailureClass.DATA, "transform_failed", "", Severity.ERROR, "dbt failed: a day is doubled", hint)
    body = about(_play((0, [failed]), (20, [failed]))[0][2], Kind.OPENED, TOLD).body
    assert f"What to do: {hint}" in body
    assert "The loaded data is safe." in body
    assert "Nothing of it is loaded" not in body
    away = replace(failed, failure_class=FailureClass.INFRASTRUCTURE)
    assert "tried again by itself" in about(_play((0, [away]), (20, [away]))[0][2], Kind.OPENED, TOLD).body
