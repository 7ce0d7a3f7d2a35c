"""``qbwatch systemd-unit``: the unit for this configuration."""

from __future__ import annotations

import click

from qbwatch.cli.options import config_option, load_config


@click.command(name="systemd-unit", short_help="Print the systemd unit for this configuration.")
@click.option("--user", "is_user", is_flag=True, help="For a user's own systemd (systemctl --user).")
@click.option("--alert", "is_alert", is_flag=True, help="The unit that tells when that one stays down.")
@click.option("--account", default="qbwatch", show_default=True, metavar="NAME", help="The user that it runs as.")
@config_option
def systemd_unit(is_user: bool, is_alert: bool, account: str, config: str | None) -> int:
    """Print the systemd unit for this configuration: the one that comes with qbwatch, with the command, the folders,
    the user and the credentials filled in. Writes nothing; its first lines say how to install it.

    \b
    Examples:
      qbwatch systemd-unit > /etc/systemd/system/qbwatch.service
      qbwatch systemd-unit --alert > /etc/systemd/system/qbwatch-alert@.service
      qbwatch systemd-unit --user > ~/.config/systemd/user/qbwatch.service
    """
    from qbwatch.unit_facts import alert_unit_text, unit_text

    text_of = alert_unit_text if is_alert else unit_text
    click.echo(text_of(load_config(config), account=account, is_user=is_user), nl=False)
    return 0
