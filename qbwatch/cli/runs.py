"""``qbwatch runs``: the history of runs, and all that one of them did."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import click

from qbwatch.cli.accounts import accounts
from qbwatch.cli.ledger import ledger
from qbwatch.cli.options import (
    config_option,
    counted,
    json_option,
    load_config,
    local_time,
    print_json,
    shown,
    wrapped,
)
from qbwatch.core.filename import part_name
from qbwatch.core.model import QbwatchError


@click.command(short_help="The history of runs; one run with its loads and dbt's nodes.")
@click.argument("run", metavar="[ID]", type=int, required=False)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many runs to list.")
@config_option
@json_option
def runs(run: int | None, limit: int, config: str | None, as_json: bool) -> int:
    """List the newest runs; or tell one of them: why it was done, what it loaded, and of each model and test of dbt the
    status, seconds, rows and message. dbt's nodes are kept for 90 days.

    \b
    Examples:
      qbwatch runs
      qbwatch runs 12
    """
    from qbwatch.edges.run_answers import newest_runs, whole_run

    loaded = load_config(config)
    zone = loaded.quickbooks.timezone
    with ledger(loaded) as connection:
        listed = newest_runs(connection, limit) if run is None else []
        told = None if run is None else whole_run(connection, run)
    if run is None:
        if as_json:
            print_json({"version": 1, "runs": listed})
        else:
            click.echo("\n".join(_listed(listed, zone)))
        return 0
    if told is None:
        raise QbwatchError(f"there is no run {run}", "`qbwatch runs` lists the newest")
    if as_json:
        print_json({"version": 1, "run": told})
    else:
        click.echo("\n".join(_told(told, zone)))
    return 0


def _listed(listed: list[dict[str, Any]], zone: tzinfo | None) -> list[str]:
    if not listed:
        return ["No run so far."]
    lines = [f"{'id':>6}  {'started':<19}  {'mode':<11}  {'status':<15}  {'files':>6}  {'seconds':>8}"]
    for each in listed:
        status = each["status"].replace("_", " ")
        seconds = "-" if each["seconds"] is None else f"{each['seconds']:,.1f}"
        started = local_time(each["started_at"], zone)[:19]
        lines.append(f"{each['id']:>6}  {started}  {each['mode']:<11}  {status:<15}  {each['files']:>6,}  {seconds:>8}")
        lines += wrapped(each["error"], " " * 8, " " * 8) if each["error"] else []
    return lines


def _told(run: dict[str, Any], zone: tzinfo | None) -> list[str]:
    seconds = "" if run["seconds"] is None else f", {run['seconds']:,.1f} s"
    lines = [f"Run {run['id']} ({run['mode']}): {run['status'].replace('_', ' ')}"]
    lines += wrapped(f"why: {run['why']}", "  ", "    ")
    lines.append(f"  started {local_time(run['started_at'], zone)}{seconds}")
    if run["rows"]["read"]:
        lines += accounts(run["rows"], "  ")
    if run["error"]:
        lines += wrapped(run["error"], "  first failure: ", "    ")
    if run["loads"]:
        lines += ["", f"  {counted(len(run['loads']), 'part')}:"]
        for load in run["loads"]:
            lines += _load(load)
    if run["nodes"]:
        lines += ["", f"  {counted(len(run['nodes']), 'dbt node')}, {run['dbt']['seconds']:,.1f} s in all:"]
        lines.append(f"    {'status':<9}{'seconds':>8}{'rows':>10}  node")
        for node in run["nodes"]:
            lines += _node(node)
    return lines


def _load(load: dict[str, Any]) -> list[str]:
    dataset = (load["dataset"] or "?").removeprefix("quickbooks.")
    line = f"    {load['state']:<12}{shown(dataset, 16):<17}{shown(part_name(load['name'], load['sheet']), 45)}"
    return [line.rstrip(), *(wrapped(load["reason"], " " * 16, " " * 16) if load["reason"] else [])]


def _node(node: dict[str, Any]) -> list[str]:
    rows = "-" if node["rows"] is None else f"{node['rows']:,}"
    lines = [f"    {node['status']:<9}{node['seconds']:>8.2f}{rows:>10}  {shown(node['name'], 46)}"]
    is_good = node["status"] in ("success", "pass")
    return lines if is_good or not node["message"] else [*lines, *wrapped(node["message"], " " * 15, " " * 15)]
