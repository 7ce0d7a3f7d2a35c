"""``qbwatch retry``, ``skip`` and ``accept``: what a person decides about files that wait for one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from qbwatch.cli.ledger import ledger
from qbwatch.cli.options import config_option, counted, json_option, load_config, print_json

_LISTS = "`qbwatch files --state quarantined` lists what waits for a person"


@click.command(short_help="Try quarantined or waiting files again.")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--all", "everything", is_flag=True, help="All that is quarantined or waits for a later try.")
@config_option
@json_option
def retry(files: tuple[str, ...], everything: bool, config: str | None, as_json: bool) -> int:
    """Try quarantined or waiting files again: by the daemon now, without one by the next `qbwatch once`. A file that
    was reverted or skipped counts again.

    A retry reads the copy that was taken when the file settled. To mend a file, write it anew under the same name;
    that needs no retry.

    FILE is a name, a path, or a part of a name that only one file fits.

    \b
    Examples:
      qbwatch retry Invoice_04_17_2025_2_00_03.csv
      qbwatch retry --all
    """
    if bool(files) == everything:
        raise click.UsageError("name files, or say --all")
    from qbwatch.edges import decisions
    from qbwatch.edges.file_answers import files_of, quarantined_items
    from qbwatch.edges.file_search import Named

    def wanted(item: Named) -> bool:
        return item.state.value in ("quarantined", "retrying") or item.code in decisions.DECIDED

    loaded = load_config(config)
    with ledger(loaded) as connection:
        ids = _chosen(connection, files, wanted, "nothing to retry") if files else quarantined_items(connection)
        released = decisions.release(connection, ids, _now())
        if files and not released:
            raise _overtaken()
        told = _counted_parts(released, files_of(connection, ids))
    is_taken_up = _wake(loaded.control.socket)
    if as_json:
        print_json({"version": 1, "released": released})
    elif not released:
        click.echo("Nothing is quarantined, and nothing waits for a later try.")
    else:
        click.echo(f"{told} back in the queue; {_then(is_taken_up=is_taken_up)}.")
    return 0


@click.command(short_help="Leave files out that wait.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@config_option
@json_option
def skip(files: tuple[str, ...], config: str | None, as_json: bool) -> int:
    """Leave files out that are quarantined or wait for their turn. They stay left out when the same bytes are dropped
    again; `qbwatch retry` takes them up after all. A file that is loaded already is taken back by `qbwatch revert`.

    FILE is a name, a path, or a part of a name that only one file fits.

    \b
    Examples:
      qbwatch skip Invoice_04_17_2025_2_00_03.csv
      qbwatch skip "Invoice_04_17 (1)" Customer_04_17
    """
    from qbwatch.edges import decisions
    from qbwatch.edges.file_answers import files_of
    from qbwatch.edges.file_search import Named

    def wanted(item: Named) -> bool:
        return item.state.value in ("pending", "quarantined", "retrying")

    loaded = load_config(config)
    with ledger(loaded) as connection:
        ids = _chosen(connection, files, wanted, "nothing to skip")
        skipped = decisions.skip(connection, ids, _now())
        told = _counted_parts(skipped, files_of(connection, ids))
    _wake(loaded.control.socket)
    if as_json:
        print_json({"version": 1, "skipped": skipped})
    else:
        click.echo(f"{told} left out; `qbwatch retry` takes it up after all.")
    return 0


@click.command(short_help="Load a held file in spite of the question about it.")
@click.argument("file")
@click.option("--map", "mapped", multiple=True, metavar="COLUMN=HEADER", help="A column stands under another header.")
@config_option
@json_option
def accept(file: str, mapped: tuple[str, ...], config: str | None, as_json: bool) -> int:
    """Answer the question about a held file with yes, that is right: far fewer rows than last time, no row at all, a
    period that overlaps another in part, rows of another report that would be replaced, or a name that says something
    else than the content (the content wins).

    The answer is kept: no retry and no rebuild asks again. A new version of the file is a new question. To say no,
    `qbwatch skip` it, or export it again.

    --map says which header a column has now, in a file that is refused for lack of it. It holds for every later file
    of the dataset with that header, and for those that wait already, until the file is reverted.

    FILE is a name, a path, or a part of a name that only one file fits.

    \b
    Examples:
      qbwatch accept 01_BACKUP_Customer_04_17_2025.csv
      qbwatch accept BACKUP_Customer
      qbwatch accept Invoice_04_18 --map "Invoice No=Document No"
    """
    renamed = _mapping(mapped)
    from qbwatch.core.holds import HOLDS
    from qbwatch.edges import decisions
    from qbwatch.edges.file_search import Named, choose

    def wanted(item: Named) -> bool:
        return item.state.value == "quarantined" or item.code in decisions.DECIDED

    loaded = load_config(config)
    names: list[str] = []
    with ledger(loaded) as connection:
        chosen = choose(connection, file, wanted, "nothing to accept")
        if renamed:
            names = _mapped(connection, loaded, [each.item_id for each in chosen], renamed)
        taken_up = len(names) if renamed else _accepted(connection, chosen)
        if not taken_up:
            raise _overtaken()
    is_taken_up = _wake(loaded.control.socket)
    if as_json:
        codes = sorted({each.code for each in chosen if each.code in HOLDS})
        answer = {"version": 1, "name": chosen[0].name, "accepted": taken_up, "questions": codes}
        print_json(answer | ({"mapped": names} if renamed else {}))
    else:
        others = f", and so {'is' if taken_up == 2 else 'are'} {taken_up - 1:,} more that waited for it"
        also = others if renamed and taken_up > 1 else ""
        click.echo(f"{chosen[0].name} is accepted and back in the queue{also}; {_then(is_taken_up=is_taken_up)}.")
    return 0


def _mapping(mapped: tuple[str, ...]) -> dict[str, str]:
    """``Invoice No=Document No`` → ``{"invoice_no": "Document No"}``."""
    from qbwatch.formats.recognise import names_of

    renamed = {}
    for each in mapped:
        column, equals, header = each.partition("=")
        (name,) = names_of([column])
        if not (equals and name and header.strip()):
            raise click.BadParameter(f"{each!r} is no COLUMN=HEADER", param_hint="--map")
        renamed[name] = header.strip()
    return renamed


def _mapped(connection: Any, config: Any, ids: list[int], renamed: dict[str, str]) -> list[str]:
    from qbwatch.core.dates import DateOrder
    from qbwatch.edges.loader import Loader
    from qbwatch.edges.vault import Vault
    from qbwatch.mapping import map_columns

    vault = Vault(config.state.directory / "vault")
    order, zone = DateOrder(config.quickbooks.date_order), config.quickbooks.timezone
    loader = Loader(vault, order, zone=zone, raw_schema=config.database.raw_schema)
    return map_columns(connection, loader, ids, renamed, _now())


def _accepted(connection: Any, chosen: Any) -> int:
    """Answer the questions about these parts with yes; how many are taken up. Raises `QbwatchError` without one."""
    from qbwatch.core.holds import HOLDS
    from qbwatch.core.model import QbwatchError
    from qbwatch.edges import decisions

    if not any(each.code in (*HOLDS, *decisions.DECIDED) for each in chosen):
        raise QbwatchError(
            f"{chosen[0].name} is quarantined by a fault ({chosen[0].code}), and no question that can be accepted",
            "export it again, or mend it and write it anew under its name; `qbwatch why` says what is wrong",
        )
    accepted = decisions.accept(connection, [each.item_id for each in chosen], _now())
    reverted = [each.item_id for each in chosen if each.code in decisions.DECIDED]
    return accepted + decisions.release(connection, reverted, _now())


def _chosen(connection: Any, files: tuple[str, ...], wanted: Any, what: str) -> list[int]:
    from qbwatch.edges.file_search import choose

    return [each.item_id for file in files for each in choose(connection, file, wanted, what)]


def _counted_parts(parts: int, files: int) -> str:
    """``2 files``, or ``1 file (3 parts)`` where a workbook's sheets count one by one."""
    return counted(files, "file") + (f" ({counted(parts, 'part')})" if parts > files else "")


def _overtaken() -> Exception:
    from qbwatch.core.model import QbwatchError

    return QbwatchError(
        "another file stands for the same by now: a newer version, or the same bytes under another name",
        "`qbwatch files` shows it; `qbwatch revert` takes it back first",
    )


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _then(*, is_taken_up: bool) -> str:
    return "`qbwatch status` shows how it goes" if is_taken_up else "no daemon is up: `qbwatch once` tries now"


def _wake(socket: Path) -> bool:
    """Let the daemon look at once; False without one, where the next `qbwatch once` does it."""
    from qbwatch.edges.control_client import ControlUnreachable, call

    try:
        call(socket, "retry", timeout=2.0)
    except ControlUnreachable:
        return False
    return True
