"""What is wrong, and what can a person do about it? Read off the facts of the daemon, the ledger and the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from qbwatch.core.arrivals import by_now, overdue_since
from qbwatch.core.expect import Week
from qbwatch.core.facts import DaemonFacts, Json, LedgerFacts, Problem, Severity
from qbwatch.core.filename import part_name
from qbwatch.core.freshness import Freshness
from qbwatch.core.model import DaemonState, Failure, FailureClass

_NO_FOLDER = frozenset({"folder_missing", "folder_unreadable"})  # where there is nothing that could be watched
_NAMED = 3  # failed nodes that are told of by name


def of_daemon(daemon: DaemonFacts) -> list[Problem]:
    """Faults of the daemon and its surroundings: down, deaf, or what the intake reports."""
    problems = list(daemon.problems)
    if daemon.state is DaemonState.DOWN:
        problems.append(daemon_down(daemon.silence))
    elif daemon.watch_alive is False and not any(each.code in _NO_FOLDER for each in daemon.problems):
        hint = "new files are still found by the periodic scan; see the journal"
        problems.append(
            Problem("watch_dead", FailureClass.INFRASTRUCTURE, Severity.ERROR, "the folder watch is dead", hint)
        )
    if daemon.paused is not None:
        text = f"paused by {daemon.paused.by}: nothing is loaded until it is resumed"
        hint, since = "go on: qbwatch resume", daemon.paused.since
        problems.append(Problem("paused", FailureClass.CONFIGURATION, Severity.WARNING, text, hint, since))
    return problems


def daemon_down(silence: Failure | None) -> Problem:
    """No daemon answers: there is none, or one that may not be asked or doesn't speak."""
    hint = "start it: `systemctl start qbwatch`, or `qbwatch run` in the foreground"
    silence = silence or Failure(FailureClass.INFRASTRUCTURE, "absent", "the daemon is not running", hint)
    return Problem("daemon_down", silence.failure_class, Severity.ERROR, silence.reason, silence.hint)


def of_ledger(ledger: LedgerFacts) -> list[Problem]:
    """Files that wait for a person or for a fault to pass, a failed transformation, and tests of the data that warn."""
    problems = [
        Problem(
            "quarantined_file",
            FailureClass(entry["class"] or FailureClass.DATA.value),
            Severity.ERROR,
            f"{part_name(entry['name'], entry.get('sheet'))} is quarantined: {entry['reason']}",
            entry["hint"] or f"qbwatch why '{entry['name']}'",
            datetime.fromisoformat(entry["since"]),
            entry["name"],
        )
        for entry in ledger.quarantined
    ]
    problems += [
        Problem(
            held["code"],
            FailureClass.INFRASTRUCTURE,
            Severity.WARNING,
            f"{held['files']} {'file waits' if held['files'] == 1 else 'files wait'} for another try: {held['reason']}",
            held["hint"],
            held["since"],
        )
        for held in ledger.held_up
    ]
    if ledger.unfolded:
        problems.append(_unfilled(ledger.unfolded))
    if (failure := ledger.debt_failure or _of_nodes(ledger.failed_nodes)) is not None:
        summary = f"dbt failed: {failure.reason}"
        hint = failure.hint or "the loaded data is safe; mend the cause, then: qbwatch once"
        problems.append(Problem("transform_failed", failure.failure_class, Severity.ERROR, summary, hint))
    problems += [
        Problem(
            "data_test_warns",
            FailureClass.DATA,
            Severity.WARNING,
            f"{node['name']}: {node['message'] or 'a data test warns'}",
            "nothing is lost; look at the rows the test names",
            concerns=node["name"],
        )
        for node in ledger.warned_nodes
    ]
    problems += [
        Problem(
            "channel_broken",
            FailureClass.CONFIGURATION,
            Severity.WARNING,
            f"alert channel {each['service']} broken since {each['since']:%Y-%m-%d %H:%M} UTC: {each['error']}",
            "put a valid address into alerts.urls, then: qbwatch reload && qbwatch alerts test",
            each["since"],
            concerns=each["service"],
        )
        for each in ledger.broken_channels
    ]
    return problems


def _unfilled(datasets: Sequence[str]) -> Problem:
    """Tables that were dropped, or lie in another schema now: what is in them is less than what was loaded."""
    summary = f"raw tables that were made anew lack what was loaded: {', '.join(datasets)}"
    hint = "the next run fills them from the vault; if it can't, `qbwatch runs` says why"
    return Problem("raw_table_unfilled", FailureClass.INFRASTRUCTURE, Severity.ERROR, summary, hint)


def _of_nodes(failed: Sequence[Json]) -> Failure | None:
    """Nodes that failed although nothing is owed: tests that a person ran, mostly."""
    if not failed:
        return None
    reason = "; ".join(f"{node['name']}: {node['message'] or node['status']}" for node in failed[:_NAMED])
    reason += f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
    if all(node["status"] == "fail" for node in failed):
        return Failure(FailureClass.DATA, "transform_failed", reason, "mend the data, then: qbwatch test")
    return Failure(FailureClass.CONFIGURATION, "transform_failed", reason, "mend the model or test, then: qbwatch once")


def of_arrivals(ledger: LedgerFacts, sync_client: str | None, at: datetime, week: Week) -> list[Problem]:
    """Nothing has arrived for longer than usual. ``sync_client`` is the program that brings the files, if known."""
    since = overdue_since(ledger.arrivals, at, week)
    if since is None:
        return []
    days = (at - by_now(ledger.arrivals, at)[-1]).days
    summary = f"no file has arrived for {days} days, which is longer than usual"
    client = sync_client or "the sync client"
    hint = f"did the exporter run on the office PC, and does {client} run on both sides?"
    return [Problem("nothing_arrives", FailureClass.MISSING_FILES, Severity.WARNING, summary, hint, since)]


def of_freshness(freshness: Sequence[Json]) -> list[Problem]:
    """Relations that are older than they may be."""
    return [
        Problem(
            "stale",
            FailureClass.MISSING_FILES,
            Severity.ERROR if entry["state"] == Freshness.STALE else Severity.WARNING,
            f"{entry['relation']} is {entry['age_business_days']} business days old",
            "did the exporter run, and did Dropbox sync?",
            concerns=entry["relation"],
        )
        for entry in freshness
        if entry["state"] in (Freshness.WARN, Freshness.STALE)
    ]


def without_repeats(problems: Sequence[Problem]) -> list[Problem]:
    """One cause in the surroundings is one problem, whoever runs into it: the first who tells of it is shown."""
    told: set[str] = set()
    kept = []
    for problem in problems:
        if problem.file is None and problem.failure_class is FailureClass.INFRASTRUCTURE:
            if problem.code in told:
                continue
            told.add(problem.code)
        kept.append(problem)
    return kept
