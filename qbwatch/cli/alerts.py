"""``qbwatch alerts``: what people were told, what waits, and a proof that each service works."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from qbwatch.cli.ledger import ledger
from qbwatch.cli.options import config_option, counted, json_option, load_config, local_time, print_json, shown


@click.group(invoke_without_command=True, short_help="What people were told; test the services; acknowledge.")
@config_option
@json_option
@click.pass_context
def alerts(ctx: click.Context, config: str | None, as_json: bool) -> int | None:
    """Incidents and the messages about them. Without a word: the list.

    \b
    Examples:
      qbwatch alerts
      qbwatch alerts test
      qbwatch alerts ack 3f2a91bc
    """
    ctx.obj = {**(ctx.obj or {}), "config": config or (ctx.obj or {}).get("config")}
    return _list(config, as_json) if ctx.invoked_subcommand is None else None


@alerts.command(name="list", short_help="Open and recent incidents, and messages that wait.")
@config_option
@json_option
def list_command(config: str | None, as_json: bool) -> int:
    """Open incidents, the recent ones, and what waits to be delivered.

    \b
    Examples:
      qbwatch alerts list
      qbwatch alerts list --json
    """
    return _list(config, as_json)


@alerts.command(short_help="Send a test message through every service.")
@config_option
@json_option
def test(config: str | None, as_json: bool) -> int:
    """Send a test message through every service, one by one. Exit 0 when each took it, 1 when one did not.

    \b
    Examples:
      qbwatch alerts test
      qbwatch alerts test --json
    """
    from qbwatch.alert_test import test_services

    def tell(name: str, error: str | None) -> None:
        if not as_json:
            click.echo(f"{name}: {error or 'delivered'}")

    errors = test_services(load_config(config).alerts, tell)
    if as_json:
        services = [{"service": name, "delivered": error is None, "error": error} for name, error in errors.items()]
        print_json({"version": 1, "services": services})
    return 1 if any(errors.values()) else 0


@alerts.command(short_help="Say that you know of an incident: no more reminders.")
@click.argument("incident", metavar="ID")
@config_option
@json_option
def ack(incident: str, config: str | None, as_json: bool) -> int:
    """Say that you know of an incident: it is reminded no more. Its recovery is still told.

    \b
    Examples:
      qbwatch alerts ack 3f2a91bc
    """
    from qbwatch.core.model import QbwatchError
    from qbwatch.edges.incidents import acknowledge

    with ledger(load_config(config)) as connection:
        found = acknowledge(connection, incident, datetime.now(UTC))
    if not found:
        raise QbwatchError(f"no open incident {incident!a}", "`qbwatch alerts list` shows their ids")
    if as_json:
        print_json({"version": 1, "acknowledged": incident})
    else:
        click.echo(f"Incident {incident} is acknowledged; it is reminded no more.")
    return 0


@alerts.command(short_help="Tell that the daemon stays down: what its unit's OnFailure= runs.")
@config_option
def crashed(config: str | None) -> int:
    """Tell that the daemon is down and stays down, without it and without Postgres. The unit qbwatch-alert@ runs this
    when qbwatch.service has failed for good. Exit 0 when a service took the message, 1 when none did.

    \b
    Examples:
      qbwatch alerts crashed
      systemctl start qbwatch-alert@qbwatch
    """
    from qbwatch.crash_alert import tell_of_crash

    told = tell_of_crash(config)
    for name, error in told.items():
        click.echo(f"{name}: {error or 'delivered'}")
    return 0 if None in told.values() else 1


def _list(config: str | None, as_json: bool) -> int:
    from qbwatch.edges.incidents import listed

    loaded = load_config(config)
    with ledger(loaded) as connection:
        incidents, waiting = listed(connection)
    if as_json:
        print_json({"version": 1, "incidents": incidents, "undelivered": waiting})
        return 0
    if not incidents:
        click.echo("No incident so far.")
    for each in incidents:
        click.echo(f"{each['id']}  {_standing(each):13} {local_time(each['opened_at'], loaded.quickbooks.timezone)}")
        click.echo(f"    {shown(ascii(each['summary'])[1:-1], 74)}")
    if waiting:
        click.echo(f"{counted(len(waiting), 'message')} not delivered yet:")
    for each in waiting:
        click.echo(
            f"    {each['service']}: {each['kind']}, {counted(each['attempts'], 'attempt')}, {each['error'] or '-'}"
        )
    return 0


def _standing(incident: dict[str, Any]) -> str:
    if incident["recovered_at"]:
        return "recovered"
    return "acknowledged" if incident["acknowledged_at"] else "open"
