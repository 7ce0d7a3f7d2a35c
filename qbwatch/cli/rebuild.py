"""``qbwatch rebuild``: fold the raw tables anew from the vault, or prove that they equal what that gives."""

from __future__ import annotations

import sys
from typing import Any

import click

from qbwatch.cli.options import (
    config_option,
    counted,
    dataset_option,
    json_option,
    load_config,
    log_to_stderr,
    print_json,
    shown,
    wrapped,
)


@click.command(short_help="Fold the raw tables anew from the vault, or verify them.")
@click.option("--verify", "is_verifying", is_flag=True, help="Only compare, cell by cell; writes nothing.")
@dataset_option
@config_option
@json_option
def rebuild(is_verifying: bool, dataset: str | None, config: str | None, as_json: bool) -> int:
    """Fold the raw tables anew from the vault and make them equal to that, one transaction per dataset. Readers are not
    disturbed: rows that are right stay as they are, and the others change all at once.

    With --verify nothing is written. Each dataset is equal, or the first difference is told: its key, line and column,
    and both values. Exit code 0: all equal, 1: some differ.

    \b
    Examples:
      qbwatch rebuild --verify
      qbwatch rebuild --dataset invoices
    """
    from qbwatch.datasets import datasets
    from qbwatch.one_errand import errands

    log_to_stderr()
    names = [name for name in datasets() if dataset in (None, name)]
    said: list[dict[str, Any]] = []
    with errands(load_config(config), alone=not is_verifying) as (ask, is_daemon):
        for place, name in enumerate(names, start=1):
            _progress(f"[{place}/{len(names)}] {'verifying' if is_verifying else 'folding'} {name}")
            said.append(ask("verify" if is_verifying else "rebuild", {"dataset": name}))
            if not as_json:
                click.echo("\n".join(_verified(said[-1]) if is_verifying else _rebuilt(said[-1])))
    is_equal = all(each.get("equal", True) for each in said)
    if as_json:
        verdict = {"equal": is_equal} if is_verifying else {}
        print_json({"version": 1, **verdict, "datasets": said})
    elif not is_verifying and any(sum(each["rows"].values()) for each in said):
        click.echo("dbt follows now." if is_daemon else "dbt is owed for it: `qbwatch once` builds it.")
    return 0 if is_equal else 1


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(shown(line, 79), err=True)


def _rebuilt(said: dict[str, Any]) -> list[str]:
    rows = said["rows"]
    changes = [f"{rows[name]:,} {name}" for name in ("inserted", "updated", "removed") if rows[name]]
    came = ", ".join(changes) if changes else "nothing had to change"
    return wrapped(f"{said['dataset']}: folded from {counted(said['files'], 'file')}: {came}", "", "  ")


def _verified(said: dict[str, Any]) -> list[str]:
    if said["equal"]:
        return [f"{said['dataset']}: equal ({counted(said['files'], 'file')})"]
    first = said["first_difference"]
    where = f"key {first['key']!r}, line {first['line']}"
    if first["column"] is None:
        side = "in the table alone" if first["in_fold"] is None else "in the fold alone"
        where += f": the row is {side}"
    else:
        where += f", column {first['column']}: {first['in_table']!r} in the table, {first['in_fold']!r} in the fold"
    return [
        f"{said['dataset']}: {counted(said['rows_differing'], 'row')} differ",
        *wrapped(where, "  first: ", "    "),
        f"  mend it: qbwatch rebuild --dataset {said['dataset']}",
    ]
