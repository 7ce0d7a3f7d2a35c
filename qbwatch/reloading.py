"""Taking over a changed configuration while running: on request at the socket, and on SIGHUP.

The new one is read and tried out as a whole first. When it is wrong the former one goes on counting, and the status
says so until a right one is read, because the next start would fail.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from qbwatch import assembly
from qbwatch.announcing import Announcer, Announcing
from qbwatch.config import ConfigError, load
from qbwatch.config_changes import Changes, changes
from qbwatch.core.facts import Json, Problem, Severity
from qbwatch.core.model import FailureClass, QbwatchError
from qbwatch.datasets import datasets
from qbwatch.edges.control import Method, Peer
from qbwatch.edges.disk_room import Reserve
from qbwatch.edges.holidays_aside import closed_days_aside
from qbwatch.heartbeat import Heart
from qbwatch.log import get_logger, register_secret
from qbwatch.publishing import Publisher
from qbwatch.requests import name_of
from qbwatch.running import Running

log = get_logger(__name__)

_HEARTBEAT = ("alerts.heartbeat", "alerts.heartbeat_every")
_HINT = "correct it, then: qbwatch reload. The former configuration counts until then; a restart would fail"


@dataclass(frozen=True, slots=True)
class Reloading:
    """Reads the configuration anew, for a running qbwatch and those of its parts that it doesn't know itself."""

    running: Running
    announcer: Announcer
    heart: Heart
    _hang_ups: queue.SimpleQueue[None] = field(default_factory=queue.SimpleQueue)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def methods(self) -> Mapping[str, Method]:
        """By the names of the commands."""
        return {"reload": self.reload}

    def hang_up(self, _number: int, _frame: object) -> None:
        """For a signal's handler, which must not wait for anything: `listen` does the work."""
        self._hang_ups.put(None)

    def listen(self) -> None:
        """The thread ``reload``: read the configuration anew at every SIGHUP."""
        while True:
            self._hang_ups.get()
            self._reload("SIGHUP", {})

    def reload(self, _params: Json, peer: Peer) -> Json:
        """Read the configuration anew; the answer tells what has changed, or what is wrong with it."""
        return self._reload(name_of(peer), {"uid": peer.uid, "pid": peer.pid})

    def _reload(self, by: str, who: Mapping[str, int]) -> Json:
        with self._turn:
            try:
                found, announcing = self._read()
            except QbwatchError as error:
                return self._keep_the_former(error, by, who)
            self._take_over(found, announcing)
        self.running.misconfigured = None
        log.info("the configuration was read anew", by=by, **who, changed=list(found.live),
                 needs_restart=list(found.needs_restart))  # fmt: skip
        self.running.changed()
        return _told(found.live, found.needs_restart)

    def _read(self) -> tuple[Changes, Announcing | None]:
        """The changes, and how people are told from now on if that is among them. Raises `QbwatchError`."""
        now = self.running.config
        found = changes(now, load(now.file, datasets=datasets().keys()))
        for secret in found.config.secrets():
            register_secret(secret)
        closed_days_aside(found.config.freshness.country, ())(datetime.now(UTC).date())
        return found, assembly.announcing_of(found.config) if found.touches("alerts") else None

    def _keep_the_former(self, error: QbwatchError, by: str, who: Mapping[str, int]) -> Json:
        mistakes = [str(each) for each in error.mistakes] if isinstance(error, ConfigError) else [error.message]
        more = f" (and {len(mistakes) - 1} more)" if mistakes[1:] else ""
        summary = f"the changed configuration is wrong: {mistakes[0]}{more}"
        before = self.running.misconfigured
        since = before.since if before else datetime.now(UTC)
        self.running.misconfigured = Problem(
            "configuration_wrong", FailureClass.CONFIGURATION, Severity.WARNING, summary, _HINT, since
        )
        log.warning("the changed configuration is wrong; the former one goes on counting", by=by, **who,
                    mistake=f"{mistakes[0]}{more}")  # fmt: skip
        self.running.changed()
        return _told((), (), mistakes)

    def _take_over(self, found: Changes, announcing: Announcing | None) -> None:
        self.running.config = found.config
        if announcing is not None:
            self.announcer.renew(announcing)
        if set(_HEARTBEAT) & set(found.live):
            self.heart.begin(found.config)
        if found.touches("page"):
            keep_page(self.running)
        fit_parts(self.running)


def fit_parts(running: Running) -> None:
    """Have the parts that work by the present configuration; before they are there they will be made by it."""
    config = running.config
    if running.parts is None or running.intake is None:
        return
    running.parts.dbt.allow(config.transform.timeout)
    running.parts.vault.reserve = Reserve(config.state.reserve)
    if running.retention is not None:
        running.retention.keep_for = config.state.retention
    running.intake.adjust(assembly.intake_settings(config), config.input.ignore)


def keep_page(running: Running) -> None:
    """Have the status page kept where the present configuration wants it, by a thread of its own, if anywhere.

    It needs no database: that one is out of reach stands there too.
    """
    wanted, kept = assembly.publishing_of(running.config), running.publisher
    if kept is not None and wanted is not None and kept.settings.file == wanted.file:
        kept.renew(wanted)
        return
    if kept is not None:
        kept.end()
        running.publisher = None
    if wanted is not None:
        running.publisher = Publisher(wanted, running.said, lambda: running.engine, threading.Event())
        running.publisher.start()


def _told(live: tuple[str, ...], needs_restart: tuple[str, ...], mistakes: list[str] | None = None) -> Json:
    return {
        "loaded": not mistakes,
        "changed": list(live),
        "needs_restart": list(needs_restart),
        "mistakes": mistakes or [],
    }
