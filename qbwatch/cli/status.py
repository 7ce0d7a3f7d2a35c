"""``qbwatch status``: is my data current, and is it right?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qbwatch.cli.options import config_option, json_option, load_config, print_json, wrapped
from qbwatch.cli.status_text import check_line, render, what_next
from qbwatch.core.model import QbwatchError

if TYPE_CHECKING:
    from qbwatch.edges.control_client import ControlUnreachable

_ANSWERS_WITHIN = 0.9  # seconds for the daemon
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
    if check:
        return _check(config)
    for said, zone in _answers(load_config(config)) if watch else [ask(config)]:
        if as_json:
            print_json(said)
        else:
            if watch:
                click.clear()
            click.echo("\n".join(render(said, zone)))
    return 0


def _check(config: str | None) -> int:
    """Whatever goes wrong is an answer too: a monitor knows no other."""
    try:
        said, _ = ask(config)
    except QbwatchError as error:
        click.echo(f"QBWATCH UNKNOWN: {' '.join(error.message.split())}")
        return 3
    except Exception as error:  # noqa: BLE001 (the monitor must hear of it)
        click.echo(f"QBWATCH UNKNOWN: {' '.join(str(error).split()) or type(error).__name__}")
        return 3
    click.echo(check_line(said))
    return _CHECK_CODES[said["health"]]


def _answers(config: Any) -> Iterator[tuple[dict[str, Any], tzinfo]]:
    """The status now and whenever it changes: told by the daemon while it is up, asked for each second while not."""
    from qbwatch.edges.control_client import ControlUnreachable, stream

    zone = config.quickbooks.timezone
    while True:
        try:
            for said in stream(config.control.socket, timeout=_ANSWERS_WITHIN):
                yield said, zone
        except ControlUnreachable as unreachable:
            yield _ask_without_daemon(config, unreachable), zone
            time.sleep(1.0)


def show_status(config: str | None) -> None:
    """The status as text, for ``qbwatch`` alone."""
    said, zone = ask(config)
    click.echo("\n".join([*render(said, zone), "", *wrapped("Next: " + what_next(said), "", "      ")]))


def ask(config: str | None) -> tuple[dict[str, Any], tzinfo]:
    """The status from the daemon, else from the ledger, else the last known one; with the office's zone.

    Raises `QbwatchError` when the daemon can't be asked and the configuration is wrong.
    """
    from qbwatch.config_address import Address, address
    from qbwatch.edges.control_client import ControlUnreachable, call

    found = address(Path(config) if config else None)
    if found is None:  # then the whole of it says what is wrong
        loaded = load_config(config)
        found = Address(loaded.control.socket, loaded.quickbooks.timezone)
    try:
        return call(found.socket, "status", timeout=_ANSWERS_WITHIN), found.zone
    except ControlUnreachable as unreachable:
        return _ask_without_daemon(load_config(config), unreachable), found.zone


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
