"""``qbwatch pause``, ``resume``, ``stop-run`` and ``reload``: steer the running daemon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from qbwatch.cli.options import config_option, json_option, load_config, print_json, wrapped

_ANSWERS_WITHIN = 5.0  # seconds
_RELOADS_WITHIN = 60.0  # seconds: alert services are tried out
_STAYS = "correct it, then: qbwatch reload. The former configuration counts until then; a restart would fail"
_STOPS_WITHIN = 90.0  # seconds: dbt gets some of them to end its queries


@click.command(short_help="Let the daemon begin nothing more by itself.")
@config_option
@json_option
def pause(config: str | None, as_json: bool) -> int:
    """Let the daemon begin nothing more by itself. A run that is under way ends after its current step; what is left
    of it waits. Files are still taken in, and what you ask for (once, transform) is still done. A pause outlives a
    restart; `qbwatch status` shows who paused it and when.

    \b
    Example:
      qbwatch pause
    """
    said = _ask(config, "pause", 10.0)
    text = "Paused." + (" The current run ends after its current step." if said["was_running"] else "")
    return _answer(said, as_json, f"{text} Go on with: qbwatch resume")


@click.command(short_help="Go on after a pause.")
@config_option
@json_option
def resume(config: str | None, as_json: bool) -> int:
    """Go on after `qbwatch pause` or `qbwatch stop-run`.

    \b
    Example:
      qbwatch resume
    """
    said = _ask(config, "resume", 10.0)
    return _answer(said, as_json, "Going on." if said["was_paused"] else "It was not paused.")


@click.command(name="stop-run", short_help="Cancel what is under way now.")
@config_option
@json_option
def stop_run(config: str | None, as_json: bool) -> int:
    """Cancel what is under way now: the file in hand rolls back and stays pending, dbt is interrupted and its queries
    are cancelled. The daemon is then paused, else it would begin the same again.

    \b
    Example:
      qbwatch stop-run
    """
    said = _ask(config, "stop-run", _STOPS_WITHIN)
    text = "Cancelled; what it had in hand waits as before. The daemon is paused; go on with: qbwatch resume"
    return _answer(said, as_json, text)


@click.command(short_help="Have the daemon take over the changed configuration.")
@config_option
@json_option
def reload(config: str | None, as_json: bool) -> int:
    """Have the daemon read its configuration anew. What can change at once does: alerts, expected exports, freshness,
    the status page, times to wait, what is ignored, the reserve. What only a restart changes is named. A wrong
    configuration changes nothing: what is wrong is told, and shown by `qbwatch status` until it is right.

    SIGHUP does the same. Secrets that systemd holds as credentials, and the environment, are as they were at the start.

    Exit code 0 when it was taken over, 2 when it is wrong.

    \b
    Examples:
      qbwatch reload
      systemctl reload qbwatch
    """
    from qbwatch.config_errors import ConfigError, Mistake
    from qbwatch.edges.control_client import call

    said = dict(call(_socket(config), "reload", timeout=_RELOADS_WITHIN))
    if as_json:
        print_json({"version": 1, **said})
        return 0 if said["loaded"] else 2
    if not said["loaded"]:
        raise ConfigError([Mistake("", each) for each in said["mistakes"]], _STAYS)
    changed, left = said["changed"], said["needs_restart"]
    lines = wrapped(f"Changed: {', '.join(changed)}" if changed else "Nothing changed at once.", "", "  ")
    if left:
        lines += wrapped(f"Only a restart changes: {', '.join(left)}", "", "  ")
        lines.append("  → systemctl restart qbwatch")
    click.echo("\n".join(lines))
    return 0


def _socket(config: str | None) -> Path:
    """Where the daemon answers; also when the configuration is wrong by now, because what is wrong is its to say."""
    from qbwatch.config_address import socket_named
    from qbwatch.config_errors import ConfigError
    from qbwatch.edges.control_client import ControlUnreachable, call

    try:
        socket: Path = load_config(config).control.socket
    except ConfigError as wrong:
        socket = socket_named(Path(config) if config else None)
        try:
            call(socket, "ping", timeout=_ANSWERS_WITHIN)
        except ControlUnreachable:
            raise wrong from None
    return socket


def _ask(config: str | None, method: str, within: float) -> dict[str, Any]:
    from qbwatch.edges.control_client import call

    return dict(call(load_config(config).control.socket, method, timeout=within))


def _answer(said: dict[str, Any], as_json: bool, text: str) -> int:
    if as_json:
        print_json({"version": 1, **said})
    else:
        click.echo("\n".join(wrapped(text, "", "  ")))
    return 0
