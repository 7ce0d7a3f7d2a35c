"""The status as text: for a person, and as one line for monitoring."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, tzinfo
from itertools import groupby
from typing import Any

from qbwatch.cli.options import counted, local_time, shown, styled, wrapped

_CHECK_WORDS = {"ok": "OK", "warning": "WARNING", "error": "CRITICAL"}
_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}
_ALIKE = 3  # relations that are too old: the table below the problems has each
_MARKS = {"fresh": "fresh", "warn": "WARN", "stale": "STALE", "never": "never"}


def render(said: dict[str, Any], zone: tzinfo | None = None) -> list[str]:
    """The answer as lines of at most 80 columns: the verdict, what is wrong, what is waiting, how fresh.

    Moments stand in ``zone``, the office's; without one in that of this machine.
    """
    lines = [styled(_headline(said), fg=_COLOURS[said["health"]], bold=True), *_source_lines(said, zone)]
    lines += problem_lines(said["problems"])
    lines += [""] * bool(work := _work_lines(said)) + work
    if said["freshness"]:
        lines += ["", f"  {'relation':<28}{'rows':>10}  {'through':<12}{'business days old':<19}state"]
        lines += [_freshness_line(entry) for entry in said["freshness"]]
    return lines


def problem_lines(problems: list[dict[str, Any]]) -> list[str]:
    """Each problem, and what to do about it; what helps against several in a row is said once."""
    lines = []
    for _, alike in groupby(problems, lambda problem: (problem["code"], problem["hint"])):
        several = list(alike)
        shown_ones = several if len(several) <= _ALIKE or several[0]["code"] != "stale" else several[:_ALIKE]
        for problem in shown_ones:
            mark = "!" if problem["severity"] == "error" else "?"
            lines += wrapped(problem["summary"], f"  {mark} ", "    ")
        if len(shown_ones) < len(several):
            lines.append(f"    and {len(several) - len(shown_ones)} more that are too old, as the table shows")
        lines += wrapped(several[0]["hint"], "    → ", "      ")
    return lines


def _headline(said: dict[str, Any]) -> str:
    marts = [entry for entry in said["freshness"] if entry["relation"].startswith("fct_")]
    through = min((entry["current_through"] for entry in marts if entry["current_through"]), default=None)
    if not said["freshness"]:
        return "Nothing is loaded yet" + (": see below" if said["problems"] else "")
    current = f"data through {through}" if through else "not transformed yet"
    match said["health"]:
        case "ok":
            return f"Current and right: {current}"
        case "warning":
            return f"Usable, with {len(said['problems'])} warning(s): {current}"
        case _:
            return f"Something is wrong ({len(said['problems'])}): {current}"


def _source_lines(said: dict[str, Any], zone: tzinfo | None) -> list[str]:
    daemon = said["daemon"]
    told = {"daemon": "", "ledger": "read from the ledger, ", "cache": "the last known answer, "}
    alive = f", watching by {daemon['watcher']}" if daemon["watch_alive"] and daemon["watcher"] else ""
    if because := daemon.get("polled_because"):
        alive += f" ({shown(because, 60)})" if alive else ""
    as_of = local_time(said["as_of"], zone)
    return wrapped(f"daemon {daemon['state']}{alive}; {told[said['answered_by']]}as of {as_of}", "  ", "    ")


def _work_lines(said: dict[str, Any]) -> list[str]:
    lines = []
    if run := said["current_run"]:
        what = f" {shown(run['file'], 40)}" if run["file"] else ""
        far = f"{what} ({run['done']}/{run['total']})"
        if node := run.get("node"):
            far = f", dbt node {node['number']} of {node['total']}: {shown(node['name'], 40)}"
        lines += wrapped(f"running: {run['mode']} run {run['id']}, {run['step']}{far}", "  ", "    ")
    if asked := said["daemon"].get("requests"):
        lines += wrapped(", ".join(f"{each['request']} by {each['by']}" for each in asked), "  asked for: ", "    ")
    if said["pending"]["count"]:
        lines += wrapped(_waiting(said["pending"]), "  waiting: ", "    ")
    if last := said["last_run"]:
        status = last["status"].replace("_", " ")
        lines.append(
            f"  last run: {last['id']}, {last['mode']}, {status}, {_ago(last['finished_at'])}; "
            f"{counted(last['files'], 'file')}, {counted(last['rows']['read'], 'row')}"
        )
        if last["error"] and not said["problems"]:
            lines += wrapped(last["error"], "    ", "    ")
        if last["status"] != "success":
            lines.append(f"  last success: {_ago(said['last_success_at'])}")
    if said["transform"]["debt"]:
        lines += wrapped(", ".join(said["transform"]["debt"]), "  dbt is owed for: ", "    ")
    return lines


def _waiting(pending: dict[str, Any]) -> str:
    """How many files wait in which state; the list in the answer may be shorter than the count."""
    states = Counter(file["state"] for file in pending["files"])
    return f"{pending['count']} (" + ", ".join(f"{count} {state}" for state, count in states.items()) + ")"


def _freshness_line(entry: dict[str, Any]) -> str:
    rows = "-" if entry["rows"] is None else f"{entry['rows']:,}"
    age = "-" if entry["age_business_days"] is None else str(entry["age_business_days"])
    return (
        f"  {entry['relation']:<28}{rows:>10}  {entry['current_through'] or '-':<12}{age:<19}{_MARKS[entry['state']]}"
    )


def _ago(moment: str | None) -> str:
    if moment is None:
        return "never"
    seconds = max(int((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()), 0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def check_line(said: dict[str, Any]) -> str:
    """The answer as one line, for monitoring."""
    first = said["problems"][0]["summary"] if said["problems"] else _headline(said)
    return f"QBWATCH {_CHECK_WORDS[said['health']]}: {first}"


def what_next(said: dict[str, Any]) -> str:
    """The command that one would most likely type next."""
    if said["quarantined"]:
        return f"qbwatch why '{said['quarantined'][0]['name']}'"
    if said["daemon"]["state"] == "down":
        return "systemctl start qbwatch (or qbwatch run); if it doesn't stay up: qbwatch doctor"
    if said["daemon"].get("paused"):
        return "qbwatch resume"
    if said["health"] == "error":
        return "qbwatch doctor, qbwatch alerts"
    if said["current_run"]:
        return "qbwatch status --watch"
    return "qbwatch files, qbwatch why FILE, qbwatch --help"
