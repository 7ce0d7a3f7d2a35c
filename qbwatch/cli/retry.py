"""``qbwatch retry``: a person's decision that something may be tried again."""

from __future__ import annotations

from pathlib import Path

import click

from qbwatch.cli.ledger import ledger
from qbwatch.cli.options import config_option, counted, json_option, load_config, print_json
from qbwatch.core.model import QbwatchError


@click.command(short_help="Try quarantined or waiting files again.")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--all", "everything", is_flag=True, help="All that is quarantined or waits for a later try.")
@config_option
@json_option
def retry(files: tuple[str, ...], everything: bool, config: str | None, as_json: bool) -> int:
    """Try quarantined or waiting files again: by the daemon now, without one by the next `qbwatch once`.

    A retry reads the copy that was taken when the file settled. To mend a file, write it anew under the same name;
    that needs no retry.

    \b
    Examples:
      qbwatch retry Invoice_04_17_2025_2_00_03.csv
      qbwatch retry --all
    """
    if bool(files) == everything:
        raise click.UsageError("name files, or say --all")
    from datetime import UTC, datetime

    from qbwatch.edges import decisions
    from qbwatch.edges.file_answers import items_named, quarantined_items

    loaded = load_config(config)
    with ledger(loaded) as connection:
        found = items_named(connection, list(files)) if files else {"": quarantined_items(connection)}
        unknown = [name for name, ids in found.items() if name and not ids]
        if unknown:
            raise QbwatchError(
                f"nothing to retry: {', '.join(unknown)}", "`qbwatch files --state quarantined` lists what is"
            )
        released = decisions.release(connection, [item for ids in found.values() for item in ids], datetime.now(UTC))
    is_taken_up = _wake(loaded.control.socket)
    if as_json:
        print_json({"version": 1, "released": released})
    else:
        click.echo(_told(released, is_taken_up=is_taken_up))
    return 0


def _told(released: int, *, is_taken_up: bool) -> str:
    if not released:
        return "Nothing is quarantined, and nothing waits for a later try."
    then = "`qbwatch status` shows how it goes" if is_taken_up else "no daemon is up: `qbwatch once` tries now"
    return f"{counted(released, 'file')} back in the queue; {then}."


def _wake(socket: Path) -> bool:
    """Let the daemon look at once; False without one, where the next `qbwatch once` does it."""
    from qbwatch.edges.control_client import ControlUnreachable, call

    try:
        call(socket, "retry", timeout=2.0)
    except ControlUnreachable:
        return False
    return True
