"""``qbwatch revert``: take a file's effect back."""

from __future__ import annotations

from typing import Any

import click

from qbwatch.cli.options import config_option, counted, json_option, load_config, log_to_stderr, print_json, wrapped


@click.command(short_help="Take a file's effect back.")
@click.argument("file")
@click.option("--dry-run", is_flag=True, help="Only say what it would change.")
@config_option
@json_option
def revert(file: str, dry_run: bool, config: str | None, as_json: bool) -> int:
    """Take a file's effect back: the raw tables become what all other accepted files say. Rows that only this file
    stated go, rows that it changed or removed are as they were, and a version that it had replaced under the same name
    counts again. The next run lets dbt follow.

    The same bytes stay reverted when they are dropped again; `qbwatch retry` loads them after all. New bytes under the
    name are a new statement.

    FILE is a name, a path, or a part of a name that only one file fits; of several versions it is the newest loaded.

    \b
    Examples:
      qbwatch revert --dry-run Invoice_04_17_2025_2_00_03.csv
      qbwatch revert Invoice_04_17_2025_2_00_03.csv
    """
    from qbwatch.one_errand import errands

    log_to_stderr()
    with errands(load_config(config), alone=True) as (ask, is_daemon):
        said = ask("revert", {"file": file, "dry_run": dry_run})
    if as_json:
        print_json({"version": 1, **said})
    else:
        click.echo("\n".join(_told(said, is_daemon=is_daemon)))
    return 0


def _told(said: dict[str, Any], *, is_daemon: bool) -> list[str]:
    would = "would remove" if said["dry_run"] else "removes"
    restore = "restore" if said["dry_run"] else "restores"
    effect = f"{would} {counted(said['removed'], 'row')}, {restore} {said['restored']:,}"
    lines = wrapped(f"Reverting {said['name']} {effect}.", "", "  ")
    for each in said["datasets"] if len(said["datasets"]) > 1 else ():
        lines.append(f"  {each['dataset']}: {each['removed']:,} removed, {each['restored']:,} restored")
    lines += [f"  counts again: {name}, its former version" for name in said["restored_files"]]
    if said["owed"] and not said["dry_run"]:
        lines.append("  dbt follows now." if is_daemon else "  dbt is owed for it: `qbwatch once` builds it.")
    return lines
