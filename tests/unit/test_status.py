"""Is my data current, and is it right? The answer, from facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from qbwatch.core.expect import Export, configured
from qbwatch.core.facts import DaemonFacts, Json, LedgerFacts, Limits, Problem, RelationFacts, Severity, moment
from qbwatch.core.model import DaemonState, Failure, FailureClass
from qbwatch.core.status import assemble, from_cache, health_of

AT = datetime(2025, 4, 17, 12, 0, 0, 123, tzinfo=UTC)
IDLE = DaemonFacts(DaemonState.IDLE, pid=7, watcher="inotify", watch_alive=True)
CALM = LedgerFacts(
    waiting_count=0,
    oldest_waiting_at=None,
    waiting=[],
    quarantined=[],
    current_run=None,
    last_run=None,
    last_success_at=AT,
    relations=[RelationFacts("fct_orders", 681, date(2025, 4, 16))],
    debt=[],
    debt_failure=None,
    last_build_at=AT,
    failed_nodes=[],
    warned_nodes=[],
)
LIMITS = Limits(date(2025, 4, 17), lambda day: False, lambda relation: 2)
NO_DBT = Failure(FailureClass.CONFIGURATION, "configuration", "no dbt", "install it")
HELD = {
    "name": "Invoice.csv",
    "dataset": None,
    "class": "data",
    "reason": "the file is empty",
    "hint": "export it again",
    "since": "2025-04-17T11:00:00+00:00",
}


def answer(ledger: LedgerFacts = CALM, daemon: DaemonFacts = IDLE, limits: Limits = LIMITS) -> Json:
    return assemble(ledger, daemon, limits, answered_by="daemon", version="1", at=AT)


def codes(said: Json) -> list[str]:
    return [problem["code"] for problem in said["problems"]]


def test_a_calm_firm_is_ok() -> None:
    said = answer()
    assert (said["health"], said["problems"], said["answered_by"]) == ("ok", [], "daemon")
    assert said["as_of"] == moment(AT) == "2025-04-17T12:00:00+00:00"
    assert said["freshness"] == [
        {
            "relation": "fct_orders",
            "rows": 681,
            "current_through": "2025-04-16",
            "age_business_days": 1,
            "state": "fresh",
        }
    ]


@pytest.mark.parametrize(
    ("ledger", "code", "health"),
    [
        ({"quarantined": [HELD]}, "quarantined_file", "error"),
        ({"failed_nodes": [{"name": "m", "status": "error", "message": "boom"}]}, "transform_failed", "error"),
        ({"debt": ["quickbooks.items"], "debt_failure": NO_DBT}, "transform_failed", "error"),
        ({"warned_nodes": [{"name": "t", "status": "warn", "message": None}]}, "data_test_warns", "warning"),
        ({"relations": [RelationFacts("fct_orders", 1, date(2025, 4, 14))]}, "stale", "warning"),
        ({"relations": [RelationFacts("fct_orders", 1, date(2025, 4, 9))]}, "stale", "error"),
    ],
)
def test_what_the_ledger_knows_to_be_wrong_is_a_problem(ledger: dict[str, Any], code: str, health: str) -> None:
    said = answer(replace(CALM, **ledger))
    assert (codes(said), said["health"]) == ([code], health)
    assert all(problem["summary"] and problem["hint"] for problem in said["problems"])


def test_a_quarantined_file_is_named_with_its_reason_and_what_to_do() -> None:
    (problem,) = answer(replace(CALM, quarantined=[HELD]))["problems"]
    assert problem["file"] == "Invoice.csv"
    assert "the file is empty" in problem["summary"]
    assert problem["hint"] == "export it again"
    assert problem["since"] == HELD["since"]
    (without,) = answer(replace(CALM, quarantined=[{**HELD, "hint": None, "class": None}]))["problems"]
    assert "qbwatch why 'Invoice.csv'" in without["hint"]
    assert without["class"] == "data"


def test_waiting_work_and_owed_dbt_work_alone_are_no_problem() -> None:
    waiting = [{"name": "a.csv", "dataset": "quickbooks.items", "state": "pending", "next_attempt_at": None}]
    ledger = replace(
        CALM, waiting_count=1, waiting=waiting, oldest_waiting_at=AT - timedelta(hours=1), debt=["quickbooks.items"]
    )
    settling = replace(IDLE, settling=[("b.csv", AT - timedelta(hours=2))])
    said = answer(ledger, settling)
    assert said["health"] == "ok"
    assert said["pending"]["count"] == 2
    assert said["pending"]["oldest_seen_at"] == "2025-04-17T10:00:00+00:00"
    assert [(file["name"], file["state"]) for file in said["pending"]["files"]] == [
        ("b.csv", "settling"),
        ("a.csv", "pending"),
    ]
    assert said["transform"]["debt"] == ["quickbooks.items"]


def test_a_relation_that_never_was_loaded_has_no_age_and_is_no_problem() -> None:
    said = answer(replace(CALM, relations=[RelationFacts("fct_orders", None, None)]))
    assert said["freshness"][0]["state"] == "never"
    assert said["problems"] == []


@pytest.mark.parametrize(
    ("daemon", "code"),
    [
        (DaemonFacts(DaemonState.DOWN), "daemon_down"),
        (replace(IDLE, watch_alive=False), "watch_dead"),
    ],
)
def test_a_daemon_that_is_down_or_deaf_is_an_error(daemon: DaemonFacts, code: str) -> None:
    said = answer(daemon=daemon)
    assert (codes(said), said["health"]) == ([code], "error")


@pytest.mark.parametrize("code", ["folder_missing", "folder_unreadable"])
def test_a_folder_that_is_gone_is_one_problem_and_its_dead_watch_no_second(code: str) -> None:
    gone = Problem(code, FailureClass.INFRASTRUCTURE, Severity.ERROR, "the folder is missing", "mount it")
    assert codes(answer(daemon=replace(IDLE, watch_alive=False, problems=[gone]))) == [code]
    refused = replace(gone, code="disk_reserve")
    assert codes(answer(daemon=replace(IDLE, watch_alive=False, problems=[refused]))) == ["disk_reserve", "watch_dead"]


def test_problems_of_the_daemon_itself_come_first() -> None:
    own = Problem("folder_missing", FailureClass.INFRASTRUCTURE, Severity.ERROR, "the folder is missing", "mount it")
    said = answer(replace(CALM, quarantined=[HELD]), replace(IDLE, problems=[own]))
    assert codes(said) == ["folder_missing", "quarantined_file"]


def test_the_worst_problem_is_the_health_of_the_whole() -> None:
    warning = Problem("w", FailureClass.DATA, Severity.WARNING, "", "")
    error = replace(warning, severity=Severity.ERROR)
    assert [health_of(found) for found in ([], [warning], [warning, error])] == ["ok", "warning", "error"]


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=5), "5 seconds"),
        (timedelta(seconds=61), "1 minute"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(hours=25), "1 day"),
        (timedelta(days=3), "3 days"),
        (timedelta(seconds=-30), "0 seconds"),
    ],
)
def test_the_last_known_answer_says_that_it_is_one_and_how_old(age: timedelta, said: str) -> None:
    down = Problem("database_down", FailureClass.INFRASTRUCTURE, Severity.ERROR, "Postgres is away", "start it")
    known = answer(replace(CALM, quarantined=[HELD]))
    cached = from_cache(known, AT, down, None, AT + age)
    assert codes(cached) == ["database_down", "quarantined_file"]
    assert cached["problems"][0]["summary"] == f"Postgres is away; this is the last known answer, {said} old"
    assert (cached["answered_by"], cached["health"], cached["as_of"]) == ("cache", "error", known["as_of"])
    assert (cached["daemon"]["state"], cached["daemon"]["pid"]) == ("down", None)
    assert cached["pending"] == known["pending"]


def test_a_cached_answer_from_a_living_daemon_says_so_and_does_not_repeat_itself() -> None:
    down = Problem("database_down", FailureClass.INFRASTRUCTURE, Severity.ERROR, "Postgres is away", "start it")
    first = from_cache(answer(), AT, down, IDLE, AT)
    again = from_cache(first, AT, down, IDLE, AT + timedelta(hours=2))
    assert codes(again) == ["database_down"]
    assert again["daemon"]["pid"] == 7


def test_what_a_living_daemon_knows_of_itself_is_never_taken_from_an_earlier_answer() -> None:
    down = Problem("database_down", FailureClass.INFRASTRUCTURE, Severity.ERROR, "Postgres is away", "start it")
    starting = answer(replace(CALM, quarantined=[HELD]), replace(IDLE, watch_alive=False))
    assert codes(starting) == ["watch_dead", "quarantined_file"]

    assert codes(from_cache(starting, AT, down, IDLE, AT)) == ["database_down", "quarantined_file"]
    deaf = from_cache(answer(), AT, down, replace(IDLE, watch_alive=False), AT)
    assert codes(deaf) == ["database_down", "watch_dead"]


def test_a_missing_export_is_a_problem_with_what_was_expected_and_says_more_than_that_nothing_arrives() -> None:
    asked = configured("quickbooks.invoices", "business day", time(6))
    limits = replace(LIMITS, expected={"quickbooks.invoices": asked})
    came = AT - timedelta(days=6)
    days = [came - timedelta(days=each) for each in range(8, -1, -1)]
    ledger = replace(
        CALM,
        exports={"quickbooks.invoices": [Export(came, came)]},
        known_since=AT - timedelta(days=30),
        arrivals=days,
    )
    said = answer(ledger, limits=limits)
    assert (codes(said), said["health"]) == (["missing_export"], "warning")
    (problem,) = said["problems"]
    assert problem["class"] == "missing_files"
    assert problem["summary"] == "Invoices should come by 06:00 on business days; none since Friday 11 April, 12:00"
    assert problem["since"] == "2025-04-14T06:00:00+00:00"
    (entry,) = said["expected"]
    assert entry["every"] == "on business days"
    assert entry["missed"][-4:] == ["2025-04-14", "2025-04-15", "2025-04-16", "2025-04-17"]
    assert codes(answer(replace(ledger, exports={}, known_since=None), limits=limits)) == ["nothing_arrives"]


def test_a_channel_that_refuses_for_good_is_a_warning() -> None:
    broken = {"service": "slack-1a2b3c", "since": AT, "error": "refused for good: HTTP 404"}
    said = answer(replace(CALM, broken_channels=[broken]))
    assert (codes(said), said["health"]) == (["channel_broken"], "warning")
    assert "slack-1a2b3c broken since 2025-04-17 12:00 UTC" in said["problems"][0]["summary"]


def test_what_a_daemon_still_tells_stands_once_in_an_earlier_answer_of_its_own() -> None:
    down = Problem("database_down", FailureClass.INFRASTRUCTURE, Severity.ERROR, "Postgres is away", "start it")
    closed = Problem("folder_unreadable", FailureClass.CONFIGURATION, Severity.ERROR, "closed", "open it")
    daemon = replace(IDLE, problems=(closed,))

    assert codes(from_cache(answer(daemon=daemon), AT, down, daemon, AT)) == ["database_down", "folder_unreadable"]


def test_of_thousands_that_settle_all_are_counted_and_some_are_named() -> None:
    pending = answer(daemon=replace(IDLE, settling=[("a.csv", AT), ("b.csv", AT)], more_settling=39_998))["pending"]
    assert (pending["count"], len(pending["files"])) == (40_000, 2)


@pytest.mark.parametrize(("client", "named"), [("syncthing", "does syncthing run"), (None, "does the sync client run")])
def test_when_nothing_arrives_for_longer_than_usual_the_sync_client_is_named(client: str | None, named: str) -> None:
    days = [AT - timedelta(days=ago) for ago in range(19, 9, -1)]
    said = answer(replace(CALM, arrivals=days), replace(IDLE, sync_client=client))
    assert (codes(said), said["health"]) == (["nothing_arrives"], "warning")
    assert "for 10 days" in said["problems"][0]["summary"]
    assert named in said["problems"][0]["hint"]
