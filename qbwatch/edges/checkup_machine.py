"""Facts about the machine around the daemon, for `qbwatch doctor`: account, clock, dbt, unit. Only ever reads."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from qbwatch.core.checkup_machine import ClockFacts, DbtFacts, UnitState
from qbwatch.core.unit import differences, settings_of

UNIT_PLACES = (
    Path("/etc/systemd/system/qbwatch.service"),
    Path("/run/systemd/system/qbwatch.service"),
    Path("/usr/local/lib/systemd/system/qbwatch.service"),
    Path("/usr/lib/systemd/system/qbwatch.service"),
    Path("/lib/systemd/system/qbwatch.service"),
)
ALERT_UNIT = "qbwatch-alert@.service"
_FITTING = {"dbt-core": ((1, 11), (1, 11)), "dbt-postgres": ((1, 9), (1, 10))}  # the first and the last that do
_ASK_WITHIN = 3.0  # seconds that systemd's tools get


def installed_unit(places: tuple[Path, ...] = UNIT_PLACES) -> Path | None:
    """The unit file that counts: the first of the places that systemd looks in."""
    return next((path for path in places if path.is_file()), None)


def user_unit(home: Path) -> Path | None:
    """The unit of a user's own systemd, when it is installed."""
    path = home / ".config/systemd/user/qbwatch.service"
    return path if path.is_file() else None


def unit_account(unit: Path | None) -> str | None:
    """Who the unit runs the daemon as; None without a unit."""
    if unit is None:
        return None
    named = settings_of(unit.read_text("utf-8", "replace")).get(("Service", "User"), ())
    return named[-1] if named else "root"


def clock_facts(zone: ZoneInfo, now: datetime) -> ClockFacts:
    """Whether NTP keeps the clock, and what the office's clock shows."""
    said = _ask("timedatectl", "show", "--property=NTPSynchronized", "--value")
    is_synced = {"yes": True, "no": False}.get(said or "")
    return ClockFacts(is_synced, f"{now.astimezone(zone):%Y-%m-%d %H:%M}", zone.key)


def dbt_facts(project: Path) -> DbtFacts:
    """Versions, without importing dbt, and what lies in the project."""
    versions = {name: _version(name) for name in _FITTING}
    fits = all(_fits(version, *_FITTING[name]) for name, version in versions.items())
    try:
        (project / "dbt_project.yml").read_bytes()
        models = sum(1 for _ in (project / "models").rglob("*.sql"))
    except OSError as error:
        reason = f"{error.filename} can't be read: {(error.strerror or str(error)).lower()}"
        return DbtFacts(str(project), versions, fits, None, reason)
    return DbtFacts(str(project), versions, fits, models)


def unit_state(unit: Path | None, wanted: str, wanted_alert: str, *, is_user: bool) -> UnitState:
    """The installed unit against the wanted one, and the alert unit beside it."""
    has_systemd = has_service_manager()
    if unit is None:
        return UnitState(has_systemd, is_user=is_user)
    enabled = _ask("systemctl", *(["--user"] if is_user else []), "is-enabled", "qbwatch.service")
    found = differences(wanted, unit.read_text("utf-8", "replace"))
    beside = [folder / ALERT_UNIT for folder in dict.fromkeys([unit.parent, *(place.parent for place in UNIT_PLACES)])]
    alert = next((path for path in beside if path.is_file()), None)
    other = differences(wanted_alert, alert.read_text("utf-8", "replace")) if alert else []
    return UnitState(has_systemd, str(unit), enabled or None, found, is_user, str(alert) if alert else None, other)


def has_service_manager() -> bool:
    """Whether systemd runs this machine."""
    return Path("/run/systemd/system").is_dir()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _fits(version: str | None, first: tuple[int, int], last: tuple[int, int]) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)", version or "")
    return numbers is not None and first <= (int(numbers[1]), int(numbers[2])) <= last


def _ask(*command: str) -> str | None:
    """What a tool prints; None when it isn't there, doesn't answer in time or fails without a word."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_ASK_WITHIN, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip()
