"""``qbwatch test``: is the data right? dbt's tests of it, now."""

from __future__ import annotations

from typing import Any

import click

from qbwatch.cli.options import config_option, counted, json_option, load_config, log_to_stderr, print_json, wrapped

_EXIT = {"passed": 0, "warnings": 0, "configuration": 2}
_MARKS = {"warn": "warns", "fail": "FAILS", "error": "ERROR", "runtime error": "ERROR", "skipped": "skipped"}


@click.command(short_help="Test the data now, and keep the rows that break a rule.")
@click.option(
    "--select", multiple=True, metavar="S", help="Only these, as dbt selects them: fct_orders, tag:on_demand."
)
@config_option
@json_option
def test(select: tuple[str, ...], config: str | None, as_json: bool) -> int:
    """Run dbt's tests of the data and of the models' logic: with every build run those that new data can break, here
    all of them. The rows that break a rule are kept in a table of their own, which is named.

    Through the daemon when one is up, between its runs. Exit code 0: none failed (some may have warned), 1: some
    failed, or could not be run, 2: a fault of the selection, the project or the configuration.

    \b
    Examples:
      qbwatch test
      qbwatch test --select fct_orders --json
    """
    from qbwatch.one_test import test_now

    log_to_stderr()
    said = test_now(load_config(config), select)
    if as_json:
        print_json({"version": 1, **said})
    else:
        click.echo("\n".join(_told(said)))
    return _EXIT.get(said["outcome"], 1)


def _told(said: dict[str, Any]) -> list[str]:
    tests = said["tests"]
    if not tests:
        return [*wrapped(said["message"], "", "  "), *(wrapped(said["hint"], "  hint: ", "        "))]
    passed = sum(each["status"] in ("pass", "success") for each in tests)
    lines = [f"{counted(len(tests), 'test')}: {passed:,} passed, {len(tests) - passed:,} did not ({said['seconds']} s)"]
    for each in tests:
        if mark := _MARKS.get(each["status"]):
            rows = "" if each["rows"] is None else f": {counted(each['rows'], 'row')}"
            lines += wrapped(f"{mark:<8}{each['name']}{rows}", "  ", "    ")
            where = f"select * from {each['found_in']}" if each["found_in"] else each["message"]
            lines += wrapped(where or "", " " * 10, " " * 12)
    if said["owed"]:
        lines += wrapped("dbt is owed for " + ", ".join(said["owed"]) + ": the marts are behind the loaded data. First:"
                         " qbwatch once", "  ", "    ")  # fmt: skip
    return lines
