"""Telling that the daemon is down and stays down: from the configuration and the state folder alone."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from qbwatch.config import Config, ConfigError, load
from qbwatch.config_alerts import alert_addresses
from qbwatch.core.crash import about_crash, crash_of
from qbwatch.core.model import QbwatchError
from qbwatch.edges.notify import send, services_of
from qbwatch.edges.status_cache import read_cache

_UNIT = "qbwatch.service"


class NobodyToTell(QbwatchError):
    """No alert service is known; trying again can't help."""

    is_configuration = True


def tell_of_crash(path: str | None) -> dict[str, str | None]:
    """Send the message to all services, and where none of them takes it to the fallbacks; what each said by its name,
    None when it took it. Raises `NobodyToTell`.
    """
    file = Path(path) if path else None
    config, mistakes = _configuration(file)
    urls, fallback, unreadable = alert_addresses(file)
    if not urls and not fallback:
        why = f" ({'; '.join(unreadable)})" if unreadable else ""
        raise NobodyToTell(f"no alert service is known{why}", "put the addresses into the credential alert_urls")
    crash = crash_of(os.environ, _UNIT, socket.gethostname(), mistakes)
    message = about_crash(crash, datetime.now(UTC), _last_known(config))
    told: dict[str, str | None] = {}
    for some in (urls, fallback):
        told |= {service.name: send(service, message).error for service in services_of(some)}
        if None in told.values():
            break
    return told


def _configuration(file: Path | None) -> tuple[Config | None, list[str]]:
    try:
        return load(file), []
    except ConfigError as error:
        return None, [str(mistake) for mistake in error.mistakes]


def _last_known(config: Config | None) -> tuple[datetime, str | None] | None:
    cached = read_cache(config.state.directory) if config else None
    return (cached[1], cached[0].get("last_success_at")) if cached else None
