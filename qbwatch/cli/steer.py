"""``qbwatch pause``, ``resume`` and ``stop-run``: steer the running daemon."""

from __future__ import annotations

from typing import Any

import click

from qbwatch.cli.options import config_option, json_option, load_config, print_json, wrapped

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


def _ask(config: str | None, method: str, within: float) -> dict[str, Any]:
    from qbwatch.edges.control_client import call

    return dict(call(load_config(config).control.socket, method, timeout=within))


def _answer(said: dict[str, Any], as_json: bool, text: str) -> int:
    if as_json:
        print_json({"version": 1, **said})
    else:
        click.echo("\n".join(wrapped(text, "", "  ")))
    return 0
