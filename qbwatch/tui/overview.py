"""The first screen as lines: is my data current and right, what is going on, what comes next? Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from itertools import islice

from qbwatch.core.facts import Json
from qbwatch.tui.lines import Line, Tone, line, title, toned
from qbwatch.tui.plain import bars, clock, counted, span
from qbwatch.tui.seen import Seen

_HEALTH = {"ok": "All is well", "warning": "Something wants a look", "error": "Something is wrong"}
_PROBLEMS = 3
_DAYS = 28
_BAR = 24


def headline(seen: Seen) -> Line:
    """The state of the whole, for the top of every screen."""
    status = seen.status
    state = status["daemon"]["state"] if seen.is_connected else "not connected"
    health = status["health"]
    return line(("qbwatch  ", Tone.TITLE), (_HEALTH[health], toned(health)[1]), "  daemon ", toned(state))


def overview(seen: Seen, days: Json, zone: tzinfo | None) -> list[Line]:
    """The whole screen. ``days``: rows changed, by day."""
    status = seen.status
    return [
        *_problems(status, zone),
        *_current(status, seen.at),
        *_last(status, zone),
        *_waiting(status, zone),
        *_rows(days, seen.at, zone),
        *_freshness(status),
    ]


def _problems(status: Json, zone: tzinfo | None) -> Iterator[Line]:
    problems = status["problems"]
    for problem in problems[:_PROBLEMS]:
        is_error = problem["severity"] == "error"
        since = f" (since {clock(problem['since'], zone)})" if problem["since"] else ""
        yield line(
            ("! " if is_error else "? ", Tone.BAD if is_error else Tone.WARN), problem["summary"], (since, Tone.DIM)
        )
        yield line(("  → ", Tone.DIM), problem["hint"])
    if len(problems) > _PROBLEMS:
        yield line((f"  and {len(problems) - _PROBLEMS} more: qbwatch status", Tone.DIM))


def _current(status: Json, at: datetime) -> Iterator[Line]:
    run = status["current_run"]
    if run is None:
        yield line(("Now    ", Tone.TITLE), "no run is going on")
    else:
        since = span(at - datetime.fromisoformat(run["started_at"]))
        yield line(("Now    ", Tone.TITLE), f"run {run['id']} ({run['mode']}), step {run['step']}, for {since}")
        yield line("       ", *_far(run))
    paused = status["daemon"].get("paused")
    if paused:
        yield line(("Paused ", Tone.WARN), f"by {paused['by']}; press u to go on")
    for asked in islice(status["daemon"].get("requests") or (), 3):
        yield line(("Asked  ", Tone.TITLE), f"{asked['request']} {asked.get('detail', '')} by {asked['by']}")


def _far(run: Json) -> tuple[str, str]:
    """How far a run has come. An answer of an older qbwatch, kept for when nothing answers, lacks rows and node."""
    if node := run.get("node"):
        number, total = node["number"], node["total"]
        return _progress(number, total), f" {number}/{total} dbt nodes  {node['name']}"
    what = run["file"] or ("dbt builds and tests" if run["step"] == "transform" else "")
    return _progress(
        run["done"], run["total"]
    ), f" {run['done']}/{run['total']} files, {run.get('rows', 0):,} rows  {what}"


def _progress(done: int, total: int) -> str:
    full = _BAR * done // total if total else 0
    return "[" + "#" * full + "." * (_BAR - full) + "]"


def _last(status: Json, zone: tzinfo | None) -> Iterator[Line]:
    run = status["last_run"]
    if run is None:
        yield line(("Last   ", Tone.TITLE), "no run so far")
        return
    took = span(datetime.fromisoformat(run["finished_at"]) - datetime.fromisoformat(run["started_at"]))
    yield line(("Last   ", Tone.TITLE), f"run {run['id']} ({run['mode']}) ", toned(run["status"]),
               f" {clock(run['finished_at'], zone)}, took {took}, {counted(run['files'], 'file')}")  # fmt: skip
    rows = {name: count for name, count in run["rows"].items() if count}
    if rows:
        yield line("       rows: ", ", ".join(f"{count:,} {name}" for name, count in rows.items()))
    yield line("       last success ", clock(status["last_success_at"], zone))


def _waiting(status: Json, zone: tzinfo | None) -> Iterator[Line]:
    pending, quarantined = status["pending"], len(status["quarantined"])
    tone = Tone.BAD if quarantined else Tone.USUAL
    owed = f", dbt owed for {counted(len(status['transform']['debt']), 'dataset')}"
    waiting = f"{counted(pending['count'], 'part')} waiting, "
    yield line(("Files  ", Tone.TITLE), waiting, (f"{quarantined} quarantined", tone), owed)
    for file in pending["files"][:3]:
        next_at = f", next try {clock(file['next_attempt_at'], zone)}" if file["next_attempt_at"] else ""
        yield line("       ", toned(file["state"]), f" {file['name']}{next_at}")


def _rows(days: Json, at: datetime, zone: tzinfo | None) -> Iterator[Line]:
    today = at.astimezone(zone).date()
    values = [int(days.get((today - timedelta(days=ago)).isoformat(), 0)) for ago in reversed(range(_DAYS))]
    yield line(
        ("Rows   ", Tone.TITLE), bars(values), (f" changed per day, {_DAYS} days; today {values[-1]:,}", Tone.DIM)
    )


def _freshness(status: Json) -> Iterator[Line]:
    if not status["freshness"]:
        return
    yield title("Freshness")
    for each in status["freshness"]:
        through = each["current_through"] or "-"
        told = f"  {each['relation']:<28}{_count(each['rows']):>10} rows  through {through:<10}  "
        yield line(told, toned(each["state"]))


def _count(rows: int | None) -> str:
    return "-" if rows is None else f"{rows:,}"
