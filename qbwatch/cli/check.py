"""``qbwatch check``: recognise and validate a file that may lie anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qbwatch.cli.accounts import accounts, rejections
from qbwatch.cli.options import (
    config_option,
    counted,
    json_option,
    load_config,
    local_time,
    log_to_stderr,
    print_json,
    wrapped,
)
from qbwatch.core.filename import part_name
from qbwatch.core.model import QbwatchError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


@click.command(short_help="Try a file out without loading it.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--timezone", metavar="ZONE", help="Zone of the exporting office, if not as configured.")
@click.option("--date-order", type=click.Choice(["mdy", "dmy", "ymd"]), help="Order of its dates, likewise.")
@config_option
@json_option
def check(file: str, timezone: str | None, date_order: str | None, config: str | None, as_json: bool) -> int:
    """Try a file out, wherever it lies: which dataset it is, the moment it speaks for, its rows and sums, rejected
    lines, and what loading it would change (at its place, where newer files are loaded). Writes nothing, and needs
    neither daemon nor database (without one, all rows count as to be inserted).

    Exit code 0 when it could be loaded or would be passed over, 1 when it would be quarantined.

    \b
    Example:
      qbwatch check ~/Downloads/Invoice_04_17_2025_2_00_03.csv
    """
    from zoneinfo import ZoneInfo

    from qbwatch.core.dates import DateOrder

    log_to_stderr()
    loaded = _config_if_any(config)
    zone = _zone(timezone) or (loaded.quickbooks.timezone if loaded else ZoneInfo("America/New_York"))
    order = DateOrder(date_order or (loaded.quickbooks.date_order if loaded else "mdy"))
    said = _checker(loaded, zone, order).check(Path(file))
    if as_json:
        print_json(said)
    else:
        click.echo("\n".join(line for part in said["parts"] for line in _told(said["name"], part, zone)))
    return 0 if all(part["verdict"] in ("load", "duplicate", "ignore") for part in said["parts"]) else 1


def _checker(loaded: Any, zone: ZoneInfo, order: Any) -> Any:
    from qbwatch.checking import Checker

    if loaded is None:
        return Checker(zone, order, (), None)
    ignore, vault = tuple(loaded.input.ignore), loaded.state.directory / "vault"
    seed, schema = loaded.input.seed_directory, loaded.database.raw_schema
    return Checker(zone, order, ignore, _engine(loaded), seed, vault, schema)


def _zone(name: str | None) -> ZoneInfo | None:
    from qbwatch.config_values import parse_zone

    try:
        return parse_zone(name) if name else None
    except ValueError as error:
        raise click.BadParameter(f"{name!r} {error}", param_hint="--timezone") from None


def _config_if_any(config: str | None) -> Any:
    """The configuration; a file can be checked without one, unless one was named."""
    from qbwatch.config import ConfigError

    try:
        return load_config(config)
    except ConfigError:
        if config is not None:
            raise
        return None


def _engine(config: Any) -> Any:
    """An engine on a ledger that answers, else None."""
    if config is None:
        return None
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    from qbwatch.database import database_url
    from qbwatch.edges.postgres import engine_for

    try:
        url = database_url(config, start=False)
        if url is None:
            return None
        engine = engine_for(url, name="qbwatch-check", connect_timeout=2)
        with engine.connect() as connection:
            ledger = connection.scalar(text("SELECT to_regclass('qbwatch.work_items')"))
    except (DBAPIError, QbwatchError):
        return None
    return engine if ledger else None


def _told(name: str, part: dict[str, Any], zone: ZoneInfo) -> list[str]:
    name = part_name(name, part["sheet"])
    lines = wrapped(f"{name}: {part['verdict']}" + (f" ({part['reason']})" if part["reason"] else ""), "", "  ")
    if part["hint"]:
        lines += wrapped(part["hint"], "  hint: ", "        ")
    if part["dataset"]:
        written = part["format"] + (f" in {part['encoding']}" if part["encoding"] else "")
        lines += wrapped(f"{part['dataset']}, {written}", "  ", "    ")
        lines.append(f"  {_scope(part)}")
        lines.append(f"  speaks for {local_time(part['as_of'], zone)}")
    if part["rows"]:
        lines += accounts(part["rows"], "  ")
    lines += [f"  sum of {column}: {total}" for column, total in part["sums"].items()]
    if checked := part["printed_totals"]["checked"]:
        lines.append(f"  {counted(checked, 'printed total')} checked, all agree")
    for note in part["notes"]:
        if note != f"read as {part['encoding']}":
            lines += wrapped(note, "  ", "    ")
    if not part["complete"] and not any("breaks off" in note for note in part["notes"]):
        lines.append("  its end looks incomplete: is it still being written?")
    return lines + rejections(part["rejects"], "  ")


def _scope(part: dict[str, Any]) -> str:
    """Of what it lists all, so that what it lacks is gone."""
    from qbwatch.datasets import Kind, datasets

    basis = f", {part['basis']} basis" if part["basis"] else ""
    if part["period"]:
        return f"{part['period']['from']} to {part['period']['to']}{basis}"
    if datasets()[part["dataset"]].kind is Kind.PERIOD:
        return ("all dates" if part["full"] else "a position as of its day") + basis
    return "a full export" if part["full"] else "a window of what changed"
