"""The checks of `qbwatch doctor`, each in a thread of its own with a time-out: whatever hangs, the answer comes.

Everything here only reads. What a check needs is imported when it runs, so that one broken part hides no other.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from qbwatch import __version__
from qbwatch.config import Config
from qbwatch.core import checkup_database, checkup_machine, checkup_places
from qbwatch.core.checkup import Finding, fail
from qbwatch.core.model import Failure
from qbwatch.edges import checkup_machine as machine
from qbwatch.edges.checkup_folders import folder_facts, state_facts, vault_facts, watch_limits
from qbwatch.edges.disk_room import size_text
from qbwatch.log import get_logger

log = get_logger(__name__)

_WITHIN, _WITHIN_QUICK = 12.0, 5.0  # seconds for all checks, which run at the same time
_ALERTS_WITHIN = 10.0

Check = Callable[[], list[Finding]]


@dataclass(frozen=True, slots=True)
class Doctor:
    """The checks for one configuration, made as ``account``; ``unit`` is the installed one."""

    config: Config
    account: str
    unit: Path | None

    def findings(self, *, is_quick: bool) -> list[Finding]:
        """All findings, in the order of the checks. Takes a few seconds at most."""
        checks = self._checks(is_quick=is_quick)
        return _all(checks, _WITHIN_QUICK if is_quick else _WITHIN)

    def _checks(self, *, is_quick: bool) -> dict[str, Check]:
        quick: dict[str, Check] = {
            "configuration": self._configuration,
            "account": lambda: checkup_machine.judge_account(self.account, machine.unit_account(self.unit)),
            "input": self._input,
            "state": self._state,
            "database": self._database,
            "dbt": self._dbt,
        }
        slow: dict[str, Check] = {
            "vault": lambda: checkup_places.judge_vault(vault_facts(self.config.state.directory, self.account)),
            "sync client": self._sync_client,
            "status page": self._page,
            "clock": self._clock,
            "alerts": self._alerts,
            "unit": self._unit,
            "daemon": self._daemon,
        }
        return quick if is_quick else quick | slow

    def _configuration(self) -> list[Finding]:
        file = self.config.file
        mode = file.stat().st_mode & 0o7777 if file else 0
        given = [self.config.origins.get(setting, "") for setting in self.config.settings_with_secrets()]
        has_secret = any(file and place.startswith(str(file)) for place in given)
        group = None if self._is_of_user else machine.unit_account(self.unit) or "qbwatch"
        return checkup_machine.judge_config_file(str(file) if file else None, mode, group, has_secret=has_secret)

    def _input(self) -> list[Finding]:
        found: list[Finding] = []
        folders = 0
        for check, directory in (("input", self.config.input.directory), ("seed", self.config.input.seed_directory)):
            if directory is not None:
                facts = folder_facts(directory, self.config.input.ignore, self.account)
                folders += facts.folders
                found += checkup_places.judge_folder(check, facts)
        if self.config.input.watcher != "polling":
            found += checkup_places.judge_watches(folders, *watch_limits())
        return found

    def _state(self) -> list[Finding]:
        state = self.config.state
        has_unit = self.unit is not None or machine.has_service_manager()
        made_by_unit = has_unit and Path("/var/lib") in state.directory.parents
        facts = state_facts(state.directory, self.account, state.reserve, made_by_unit=made_by_unit)
        return checkup_places.judge_state(facts, size_text(facts.free), size_text(facts.reserve))

    def _database(self) -> list[Finding]:
        from qbwatch.database import database_url
        from qbwatch.edges.checkup_database import Places, database_facts
        from qbwatch.edges.shipped import shipped

        url = database_url(self.config, start=False)
        if url is None:
            return checkup_database.judge_private_down()
        transform = self.config.transform
        places = Places(self.config.database.raw_schema, transform.target_schema, transform.project or shipped("dbt"))
        facts = database_facts(url, places)
        if isinstance(facts, Failure):
            return checkup_database.judge_unreachable(facts)
        return checkup_database.judge_database(facts)

    def _dbt(self) -> list[Finding]:
        from qbwatch.edges.shipped import shipped

        return checkup_machine.judge_dbt(machine.dbt_facts(self.config.transform.project or shipped("dbt")))

    def _sync_client(self) -> list[Finding]:
        from qbwatch.edges.sync_client import client_of

        return checkup_places.judge_sync_client(*client_of(self.config.input.directory))

    def _page(self) -> list[Finding]:
        if self.config.page.file is None:
            return []
        folder = self.config.page.file.parent
        is_writable = os.access(folder, os.W_OK | os.X_OK, effective_ids=True)
        return checkup_places.judge_page(str(folder), self.account, exists=folder.is_dir(), is_writable=is_writable)

    def _clock(self) -> list[Finding]:
        return checkup_machine.judge_clock(machine.clock_facts(self.config.quickbooks.timezone, datetime.now(UTC)))

    def _alerts(self) -> list[Finding]:
        from qbwatch.edges.notify import services_of
        from qbwatch.edges.notify_reach import reach

        alerts = self.config.alerts
        services = services_of([url.get_secret_value() for url in (*alerts.urls, *alerts.fallback)])
        return checkup_machine.judge_alerts(reach(services, _ALERTS_WITHIN) if services else [])

    def _unit(self) -> list[Finding]:
        from qbwatch.unit_facts import alert_unit_text, unit_text

        account = machine.unit_account(self.unit) or "qbwatch"
        unit = machine.user_unit(Path.home()) if self._is_of_user else self.unit
        wanted = unit_text(self.config, account=account, is_user=self._is_of_user)
        alert = alert_unit_text(self.config, account=account, is_user=self._is_of_user)
        return checkup_machine.judge_unit(machine.unit_state(unit, wanted, alert, is_user=self._is_of_user))

    @property
    def _is_of_user(self) -> bool:
        """Whether a user runs it for himself: his own configuration, and no unit of the system."""
        file = self.config.file
        return self.unit is None and file is not None and file.is_relative_to(Path.home()) and self.account != "root"

    def _daemon(self) -> list[Finding]:
        from qbwatch.core.model import QbwatchError
        from qbwatch.edges.control_client import call

        systemctl = "systemctl --user" if self._is_of_user else "systemctl"
        try:
            said = call(self.config.control.socket, "ping", timeout=2.0)
        except QbwatchError as error:
            return checkup_machine.judge_daemon(error.message, None, __version__, systemctl)
        return checkup_machine.judge_daemon(None, str(said.get("version")), __version__, systemctl)


def _all(checks: dict[str, Check], within: float) -> list[Finding]:
    """Run the checks side by side; one that doesn't come back in time is a finding of its own."""
    found: dict[str, list[Finding]] = {}

    def run(name: str, check: Check) -> None:
        try:
            found[name] = check()
        except Exception as error:  # noqa: BLE001 (the top of a thread: one check's fault must not hide the others)
            log.info("a check failed", check=name, error=repr(error))
            text = f"this check failed itself: {type(error).__name__}: {error}"
            found[name] = [fail(name, " ".join(text.split()), "qbwatch --debug doctor")]

    threads = [threading.Thread(target=run, args=item, name=f"check-{item[0]}", daemon=True) for item in checks.items()]
    for thread in threads:
        thread.start()
    ends_at = time.monotonic() + within
    for thread in threads:
        thread.join(max(ends_at - time.monotonic(), 0))
    return [finding for name in checks for finding in found.get(name, _late(name, within))]


def _late(name: str, within: float) -> Sequence[Finding]:
    text = f"no answer within {within:g} s: a disk, a network folder or a server hangs"
    return [fail(name, text, "dmesg | tail; mount; qbwatch doctor")]
