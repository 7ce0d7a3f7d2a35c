"""The command ``qbwatch`` and its list of subcommands, each loaded when it is called."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import Any

import click

from qbwatch import __version__

COMMANDS = {
    "demo": "qbwatch.cli.demo:demo",
    "init": "qbwatch.cli.init:init",
    "run": "qbwatch.cli.run:run",
    "once": "qbwatch.cli.once:once",
    "plan": "qbwatch.cli.once:plan",
    "status": "qbwatch.cli.status:status",
    "files": "qbwatch.cli.files:files",
    "why": "qbwatch.cli.files:why",
    "check": "qbwatch.cli.check:check",
    "retry": "qbwatch.cli.decide:retry",
    "skip": "qbwatch.cli.decide:skip",
    "accept": "qbwatch.cli.decide:accept",
    "revert": "qbwatch.cli.revert:revert",
    "rebuild": "qbwatch.cli.rebuild:rebuild",
    "transform": "qbwatch.cli.transform:transform",
    "pause": "qbwatch.cli.steer:pause",
    "resume": "qbwatch.cli.steer:resume",
    "stop-run": "qbwatch.cli.steer:stop_run",
    "reload": "qbwatch.cli.steer:reload",
    "runs": "qbwatch.cli.runs:runs",
    "test": "qbwatch.cli.test:test",
    "alerts": "qbwatch.cli.alerts:alerts",
    "doctor": "qbwatch.cli.doctor:doctor",
    "tui": "qbwatch.cli.tui:tui",
    "systemd-unit": "qbwatch.cli.systemd_unit:systemd_unit",
    "completion": "qbwatch.cli.man:completion",
    "man": "qbwatch.cli.man:man",
}


class _Commands(click.Group):
    """Subcommands by name; a mistyped one is answered with the nearest."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            meant = f"; did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"no such command: {args[0]!r}{meant}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config", "config", type=click.Path(dir_okay=False), help="Configuration file (default: found by itself)."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="qbwatch")
@click.pass_context
def cli(ctx: click.Context, config: str | None, debug: bool) -> None:
    """Watches a folder of QuickBooks exports, loads them into Postgres, runs dbt, and says whether the data is
    current and right.

    Without a command it shows the status.

    \b
    Examples:
      qbwatch demo
      qbwatch status
      qbwatch --config ~/qbwatch.toml once

    The configuration is the file given by --config, else by QBWATCH_CONFIG, else /etc/qbwatch/qbwatch.toml, else
    ~/.config/qbwatch/qbwatch.toml.
    """
    del debug  # read by `main`, before anything can fail
    found: dict[str, Any] = ctx.ensure_object(dict)
    found["config"] = config
    if ctx.invoked_subcommand is None:
        from qbwatch.cli.status import show_status

        show_status(config)
