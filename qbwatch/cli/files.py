"""``qbwatch files`` and ``qbwatch why``: the ledger of files, and the whole story of one."""

from __future__ import annotations

from typing import Any

import click

from qbwatch.cli.ledger import ledger
from qbwatch.cli.options import config_option, json_option, load_config, print_json, shown, wrapped
from qbwatch.core.model import QbwatchError

_STATES = ("pending", "loading", "retrying", "loaded", "quarantined", "skipped", "ignored")


@click.command(short_help="List the files that were seen, newest first.")
@click.option(
    "--state",
    type=click.Choice(_STATES),
    metavar="STATE",
    help="Only parts in this state: " + ", ".join(_STATES) + ".",
)
@click.option("--dataset", metavar="NAME", help="Only this dataset, such as quickbooks.invoices.")
@config_option
@json_option
def files(state: str | None, dataset: str | None, config: str | None, as_json: bool) -> int:
    """List every file that was seen, newest first: the state of each of its parts, its dataset, and the rows read.

    Ignored files are not in the ledger; --state ignored lists those that lie in the folders now, each with the rule
    that keeps it out.

    \b
    Examples:
      qbwatch files --state quarantined
      qbwatch files --dataset invoices --json
    """
    from qbwatch.datasets import dataset_named
    from qbwatch.edges.file_answers import list_files

    loaded = load_config(config)
    if state == "ignored":
        return _show_ignored(loaded, as_json)
    narrowed = dataset_named(dataset).full_name if dataset else None
    with ledger(loaded) as connection:
        found = list_files(connection, state, narrowed)
    if as_json:
        print_json({"version": 1, "files": found})
        return 0
    if not found:
        click.echo("No files in the ledger" + (f" in state {state}" if state else "") + ".")
    for file in found:
        for part in file["parts"]:
            rows = part["rows"]
            count = "" if rows is None else f"{rows['read']:>8,}"
            name = shown(file["name"], 42)
            click.echo(
                f"{part['state']:<12}{name:<43}{(part['dataset'] or '?').removeprefix('quickbooks.'):<16}{count:>8}"
            )
            if part["reason"]:
                click.echo(f"            {shown(part['reason'], 67)}")
    return 0


@click.command(short_help="Tell the whole story of one file.")
@click.argument("file")
@config_option
@json_option
def why(file: str, config: str | None, as_json: bool) -> int:
    """Tell the whole story of one file: when it was seen and had settled, what it was recognised as, each try and why
    it ended so, what became of its rows, and which lines were rejected.

    FILE is a name as `qbwatch files` shows it; several versions of it are told newest first.

    \b
    Example:
      qbwatch why Invoice_04_17_2025_2_00_03.csv
    """
    from qbwatch.edges.file_answers import versions_of

    loaded = load_config(config)
    name = file.rsplit("/", 1)[-1]
    with ledger(loaded) as connection:
        versions = versions_of(connection, file) or versions_of(connection, name)
    if not versions:
        ignored = [each for each in _ignored_files(loaded) if each["name"] == name]
        if not ignored:
            raise QbwatchError(
                f"{file} is not in the ledger", "`qbwatch files` lists what is; a new file may still settle"
            )
        versions = ignored
    if as_json:
        print_json({"version": 1, "name": versions[0]["name"], "versions": versions})
        return 0
    click.echo("\n\n".join("\n".join(_story(version)) for version in versions))
    return 0


def _story(version: dict[str, Any]) -> list[str]:
    if "ignored_by" in version:
        return [version["path"], f"  ignored: {version['ignored_by']}"]
    full = "a full export" if version["full"] else "a window of what changed"
    lines = [
        version["path"],
        f"  seen     {version['first_seen_at']} in the {version['root']} folder, {version['size_bytes']:,} bytes",
        f"  settled  {version['settled_at']}, sha256 {version['content_hash'][:16]}…",
        f"  speaks   for {version['as_of']} (from its {version['as_of_basis']}), as {full}",
    ]
    if version["repeats"]:
        lines.append(
            f"  again    {version['repeats']} time(s), last {version['repeated_at']}: duplicate, the same bytes"
        )
    for part in version["parts"]:
        lines.append(f"  {part['state']:<8} as {part['dataset'] or 'no known dataset'}, {_tries(part)}")
        if part["reason"]:
            lines += wrapped(part["reason"], "           why: ", "                ")
        if part["hint"]:
            lines += wrapped(part["hint"], "           do:  ", "                ")
        lines += [f"           {line}" for line in _accounts(part)]
    return lines


def _tries(part: dict[str, Any]) -> str:
    tries = "not tried" if part["attempt"] == 0 else f"{part['attempt']} attempt(s)"
    run = f", run {part['run_id']}" if part["run_id"] else ""
    return f"{tries}{run}, since {part['changed_at']}"


def _accounts(part: dict[str, Any]) -> list[str]:
    lines = []
    if part["rows"]:
        rows = part["rows"]
        named = ("structural", "inserted", "updated", "unchanged", "rejected")
        lines.append(f"{rows['read']} rows read = " + " + ".join(f"{rows[name]} {name}" for name in named))
        lines.append(f"{rows['removed']} rows removed")
        lines += [f"sum of {name}: {total}" for name, total in part["sums"].items()]
    lines += list(part["notes"])
    for reject in part["rejects"][:20]:
        where = f"line {reject['line']}" + (f", column {reject['column']!r}" if reject["column"] else "")
        lines.append(f"rejected: {where}: {reject['text']!r}: {reject['reason']}")
    if len(part["rejects"]) > 20:
        lines.append(f"… and {len(part['rejects']) - 20} more rejected rows (--json lists all)")
    return lines


def _ignored_files(config: Any) -> list[dict[str, Any]]:
    """Files that lie in the folders now and are passed over, with the rule that says so."""
    from qbwatch.core.filename import escaped
    from qbwatch.planning import passed_over

    found = []
    for root in filter(None, (config.input.directory, config.input.seed_directory)):
        for path, rule in passed_over(root, config.input.ignore):
            shown_path = escaped(path)
            found.append({"name": shown_path.rsplit("/", 1)[-1], "path": shown_path, "ignored_by": rule})
    return found


def _show_ignored(config: Any, as_json: bool) -> int:
    found = _ignored_files(config)
    if as_json:
        print_json({"version": 1, "files": found})
        return 0
    for file in found:
        click.echo(f"{'ignored':<12}{shown(file['path'], 42):<43}{file['ignored_by']}")
    return 0
