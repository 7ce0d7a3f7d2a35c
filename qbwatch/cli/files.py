"""``qbwatch files`` and ``qbwatch why``: the ledger of files, and the whole story of one."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import click

from qbwatch.cli.accounts import accounts, rejections
from qbwatch.cli.ledger import ledger
from qbwatch.cli.options import (
    config_option,
    dataset_option,
    json_option,
    load_config,
    local_time,
    print_json,
    shown,
    wrapped,
)
from qbwatch.core.filename import part_name
from qbwatch.core.model import QbwatchError

_STATES = ("pending", "loading", "retrying", "loaded", "quarantined", "skipped", "ignored")


@click.command(short_help="List the files that were seen, newest first.")
@click.option(
    "--state",
    type=click.Choice(_STATES),
    metavar="STATE",
    help="Only parts in this state: " + ", ".join(_STATES) + ".",
)
@dataset_option
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
    from qbwatch.edges.file_answers import list_files

    loaded = load_config(config)
    if state == "ignored":
        return _show_ignored(loaded, as_json)
    with ledger(loaded) as connection:
        found = list_files(connection, state, dataset)
    if as_json:
        print_json({"version": 1, "files": found})
        return 0
    if not found:
        narrowed = [f"in state {state}"] * bool(state) + [f"of {dataset}"] * bool(dataset)
        click.echo(" ".join(["No files in the ledger", *narrowed]) + ".")
    click.echo("\n".join(_rows(found, state)), nl=bool(found))
    return 0


def _rows(found: list[dict[str, Any]], state: str | None) -> list[str]:
    """One line per part, and one for why it is where it is."""
    lines = []
    for file in found:
        for part in file["parts"]:
            if state not in (None, part["state"]):
                continue
            count = "" if part["rows"] is None else f"{part['rows']['read']:,}"
            dataset = (part["dataset"] or "?").removeprefix("quickbooks.")
            name = shown(part_name(file["name"], part["sheet"]), 42)
            lines.append(f"{part['state']:<12}{name:<43}{shown(dataset, 15):<16}{count:>8}".rstrip())
            if part["reason"]:
                lines += wrapped(part["reason"], " " * 12, " " * 12)
    return lines


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
    zone = loaded.quickbooks.timezone
    click.echo("\n\n".join("\n".join(_story(version, zone)) for version in versions))
    return 0


def _story(version: dict[str, Any], zone: tzinfo) -> list[str]:
    if "ignored_by" in version:
        return [version["path"], *wrapped(version["ignored_by"], "  ignored: ", "    ")]
    full = "a full export" if version["full"] else "a window of what changed"
    basis = {"name": "its name", "content": "its text", "mtime": "its mtime"}[version["as_of_basis"]]
    place = "named by a person" if version["root"] == "picked" else f"in the {version['root']} folder"
    return [
        version["path"],
        f"  seen     {local_time(version['first_seen_at'], zone)} {place}, {version['size_bytes']:,} bytes",
        f"  settled  {local_time(version['settled_at'], zone)}, sha256 {version['content_hash'][:16]}…",
        *wrapped(f"{local_time(version['as_of'], zone)} (from {basis}), as {full}", "  for      ", " " * 11),
        *_again(version, zone),
        *(line for part in version["parts"] for line in _chapter(part, zone)),
    ]


def _again(version: dict[str, Any], zone: tzinfo) -> list[str]:
    """That the same bytes came again under this name, which changes nothing."""
    if not version["repeats"]:
        return []
    last = local_time(version["repeated_at"], zone)
    return [f"  again    {version['repeats']} time(s), last {last}: duplicate, the same bytes"]


def _chapter(part: dict[str, Any], zone: tzinfo) -> list[str]:
    """What became of one part."""
    indent = " " * 11
    tries = "not tried" if part["attempt"] == 0 else "1 try" if part["attempt"] == 1 else f"{part['attempt']} tries"
    run = f", run {part['run_id']}" if part["run_id"] else ""
    lines = [
        f"  {part['state']}" + (f": sheet {part['sheet']}" if part["sheet"] is not None else ""),
        f"{indent}as {part['dataset'] or 'no known dataset'}, {tries}{run}",
        f"{indent}since {local_time(part['changed_at'], zone)}",
    ]
    if part["next_attempt_at"]:
        lines.append(f"{indent}next try {local_time(part['next_attempt_at'], zone)}")
    if part["reason"]:
        lines += wrapped(part["reason"], indent + "why: ", indent + "     ")
    if part["hint"]:
        lines += wrapped(part["hint"], indent + "do:  ", indent + "     ")
    if part["rows"]:
        lines += accounts(part["rows"], indent)
    if part["difference"]:
        lines += wrapped(_difference(part["difference"]), indent, indent + "  ")
    if part["answers"].get("accepted"):
        lines += wrapped("accepted by a person: " + ", ".join(part["answers"]["accepted"]), indent, indent + "  ")
    if part["answers"].get("renamed"):
        told = ", ".join(f"{column} from {new!r}" for column, new in part["answers"]["renamed"].items())
        is_own = part["answers"].get("mapped_at") is not None
        whose = "mapped by a person" if is_own else "mapped as a person said of an earlier file"
        lines += wrapped(f"{whose}: {told}", indent, indent + "  ")
    lines += [f"{indent}sum of {name}: {total}" for name, total in part["sums"].items()]
    for note in part["notes"]:
        lines += wrapped(note, indent, indent + "  ")
    return lines + rejections(part["rejects"], indent)


def _difference(said: dict[str, Any]) -> str:
    """Against the earlier file that it replaces, in rows."""
    counts = f"{said['changed']:,} changed, {said['new']:,} new, {said['gone']:,} gone"
    return f"{counts}, compared with {said['name']} (file {said['file_id']})"


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
        click.echo(f"{'ignored':<12}{shown(file['path'], 42):<43}{shown(file['ignored_by'], 24)}")
    return 0
