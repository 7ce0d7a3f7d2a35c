"""``qbwatch compare``: where the new marts differ from an old pipeline's, to the row."""

from __future__ import annotations

import sys
from typing import Any

import click

from qbwatch.cli.options import (
    config_option,
    counted,
    json_option,
    load_config,
    log_to_stderr,
    print_json,
    shown,
    wrapped,
)

_FIRST = 6  # values of a row that are shown; JSON has all


@click.command(short_help="Compare the marts with those of an old pipeline, to the row.")
@click.argument("old_schema")
@click.option("--table", metavar="T", help="Only this table.")
@click.option("--key", metavar="COLUMN,...", default="", help="Tell rows apart by these columns.")
@click.option("--ignore", metavar="COLUMN", multiple=True, help="Leave a column out, such as the moment of the build.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=5, show_default=True, help="Rows of each kind shown per table."
)
@config_option
@json_option
def compare(
    old_schema: str,
    table: str | None,
    key: str,
    ignore: tuple[str, ...],
    limit: int,
    config: str | None,
    as_json: bool,
) -> int:
    """Compare the marts that qbwatch's dbt built with the tables of the same names in OLD_SCHEMA of the same database:
    row counts, totals, and rows that are only here, only there, or differ. Reads, and writes nothing.

    Rows are told apart by --key, else by the columns that the dbt project tests as unique, else by the old table's
    unique index; where none of these fits both sides, whole rows are compared, as often as they occur. Equal values of
    unlike types are equal.

    What the old schema has and the marts lack is a difference; what the marts have besides is none. Exit code 0: equal,
    1: different.

    \b
    Examples:
      qbwatch compare analytics_mart
      qbwatch compare analytics_mart --table fct_orders --limit 20
      qbwatch compare old_mart --table fct_products --key sku --ignore loaded_at
    """
    from qbwatch.mart_comparison import Asked

    log_to_stderr()
    names = [name.strip() for name in key.split(",") if name.strip()]
    if names and table is None:
        raise click.UsageError("--key is about one table: name it with --table")
    loaded = load_config(config)
    new_schema = f"{loaded.transform.target_schema}_mart"
    said = _compared(loaded, Asked(new_schema, old_schema, table, names, frozenset(ignore), limit))
    if as_json:
        print_json({"version": 1, **said})
    else:
        click.echo("\n".join(_told(said)))
    return 0 if said["equal"] else 1


def _compared(config: Any, asked: Any) -> dict[str, Any]:
    from qbwatch.database import reachable
    from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, engine_for, failure_of
    from qbwatch.edges.shipped import shipped
    from qbwatch.mart_comparison import compare_marts

    project = config.transform.project or shipped("dbt")
    try:
        with reachable(config) as url, engine_for(url, name="qbwatch-compare").connect() as connection:
            return compare_marts(connection, project, asked, _progress)
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(failure_of(error)) from error


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(shown(line, 79), err=True)


def _told(said: dict[str, Any]) -> list[str]:
    lines = [line for table in said["tables"] for line in _table(table)]
    if said["tables_only_old"]:
        listed = ", ".join(said["tables_only_old"])
        lines += wrapped(f"only in {said['old_schema']}: {listed}", "", "  ")
    if said["tables_only_new"]:
        listed = ", ".join(said["tables_only_new"])
        lines += wrapped(f"only in {said['new_schema']} (no difference): {listed}", "", "  ")
    equal = sum(table["equal"] for table in said["tables"])
    verdict = "equal" if said["equal"] else "different"
    count = counted(len(said["tables"]), "table")
    return [*lines, "", f"{verdict}: {equal} of {count} are the same in {said['new_schema']} and {said['old_schema']}"]


def _table(table: dict[str, Any]) -> list[str]:
    rows = table["rows"]
    counts = f"{rows['new']:,} rows" if rows["new"] == rows["old"] else f"{rows['new']:,} rows, {rows['old']:,} there"
    by = f"by {', '.join(table['key'])}" if table["key"] else "as whole rows"
    lines = wrapped(f"{table['table']}: {'equal' if table['equal'] else 'DIFFERENT'} ({counts}; {by})", "", "  ")
    for name, what in (("columns_only_old", "lacks the columns"), ("columns_only_new", "has besides")):
        if table[name]:
            lines += wrapped(f"{what}: {', '.join(table[name])}", "  ", "    ")
    for each in table["totals"]:
        if not each["equal"]:
            lines += wrapped(f"total of {each['column']}: {each['new']} here, {each['old']} there", "  ", "    ")
    return lines + _rows(table)


def _rows(table: dict[str, Any]) -> list[str]:
    lines = []
    examples = table["examples"]
    for name, where in (("only_new", "only here"), ("only_old", "only there")):
        if count := table[f"rows_{name}"]:
            lines.append(f"  {where}: {counted(count, 'row')}")
            lines += [line for row in examples[name] for line in _row(row, table["key"])]
            lines += _and_more(count, examples[name])
    if count := table["rows_differing"]:
        columns = ", ".join(f"{name} {number:,}" for name, number in table["columns_differing"].items())
        lines += wrapped(f"differ: {counted(count, 'row')} ({columns})", "  ", "    ")
        lines += [line for row in examples["differing"] for line in _difference(row)]
        lines += _and_more(count, examples["differing"])
    return lines


def _row(row: dict[str, Any], key: list[str] | None) -> list[str]:
    """A row by its key and the first of its other values."""
    names = [*(key or ()), *(name for name in row if name not in (key or ()) and row[name] is not None)]
    told = ", ".join(f"{name} {_value(row[name])}" for name in names[:_FIRST])
    return wrapped(told + (", …" if len(names) > _FIRST else ""), "    ", "      ")


def _difference(row: dict[str, Any]) -> list[str]:
    key = ", ".join(f"{name} {_value(value)}" for name, value in row["key"].items())
    columns = "; ".join(
        f"{name} {_value(each['new'])} here, {_value(each['old'])} there" for name, each in row["columns"].items()
    )
    return wrapped(f"{key}: {columns}", "    ", "      ")


def _and_more(count: int, examples: list[Any]) -> list[str]:
    left = count - len(examples)
    return [f"    … and {left:,} more (--limit shows them)"] if left > 0 else []


def _value(value: str | None) -> str:
    """A value as it stands, with whatever would disturb a terminal escaped."""
    return "NULL" if value is None else repr(value)
