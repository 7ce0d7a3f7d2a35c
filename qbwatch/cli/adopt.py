"""``qbwatch adopt``: what an old pipeline has loaded, and what of it needn't be loaded again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from qbwatch.cli.options import config_option, counted, json_option, load_config, log_to_stderr, print_json, wrapped

_SHOWN = 5  # names of a kind; JSON has all


@click.command(short_help="Take over from an old pipeline what needn't be loaded.")
@click.option(
    "--from-json",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The old pipeline's list of processed files.",
)
@click.option("--from-schema", metavar="SCHEMA[/TABLE]", help="Tables in which it kept the names of processed files.")
@click.option("--dry-run", is_flag=True, help="Only say what it would do; writes nothing.")
@config_option
@json_option
def adopt(from_json: Path | None, from_schema: str | None, dry_run: bool, config: str | None, as_json: bool) -> int:
    """Read which files an old pipeline noted as processed, and pass over those that needn't be loaded again.

    These are fewer than one may think. The raw tables are made of the accepted files alone, so a file is passed over
    only where a newer full export of its dataset (NN_BACKUP_*, or in the seed folder) states all that it says, and only
    invoices and other documents. Lists, reports, the newest full export and whatever comes after it are loaded, because
    the old tables can't stand for them. Should that full export be refused or reverted, what was passed over is loaded
    after all; `qbwatch retry FILE` does so at once.

    Best before the first run. It also tells which named files are gone, and which tables of the old pipeline bear the
    names of qbwatch's.

    \b
    Examples:
      qbwatch adopt --from-json /srv/pipeline/processed_files.json --dry-run
      qbwatch adopt --from-schema raw/processed_files
    """
    if from_json is None and from_schema is None:
        raise click.UsageError("say where the old pipeline kept its state: --from-json or --from-schema")
    from qbwatch.adopting import OldState
    from qbwatch.one_adoption import adopt as adopt_now
    from qbwatch.one_adoption import foresee_adoption

    log_to_stderr()
    loaded, old = load_config(config), OldState(from_json, from_schema)
    said = foresee_adoption(loaded, old) if dry_run else adopt_now(loaded, old, _warn)
    if as_json:
        print_json({"version": 1, **said})
    else:
        click.echo("\n".join(_told(said)))
    return 0


def _warn(line: str) -> None:
    click.echo("\n".join(wrapped(line, "", "  ")), err=True)


def _told(said: dict[str, Any]) -> list[str]:
    is_rehearsal, found_in = said["dry_run"], ", ".join(said["found_in"])
    lines = wrapped(f"The old pipeline names {counted(said['named'], 'file')} ({found_in}).", "", "  ")
    lines += _adopted(said["adopted"], dry_run=is_rehearsal) + _loaded(said["loaded_anyway"], dry_run=is_rehearsal)
    if said["loaded_already"]:
        lines.append(f"  {said['loaded_already']:,} loaded already.")
    if said["left_as_they_are"]:
        told = f"{said['left_as_they_are']:,} left as they are: quarantined, duplicates, or skipped before."
        lines += wrapped(f"{told} `qbwatch files` lists them.", "  ", "    ")
    return lines + _gone(said["gone"]) + _in_the_way(said)


def _adopted(parts: list[dict[str, Any]], *, dry_run: bool) -> list[str]:
    if not parts:
        return ["  Nothing of it is passed over." if not dry_run else "  Nothing of it would be passed over."]
    verb = "would be passed over" if dry_run else "passed over"
    told = f"{len(parts):,} {verb}: a newer full export states all that they say ({_by_dataset(parts)})."
    return wrapped(told, "  ", "    ") + _names(parts)


def _loaded(parts: list[dict[str, Any]], *, dry_run: bool) -> list[str]:
    lines = []
    for reason, count in Counter(part["reason"] for part in parts).most_common():
        alike = [part for part in parts if part["reason"] == reason]
        verb = "would be loaded" if dry_run else "will be loaded"
        lines += wrapped(f"{count:,} {verb}: {reason} ({_by_dataset(alike)}).", "  ", "    ") + _names(alike)
    return lines


def _gone(files: list[dict[str, Any]]) -> list[str]:
    lost = [file for file in files if file["covered_by"] is None]
    lines = []
    if len(files) > len(lost):
        count = len(files) - len(lost)
        lines += wrapped(f"{count:,} gone from the folders, with a newer full export of the same there.", "  ", "    ")
    if lost:
        told = f"{len(lost):,} gone from the folders, and no full export is newer ({_by_dataset(lost)}): what only they"
        lines += wrapped(f"{told} say is in no table. Put them back, or export these in full.", "  ", "    ")
        lines += _names(lost)
    return lines


def _in_the_way(said: dict[str, Any]) -> list[str]:
    lines = []
    if foreign := said["foreign_tables"]:
        told = f"in the way: {foreign[0]}{_others(foreign)}, made by somebody else. Set raw_schema in [database] to a"
        lines += wrapped(f"{told} name of its own before the first run.", "  ", "    ")
    if marts := said["marts_to_replace"]:
        told = f"in the way: {marts[0]}{_others(marts)}, which the first build would take the place of. Set"
        lines += wrapped(f"{told} target_schema in [transform] to a name of its own to compare the two.", "  ", "    ")
    return lines


def _others(names: list[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""


def _by_dataset(parts: list[dict[str, Any]]) -> str:
    counts = Counter(part["dataset"] or "of no known dataset" for part in parts)
    return ", ".join(f"{name.removeprefix('quickbooks.')} {count:,}" for name, count in sorted(counts.items()))


def _names(parts: list[dict[str, Any]]) -> list[str]:
    names = [ascii(part["name"])[1:-1] for part in parts[:_SHOWN]]
    more = [f"… and {len(parts) - _SHOWN:,} more"] if len(parts) > _SHOWN else []
    return [f"    {name}" for name in (*names, *more)]
