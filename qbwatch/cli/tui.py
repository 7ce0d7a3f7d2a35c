"""``qbwatch tui``: the terminal interface."""

from __future__ import annotations

import os
import sys

import click

from qbwatch.cli.options import config_option, load_config


@click.command(short_help="The terminal interface: see everything, and have it done.")
@click.option("--read-only", is_flag=True, help="Change nothing, whatever is pressed.")
@click.option("--light", is_flag=True, help="Dark on light.")
@config_option
def tui(read_only: bool, light: bool, config: str | None) -> int:
    """Look at files, runs, dbt, incidents and the log on a terminal of at least 60×15, and have done what the commands
    do: each action says first what it does, and which command does the same. It speaks to the daemon alone; while that
    is down it shows what the ledger knows, and changes nothing.

    Press ? in it for all keys.

    \b
    Examples:
      qbwatch tui
      qbwatch tui --read-only
    """
    from qbwatch.core.model import QbwatchError

    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not is_terminal or os.environ.get("TERM", "dumb") in ("dumb", "unknown", ""):
        raise QbwatchError("the terminal interface needs a terminal", "use `qbwatch status`; with ssh: ssh -t")
    from qbwatch.tui.app import QbwatchApp
    from qbwatch.tui.desk import Desk

    loaded = load_config(config)
    app = QbwatchApp(Desk(loaded), loaded.quickbooks.timezone, read_only=read_only, light=light)
    app.run()
    return app.return_code or 0
