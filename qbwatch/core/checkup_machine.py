"""Checks of what else the daemon stands on: account, configuration file, dbt, clock, alert services, unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote

from qbwatch.core.checkup import Finding, fail, ok, warn


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """``is_synced`` None: nobody could be asked. ``office_time`` is what the office's clock shows by our own."""

    is_synced: bool | None
    office_time: str
    zone: str


@dataclass(frozen=True, slots=True)
class DbtFacts:
    """``versions`` of the packages, None for one that isn't installed; ``models`` in the project at ``project``."""

    project: str
    versions: Mapping[str, str | None]
    fits: bool
    models: int | None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """An alert service by its masked name; ``trouble`` says why it can't be reached, ``place`` where it was tried."""

    name: str
    place: str | None = None
    trouble: str | None = None
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class UnitState:
    """The unit as it is installed: ``path`` None when it isn't, ``enabled`` as systemctl says it. ``is_user``: it is,
    or would be, one of the user's own systemd. ``alert_path``: where the unit lies that tells when it stays down."""

    has_systemd: bool
    path: str | None = None
    enabled: str | None = None
    differences: Sequence[str] = ()
    is_user: bool = False
    alert_path: str | None = None
    alert_differences: Sequence[str] = ()

    @property
    def systemctl(self) -> str:
        """How its manager is spoken to."""
        return "systemctl --user" if self.is_user else "systemctl"


def judge_account(account: str, service_account: str | None) -> list[Finding]:
    """Who looked, and whether that is who the daemon runs as."""
    if service_account is None or account == service_account:
        return [ok("account", f"checked as user {account}")]
    text = f"checked as user {account}; the daemon runs as {service_account}, who may meet other rights"
    return [warn("account", text, "sudo qbwatch doctor")]


def judge_config_file(path: str | None, mode: int, group: str | None, *, has_secret: bool) -> list[Finding]:
    """The configuration, which could be read and is right, or we wouldn't be here. ``group`` is the service's; None
    where a user runs it for himself."""
    if path is None:
        return [ok("configuration", "from the environment alone")]
    if has_secret and mode & 0o007:
        text = f"{path} holds a password or an alert address, and everybody may read it (mode {mode:04o})"
        mend = f"chgrp {group} {quote(path)} && chmod 0640" if group else "chmod 0600"
        return [warn("configuration", text, f"{mend} {quote(path)}")]
    return [ok("configuration", path)]


def judge_dbt(facts: DbtFacts) -> list[Finding]:
    """dbt and its project."""
    missing = [name for name, version in facts.versions.items() if version is None]
    if missing or not facts.fits:
        have = ", ".join(f"{name} {version or 'missing'}" for name, version in facts.versions.items())
        fix = 'pip install "dbt-core>=1.11,<1.12" "dbt-postgres>=1.9,<1.11"  # in the environment of qbwatch'
        return [fail("dbt", f"these versions don't fit: {have}", fix)]
    if facts.trouble or not facts.models:
        text = f"the project {facts.project}: {facts.trouble or 'it has no models'}"
        return [fail("dbt", text, "correct project in [transform], or leave it out for the shipped one")]
    return [ok("dbt", f"dbt {facts.versions['dbt-core']}, {facts.models} models in {facts.project}")]


def judge_clock(facts: ClockFacts) -> list[Finding]:
    """This machine's clock, by which files settle and freshness is counted."""
    office = ok("time zone", f"the office's clock shows {facts.office_time} ({facts.zone})")
    if facts.is_synced is False:
        return [office, warn("clock", "this machine's clock is not kept in step by NTP", "timedatectl set-ntp true")]
    text = "kept in step by NTP" if facts.is_synced else "nobody here tells whether NTP keeps it in step"
    return [office, ok("clock", text)]


def judge_alerts(services: Sequence[ServiceFacts]) -> list[Finding]:
    """Nothing is sent here; whether a message arrives, only a message can show."""
    if not services:
        fix = "set urls in [alerts], or the credential alert_urls; then: qbwatch alerts test"
        return [warn("alerts", "nobody is told of trouble: no alert service is configured", fix)]
    return [_service(service) for service in services]


def _service(service: ServiceFacts) -> Finding:
    if service.is_unknown:
        fix = "see https://github.com/caronc/apprise/wiki for its form; then: qbwatch alerts test"
        return fail("alerts", f"{service.name}: no service understands this address", fix)
    if service.trouble:
        fix = "correct it in [alerts] urls, or let it through the firewall; then: qbwatch alerts test"
        return fail("alerts", f"{service.name}: {service.place} {service.trouble}", fix)
    if service.place is None:
        return ok("alerts", f"{service.name} is understood; send a test: qbwatch alerts test")
    return ok("alerts", f"{service.name}: {service.place} answers; send a test: qbwatch alerts test")


def judge_unit(facts: UnitState) -> list[Finding]:
    """The service's unit, compared with the one that `qbwatch systemd-unit` prints."""
    print_it = f"qbwatch systemd-unit{' --user' if facts.is_user else ''}"
    if not facts.has_systemd:
        return [warn("unit", "no systemd runs here: nothing starts qbwatch again after a restart", "qbwatch run")]
    if facts.path is None:
        path = "~/.config/systemd/user/qbwatch.service" if facts.is_user else "/etc/systemd/system/qbwatch.service"
        fix = f"{print_it} > {path} && {facts.systemctl} daemon-reload && {facts.systemctl} enable --now qbwatch"
        return [warn("unit", f"no unit is installed at {path}", fix)]
    if facts.differences:
        more = f" (and {len(facts.differences) - 1} more)" if len(facts.differences) > 1 else ""
        text = f"{facts.path} is not the one for this configuration: {facts.differences[0]}{more}"
        path = quote(facts.path)
        fix = f"{print_it} | diff {path} -  # then: {print_it} > {path} && {facts.systemctl} daemon-reload"
        return [warn("unit", text, fix)]
    if facts.enabled not in (None, "enabled"):
        text = f"the unit is {facts.enabled}: it isn't started with the machine"
        return [warn("unit", text, f"{facts.systemctl} enable --now qbwatch")]
    return [ok("unit", f"{facts.path} is the one for this configuration"), _alert_unit(facts, print_it)]


def _alert_unit(facts: UnitState, print_it: str) -> Finding:
    """The unit that the service's ``OnFailure=`` names."""
    folder = "~/.config/systemd/user" if facts.is_user else "/etc/systemd/system"
    fix = f"{print_it} --alert > {folder}/qbwatch-alert@.service && {facts.systemctl} daemon-reload"
    if facts.alert_path is None:
        return warn("alert unit", "nobody is told when the service stays down: its alert unit isn't installed", fix)
    if facts.alert_differences:
        text = f"{facts.alert_path} is not the one for this configuration: {facts.alert_differences[0]}"
        return warn("alert unit", text, fix)
    return ok("alert unit", f"{facts.alert_path} is the one for this configuration")


def judge_daemon(said: str | None, version: str | None, own_version: str, systemctl: str) -> list[Finding]:
    """Whether a daemon answers; ``said`` is why not, ``version`` which one it is."""
    if said is not None:
        return [warn("daemon", said, f"{systemctl} start qbwatch")]
    if version != own_version:
        text = f"the daemon is version {version}, this command {own_version}"
        return [warn("daemon", text, f"{systemctl} restart qbwatch")]
    return [ok("daemon", f"answers, version {version}")]
