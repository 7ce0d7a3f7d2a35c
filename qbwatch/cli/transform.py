"""``qbwatch transform``: dbt now."""

from __future__ import annotations

import sys
from typing import Any

import click

from qbwatch.cli.options import config_option, json_option, load_config, log_to_stderr, print_json, shown, wrapped

_WITHIN = 3600.0  # seconds that the daemon's dbt is waited for
_EXIT = {"success": 0, "partial_failure": 3, "error": 1, "cancelled": 1}


@click.command(short_help="Build and test with dbt now.")
@click.option("--select", metavar="S", help="Only these models, by dbt's own selection.")
@click.option("--full-refresh", is_flag=True, help="Build from scratch.")
@config_option
@json_option
def transform(select: str | None, full_refresh: bool, config: str | None, as_json: bool) -> int:
    """Build and test with dbt now, through the daemon when one is up, else by itself: everything that stands on loaded
    data, or what --select names. Nothing is loaded.

    Exit code 0: success, 1: error or cancelled, 2: usage or configuration, 3: some of it failed.

    \b
    Examples:
      qbwatch transform
      qbwatch transform --select +fct_orders
      qbwatch transform --full-refresh
    """
    log_to_stderr()
    said = _build(load_config(config), {"select": select, "full_refresh": full_refresh})
    if as_json:
        print_json({"version": 1, **said})
    else:
        click.echo("\n".join(_told(said["run"])))
    return _EXIT[said["run"]["status"]]


def _build(config: Any, params: dict[str, Any]) -> dict[str, Any]:
    from qbwatch.edges.control_client import ControlUnreachable, Unreachable, call

    try:
        return dict(call(config.control.socket, "transform", params, timeout=_WITHIN))
    except ControlUnreachable as unreachable:
        if unreachable.kind in (Unreachable.TIMED_OUT, Unreachable.BROKEN):
            raise  # it took the request: a second build beside it would be none of ours
        from qbwatch.one_transform import transform_by_itself
        from qbwatch.transform_now import Build

        return transform_by_itself(config, Build.of(params), _progress)


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(shown(line, 79), err=True)


def _told(run: dict[str, Any]) -> list[str]:
    lines = [f"Run {run['id']}: dbt {run['status'].replace('_', ' ')}"]
    if run.get("impact"):
        lines += wrapped(run["impact"], "  ", "    ")
    if run["error"]:
        lines += wrapped(run["error"], "  ", "    ")
    return lines
