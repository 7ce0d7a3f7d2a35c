"""``qbwatch doctor``: is everything around the daemon as it should be?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from qbwatch.cli.options import config_option, counted, json_option, load_config, print_json, styled, wrapped

if TYPE_CHECKING:
    from qbwatch.core.checkup import Finding

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
_CREDENTIALS = "/etc/qbwatch/credentials"


@click.command(short_help="Check everything around the daemon; prints what mends it.")
@click.option("--quick", is_flag=True, help="Only what keeps it from starting; within seconds.")
@click.option("--roles", is_flag=True, help="Print the SQL for roles with no more rights than they need.")
@config_option
@json_option
def doctor(quick: bool, roles: bool, config: str | None, as_json: bool) -> int:
    """Check everything around the daemon: folders and their rights, inotify limits, Postgres, dbt, alert services,
    clock, disk, sync client and unit. For each fault the command that mends it. Writes nothing, sends nothing, and
    never waits for long.

    Run by root it looks with the rights of the user that the daemon runs as.

    Exit code 0: nothing is in the way (there may be warnings), 1: something is, 2: the configuration is wrong.

    \b
    Examples:
      qbwatch doctor
      qbwatch doctor --quick
      qbwatch doctor --json
      qbwatch doctor --roles
    """
    from qbwatch import log
    from qbwatch.core.checkup import Verdict, worst

    log.configure(level="error")
    _read_credentials_of_the_service()
    loaded = load_config(config)
    if roles:
        click.echo(_roles(loaded), nl=False)
        return 0
    findings = _look(loaded, quick)
    verdict = worst(findings)
    if as_json:
        print_json({"version": 1, "verdict": verdict.value, "checks": [each.to_json() for each in findings]})
    else:
        click.echo("\n".join(_told(findings, with_good=not quick)))
    return 1 if verdict is Verdict.FAIL else 0


def _roles(config: Any) -> str:
    """Three roles, for who logs in as the loader."""
    from psycopg import conninfo

    from qbwatch.core.database_roles import roles_sql
    from qbwatch.core.model import QbwatchError

    if config.database.is_embedded:
        raise QbwatchError("the private Postgres has one role alone, its own", "name a server in [database] url")
    given = conninfo.conninfo_to_dict(config.database.url.get_secret_value())
    loader = str(given.get("user") or "qbwatch")
    return roles_sql(str(given.get("dbname") or loader), loader, config.transform.target_schema)


def _look(config: Any, quick: bool) -> list[Finding]:
    from qbwatch.core.checkup import fail, warn
    from qbwatch.doctoring import Doctor
    from qbwatch.edges.account import become, own_account
    from qbwatch.edges.checkup_machine import installed_unit, unit_account

    unit = installed_unit()
    account = unit_account(unit) or "qbwatch"
    before: list[Finding] = []
    if os.geteuid() == 0 and account != "root" and (trouble := become(account)):
        text = f"the service runs as {account}, for whom the checks should be made: {trouble}"
        before = [(fail if unit else warn)("account", text, _how_to_mend(account, trouble))]
    return before + Doctor(config, own_account(), unit).findings(is_quick=quick)


def _how_to_mend(account: str, trouble: str) -> str:
    if trouble.startswith("there is no user"):
        return f"useradd --system --home-dir /var/lib/qbwatch --shell /usr/sbin/nologin {account}"
    return "install qbwatch where every user may read it, as in /opt/qbwatch"


def _read_credentials_of_the_service() -> None:
    """What systemd would hand to the daemon, root can read where it lies."""
    if not os.environ.get("CREDENTIALS_DIRECTORY") and os.geteuid() == 0 and os.path.isdir(_CREDENTIALS):
        os.environ["CREDENTIALS_DIRECTORY"] = _CREDENTIALS


def _told(findings: list[Finding], *, with_good: bool) -> list[str]:
    """The verdict first, then what is to be mended, then what is well."""
    bad = [each for each in findings if each.verdict != "ok"]
    fails = sum(each.verdict == "fail" for each in findings)
    warnings = len(bad) - fails
    if fails:
        head = f"{counted(fails, 'fault')}" + (f" and {counted(warnings, 'warning')}" if warnings else "")
    else:
        head = counted(warnings, "warning") if warnings else "All is well"
    lines = [styled(f"{head} ({counted(len(findings), 'check')})", bold=True)]
    good = [each for each in findings if with_good and each.verdict == "ok"]
    for each in [*sorted(bad, key=lambda each: each.verdict != "fail"), *good]:
        mark = styled(f"{each.verdict.value:<4}", fg=_COLOURS[each.verdict.value])
        first, *others = wrapped(f"{each.check}: {each.summary}", "      ", "      ")
        lines += [f"{mark}  {first[6:]}", *others]
        if each.fix and each.verdict != "ok":
            lines.append(f"      → {each.fix}")  # whole, so that it can be copied
    return lines
