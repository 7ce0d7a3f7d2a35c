"""``qbwatch status``: is my data current, and is it right?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from qbwatch.cli.options import config_option, json_option, load_config, print_json, wrapped
from qbwatch.cli.status_text import check_line, render, what_next
from qbwatch.core.model import QbwatchError

if TYPE_CHECKING:
    from qbwatch.edges.control_client import ControlUnreachable

_CHECK_CODES = {"ok": 0, "warning": 1, "error": 2}


@click.command(short_help="Is my data current, and is it right?")
@click.option("--check", is_flag=True, help="One line and an exit code, for monitoring.")
@click.option("--watch", is_flag=True, help="Show it whenever it changes, until Ctrl-C.")
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
    if check:
        return _check(loaded)
    for said in _answers(loaded) if watch else [ask(loaded)]:
        if as_json:
            print_json(said)
        else:
            if watch:
                click.clear()
            click.echo("\n".join(render(said, loaded.quickbooks.timezone)))
    return 0


def _check(config: Any) -> int:
    """Whatever goes wrong is an answer too: a monitor knows no other."""
    try:
        said = ask(config)
    except Exception as error:  # noqa: BLE001 (the monitor must hear of it)
        click.echo(f"QBWATCH UNKNOWN: {' '.join(str(error).split()) or type(error).__name__}")
        return 3
    click.echo(check_line(said))
    return _CHECK_CODES[said["health"]]


def _answers(config: Any) -> Iterator[dict[str, Any]]:
    """The status now and whenever it changes: told by the daemon while it is up, asked for each second while not."""
    from qbwatch.edges.control_client import ControlUnreachable, stream

    while True:
        try:
            yield from stream(config.control.socket, timeout=0.9)
        except ControlUnreachable as unreachable:
            yield _ask_without_daemon(config, unreachable)
            time.sleep(1.0)


def show_status(config: str | None) -> None:
    """The status as text, for ``qbwatch`` alone."""
    loaded = load_config(config)
    said = ask(loaded)
    lines = [*render(said, loaded.quickbooks.timezone), "", *wrapped("Next: " + what_next(said), "", "      ")]
    click.echo("\n".join(lines))


def ask(config: Any) -> dict[str, Any]:
    """The status from the daemon, else from the ledger, else the last known one."""
    from qbwatch.edges.control_client import ControlUnreachable, call

    try:
        answer: dict[str, Any] = call(config.control.socket, "status", timeout=0.9)
        return answer
    except ControlUnreachable as unreachable:
        return _ask_without_daemon(config, unreachable)


def _ask_without_daemon(config: Any, unreachable: ControlUnreachable) -> dict[str, Any]:
    from qbwatch.answering import answer
    from qbwatch.core.facts import DaemonFacts
    from qbwatch.core.model import DaemonState, Failure, FailureClass
    from qbwatch.database import database_url
    from qbwatch.edges.control_client import Unreachable
    from qbwatch.edges.session import reach_at

    url = database_url(config, start=False)
    reach = reach_at(url, name="qbwatch-status") if url else None
    silence = None
    if unreachable.kind not in (Unreachable.ABSENT, Unreachable.REFUSED):
        kind, text, hint = unreachable.kind.value, unreachable.message, unreachable.hint
        silence = Failure(FailureClass.INFRASTRUCTURE, kind, text, hint)
    return answer(config, reach, DaemonFacts(DaemonState.DOWN, silence=silence), answered_by="ledger")
