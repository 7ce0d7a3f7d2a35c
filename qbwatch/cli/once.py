"""``qbwatch once`` and ``qbwatch plan``: one run now, or what it would do."""

from __future__ import annotations

from typing import Any

import click

from qbwatch.cli.options import config_option, json_option, load_config, print_json, shown

_EXIT = {"success": 0, "partial_failure": 3, "error": 1, "cancelled": 1}


@click.command(short_help="Do one run now.")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Only show what would be done (as `plan`).")
@click.option("--force-seed", is_flag=True, help="Fold and build everything anew, from the vault.")
@click.option("--force-incremental", is_flag=True, help="Call the run incremental, whatever was loaded before.")
@click.option("--dataset", metavar="NAME", help="Only this dataset, such as quickbooks.invoices.")
@config_option
@json_option
def once(
    files: tuple[str, ...],
    dry_run: bool,
    force_seed: bool,
    force_incremental: bool,
    dataset: str | None,
    config: str | None,
    as_json: bool,
) -> int:
    """Do one run now: load what is new or unfinished, then build what dbt owes. Asks the daemon when one is up, else
    does it by itself. With FILEs, which may lie anywhere, only these are loaded.

    Exit code 0: success or nothing to do, 1: error, 2: usage or configuration, 3: some files failed.

    \b
    Examples:
      qbwatch once
      qbwatch once --force-seed
      qbwatch once ~/Invoice_04_17_2025_2_00_03.csv
    """
    if force_seed and force_incremental:
        raise click.UsageError("--force-seed and --force-incremental exclude each other")
    from qbwatch.datasets import dataset_named

    loaded = load_config(config)
    narrowed = dataset_named(dataset).full_name if dataset else None
    force = "seed" if force_seed else "incremental" if force_incremental else None
    if dry_run:
        return _show_plan(loaded, force, narrowed, as_json)
    said = _run(loaded, force, narrowed, files)
    if as_json:
        print_json({"version": 1, **said})
    else:
        _print_outcome(said["run"])
    return 0 if said["run"] is None else _EXIT[said["run"]["status"]]


@click.command(short_help="Show what `once` would do, and why; writes nothing.")
@click.option("--force-seed", is_flag=True, help="As `once --force-seed` would.")
@click.option("--force-incremental", is_flag=True, help="As `once --force-incremental` would.")
@click.option("--dataset", metavar="NAME", help="Only this dataset, such as quickbooks.invoices.")
@config_option
@json_option
def plan(force_seed: bool, force_incremental: bool, dataset: str | None, config: str | None, as_json: bool) -> int:
    """Show what `qbwatch once` would do, and why. Writes nothing.

    \b
    Examples:
      qbwatch plan
      qbwatch plan --force-seed
    """
    from qbwatch.datasets import dataset_named

    force = "seed" if force_seed else "incremental" if force_incremental else None
    narrowed = dataset_named(dataset).full_name if dataset else None
    return _show_plan(load_config(config), force, narrowed, as_json)


def _run(config: Any, force: str | None, dataset: str | None, files: tuple[str, ...]) -> dict[str, Any]:
    import os

    from qbwatch.edges.control_client import ControlUnreachable, call

    params = {"force": force, "dataset": dataset, "files": [os.path.abspath(file) for file in files]}
    try:
        answer: Any = call(config.control.socket, "once", params, timeout=3600.0)
        return dict(answer)
    except ControlUnreachable:
        from qbwatch import log
        from qbwatch.one_run import run_by_itself

        log.configure(level="warning")  # to stderr: stdout is for the answer
        for secret in config.secrets():
            log.register_secret(secret)
        return run_by_itself(config, force, dataset, files, tell=_tell)


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _print_outcome(run: dict[str, Any] | None) -> None:
    if run is None:
        click.echo("All is current: no new files, nothing unfinished, nothing owed.")
        return
    rows = run["rows"]
    click.echo(f"Run {run['id']} ({run['mode']}): {run['status']}")
    click.echo(f"  {run['loaded']} files loaded, {run['set_aside']} set aside")
    click.echo(
        f"  {rows['read']} rows read: {rows['inserted']} inserted, {rows['updated']} updated, "
        f"{rows['unchanged']} unchanged, {rows['structural']} structural, {rows['rejected']} rejected; "
        f"{rows['removed']} removed"
    )
    click.echo(f"  dbt: {run['transform'] or 'nothing to do'}")
    if run["error"]:
        click.echo(f"  first failure: {run['error']}")


def _show_plan(config: Any, force: str | None, dataset: str | None, as_json: bool) -> int:
    from qbwatch.planning import foresee

    planned = foresee(config, force, dataset)
    if as_json:
        print_json({"version": 1, **planned})
        return 0
    if planned["mode"] is None:
        click.echo("All is current: a run would do nothing.")
    else:
        click.echo(f"A run would be {planned['mode']}: {planned['why']}")
    for file in planned["files"]:
        what = file["dataset"] or "?"
        click.echo(f"  {file['verdict']:<10} {shown(file['name'], 48):<48} {what}")
        if file["reason"]:
            click.echo(f"             {file['reason']}")
    for owed in planned["owed"]:
        click.echo(f"  dbt        {owed}")
    return 0
