"""``qbwatch once`` and ``qbwatch plan``: one run now, or what it would do."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from qbwatch.cli.accounts import accounts
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
from qbwatch.core.filename import part_name

_DBT = {
    None: "nothing to do",
    "built": "built",
    "warnings": "built; some data tests warn, see qbwatch status",
    "tests_failed": "built, but the data break a rule",
    "model_error": "a model can't be built",
}
_WITHIN = 3600.0  # seconds that a run of the daemon is waited for
_EXIT = {"success": 0, "partial_failure": 3, "error": 1, "cancelled": 1}


@click.command(short_help="Do one run now.")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Only show what would be done (as `plan`).")
@click.option("--force-seed", is_flag=True, help="Fold and build everything anew, from the vault.")
@click.option("--force-incremental", is_flag=True, help="Call the run incremental, whatever was loaded before.")
@click.option("--verbose", is_flag=True, help="Tell each step on stderr, even into a file.")
@dataset_option
@config_option
@json_option
def once(
    files: tuple[str, ...],
    dry_run: bool,
    force_seed: bool,
    force_incremental: bool,
    verbose: bool,
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
    force = _forced(force_seed, force_incremental)
    log_to_stderr(verbose=verbose)
    loaded = load_config(config)
    if dry_run:
        if files:
            raise click.UsageError("a plan is about the folders; for a single file there is `qbwatch check`")
        return _show_plan(loaded, force, dataset, as_json)
    said = _run(loaded, {"force": force, "dataset": dataset, "files": [os.path.abspath(file) for file in files]})
    if as_json:
        print_json({"version": 1, **said})
    else:
        click.echo("\n".join(_told(said)))
    return _exit_code(said)


@click.command(short_help="Show what `once` would do, and why; writes nothing.")
@click.option("--force-seed", is_flag=True, help="As `once --force-seed` would.")
@click.option("--force-incremental", is_flag=True, help="As `once --force-incremental` would.")
@dataset_option
@config_option
@json_option
def plan(force_seed: bool, force_incremental: bool, dataset: str | None, config: str | None, as_json: bool) -> int:
    """Show what `qbwatch once` would do, and why. Writes nothing.

    \b
    Examples:
      qbwatch plan
      qbwatch plan --force-seed
    """
    force = _forced(force_seed, force_incremental)
    log_to_stderr()
    return _show_plan(load_config(config), force, dataset, as_json)


def _forced(seed: bool, incremental: bool) -> str | None:
    if seed and incremental:
        raise click.UsageError("--force-seed and --force-incremental exclude each other")
    return "seed" if seed else "incremental" if incremental else None


def _run(config: Any, params: dict[str, Any]) -> dict[str, Any]:
    from qbwatch.edges.control_client import ControlUnreachable, Unreachable, call

    try:
        answer: Any = call(config.control.socket, "once", params, timeout=_WITHIN)
        return dict(answer)
    except ControlUnreachable as unreachable:
        if unreachable.kind in (Unreachable.TIMED_OUT, Unreachable.BROKEN):
            raise  # it took the request: a second run beside it would be none of ours
        from qbwatch.core.model import Mode
        from qbwatch.one_run import Wish, run_by_itself

        force = Mode(params["force"]) if params["force"] else None
        return run_by_itself(config, Wish(force, params["dataset"], params["files"]), _warn, _progress)


def _warn(line: str) -> None:
    click.echo("\n".join(wrapped(line, "", "  ")), err=True)


def _progress(line: str) -> None:
    """Steps, for a person who watches; a log or a mail of cron has no use for them."""
    if sys.stderr.isatty():
        click.echo(shown(line, 79), err=True)


def _exit_code(said: dict[str, Any]) -> int:
    """That of the run; and a file that was named, yet waits for a person, is never a success."""
    run = said["run"]
    code = 0 if run is None else _EXIT[run["status"]]
    if code == 0 and _unloaded(said):
        return 3 if run and run["loaded"] else 1
    return code


def _unloaded(said: dict[str, Any]) -> list[dict[str, Any]]:
    return [file for file in said["files"] if file["state"] in ("quarantined", "retrying", "pending")]


def _told(said: dict[str, Any]) -> list[str]:
    run = said["run"]
    unloaded = [line for file in _unloaded(said) for line in _why_not(file)]
    if run is None:
        return unloaded or ["All is current: no new files, nothing unfinished, nothing owed."]
    rows = run["rows"]
    lines = [f"Run {run['id']} ({run['mode']}): {run['status'].replace('_', ' ')}"]
    lines.append(
        f"  {counted(run['loaded'], 'file')} loaded" + (f", {run['set_aside']} set aside" if run["set_aside"] else "")
    )
    if rows["read"]:
        lines += accounts(rows, "  ")
    lines.append("  dbt: " + _DBT.get(run["transform"], str(run["transform"]).replace("_", " ")))
    if run.get("impact"):
        lines += wrapped(run["impact"], "  ", "    ")
    if run["error"]:
        lines += wrapped(run["error"], "  first failure: ", "    ")
    if run["set_aside"]:
        lines.append("  see: qbwatch status, qbwatch why FILE")
    return lines + unloaded


def _why_not(file: dict[str, Any]) -> list[str]:
    name = part_name(file["name"], file.get("sheet"))
    lines = wrapped(f"{name} is {file['state']}" + (f": {file['reason']}" if file["reason"] else ""), "", "  ")
    return lines + (wrapped(file["hint"], "  hint: ", "        ") if file["hint"] else [])


def _show_plan(config: Any, force: str | None, dataset: str | None, as_json: bool) -> int:
    from qbwatch.planning import foresee

    planned = foresee(config, force, dataset)
    if as_json:
        print_json({"version": 1, **planned})
        return 0
    if planned["mode"] is None:
        click.echo("All is current: a run would do nothing.")
    else:
        click.echo("\n".join(wrapped(f"A run would be {planned['mode']}: {planned['why']}", "", "  ")))
    for file in planned["files"]:
        dataset_shown = (file["dataset"] or "?").removeprefix("quickbooks.")
        name = shown(part_name(file["name"], file["sheet"]), 48)
        click.echo(f"  {file['verdict']:<11}{name:<49}{shown(dataset_shown, 17)}".rstrip())
        if file["reason"]:
            click.echo("\n".join(wrapped(file["reason"], " " * 13, " " * 13)))
    for owed in planned["owed"]:
        click.echo(f"  dbt        {owed}")
    return 0
