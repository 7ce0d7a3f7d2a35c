"""``qbwatch status``: is my data current, and is it right?"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import click

from qbwatch.cli.options import config_option, json_option, load_config, print_json, shown, styled, wrapped
from qbwatch.core.model import QbwatchError

_CHECK_CODES = {"ok": 0, "warning": 1, "error": 2}
_CHECK_WORDS = {"ok": "OK", "warning": "WARNING", "error": "CRITICAL"}
_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}
_MARKS = {"fresh": "fresh", "warn": "WARN", "stale": "STALE", "never": "never"}


@click.command(short_help="Is my data current, and is it right?")
@click.option("--check", is_flag=True, help="One line and an exit code, for monitoring.")
@click.option("--watch", is_flag=True, help="Show it again every second, until Ctrl-C.")
@config_option
@json_option
def status(check: bool, watch: bool, config: str | None, as_json: bool) -> int:
    """Is my data current, and is it right? Answers also when the daemon or Postgres is down, and says where the answer
    comes from.

    Exit code with --check: 0 ok, 1 warning, 2 critical, 3 unknown. Without it: 0 once there is an answer.

    \b
    Examples:
      qbwatch status
      qbwatch status --check
      qbwatch status --json
    """
    try:
        loaded = load_config(config)
    except QbwatchError as error:
        if not check:
            raise
        click.echo(f"QBWATCH UNKNOWN: {' '.join(error.message.split())}")
        return 3
    while True:
        said = ask(loaded)
        if check:
            click.echo(_check_line(said))
            return _CHECK_CODES[said["health"]]
        if as_json:
            print_json(said)
        else:
            if watch:
                click.clear()
            click.echo("\n".join(render(said)))
        if not watch:
            return 0
        time.sleep(1.0)


def show_status(config: str | None) -> None:
    """The status as text, for ``qbwatch`` alone."""
    said = ask(load_config(config))
    click.echo("\n".join([*render(said), "", "Next: " + _what_next(said)]))


def ask(config: Any) -> dict[str, Any]:
    """The status from the daemon, else from the ledger, else the last known one."""
    from qbwatch.edges.control_client import ControlUnreachable, call

    try:
        answer: dict[str, Any] = call(config.control.socket, "status", timeout=0.9)
        return answer
    except ControlUnreachable:
        return _ask_without_daemon(config)


def _ask_without_daemon(config: Any) -> dict[str, Any]:
    from qbwatch.answering import answer
    from qbwatch.core.model import DaemonState
    from qbwatch.core.status import DaemonFacts
    from qbwatch.database import database_url
    from qbwatch.edges.postgres import engine_for

    url = database_url(config, start=False)
    engine = engine_for(url, name="qbwatch-status") if url else None
    return answer(config, engine, DaemonFacts(DaemonState.DOWN), answered_by="ledger")


def render(said: dict[str, Any]) -> list[str]:
    """The answer as lines of at most 80 columns: the verdict, what is wrong, what is waiting, how fresh."""
    lines = [styled(_headline(said), fg=_COLOURS[said["health"]], bold=True), *_source_lines(said)]
    for problem in said["problems"]:
        mark = "!" if problem["severity"] == "error" else "?"
        lines += wrapped(problem["summary"], f"  {mark} ", "    ")
        lines += wrapped(problem["hint"], "    → ", "      ")
    lines += _work_lines(said)
    if said["freshness"]:
        lines += ["", f"  {'relation':<28}{'rows':>10}  {'through':<12}{'business days old':<19}state"]
        lines += [_freshness_line(entry) for entry in said["freshness"]]
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


def _source_lines(said: dict[str, Any]) -> list[str]:
    daemon = said["daemon"]
    told = {"daemon": "asked the daemon", "ledger": "asked the ledger in Postgres", "cache": "the last known answer"}
    by = told[said["answered_by"]]
    alive = f", watching by {daemon['watcher']}" if daemon["watch_alive"] and daemon["watcher"] else ""
    return wrapped(f"daemon {daemon['state']}{alive}; {by}, as of {said['as_of']}", "  ", "    ")


def _work_lines(said: dict[str, Any]) -> list[str]:
    lines = [""]
    run = said["current_run"]
    if run:
        what = f" {run['file']}" if run["file"] else ""
        lines.append(
            f"  running: {run['mode']} run {run['id']}, {run['step']}{shown(what, 40)} ({run['done']}/{run['total']})"
        )
    pending = said["pending"]
    if pending["count"]:
        states: dict[str, int] = {}
        for file in pending["files"]:
            states[file["state"]] = states.get(file["state"], 0) + 1
        lines.append(
            f"  waiting: {pending['count']} (" + ", ".join(f"{count} {state}" for state, count in states.items()) + ")"
        )
    last = said["last_run"]
    if last:
        rows = last["rows"]
        lines.append(
            f"  last run: {last['id']}, {last['mode']}, {last['status']}, {_ago(last['finished_at'])}; "
            f"{last['files']} files, {rows['read']} rows"
        )
    if said["last_success_at"]:
        lines.append(f"  last success: {_ago(said['last_success_at'])}")
    if said["transform"]["debt"]:
        lines += wrapped("dbt is owed for: " + ", ".join(said["transform"]["debt"]), "  ", "    ")
    return lines


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


def _check_line(said: dict[str, Any]) -> str:
    first = said["problems"][0]["summary"] if said["problems"] else _headline(said)
    return f"QBWATCH {_CHECK_WORDS[said['health']]}: {first}"


def _what_next(said: dict[str, Any]) -> str:
    if said["quarantined"]:
        return f"qbwatch why '{said['quarantined'][0]['name']}'"
    if said["daemon"]["state"] == "down":
        return "qbwatch run (or systemctl start qbwatch)"
    return "qbwatch files, qbwatch why FILE, qbwatch --help"
