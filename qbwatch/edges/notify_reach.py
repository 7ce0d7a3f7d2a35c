"""Can an alert service be reached? Looks its address up and opens a connection; nothing is sent.

Apprise knows at which address a service is; like all that is done with it, that happens in a child process (this very
module), which gets the addresses by standard input and never repeats them.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from qbwatch.core.checkup_machine import ServiceFacts
from qbwatch.edges.notify import Service

_CONNECT_WITHIN = 3.0  # seconds
_PORTS = {"https": 443, "http": 80}


def reach(services: Sequence[Service], within: float) -> list[ServiceFacts]:
    """Each service: unknown, out of reach, or there. One whose address Apprise keeps to itself is only known."""
    command = [sys.executable, "-P", "-m", "qbwatch.edges.notify_reach"]
    try:
        done = subprocess.run(
            command, input=json.dumps([each.url for each in services]), capture_output=True, text=True, timeout=within,
            check=False,
        )  # fmt: skip
        answers: list[dict[str, Any]] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return [ServiceFacts(each.name, "it", f"could not be tried within {within:g} s") for each in services]
    return [ServiceFacts(each.name, **answer) for each, answer in zip(services, answers, strict=True)]


def _try_out(url: str) -> dict[str, Any]:
    """In the child: what is to be told about one address."""
    import apprise

    service = apprise.Apprise.instantiate(url)
    if service is None:
        return {"is_unknown": True}
    where = _address_of(service)
    if where is None:
        return {}
    host, port = where
    place = f"{host}:{port}"
    try:
        with socket.create_connection((host, port), _CONNECT_WITHIN):
            return {"place": place}
    except socket.gaierror:
        return {"place": place, "trouble": "has a name that can't be looked up"}
    except TimeoutError:
        return {"place": place, "trouble": "doesn't answer"}
    except OSError as error:
        return {"place": place, "trouble": (error.strerror or "can't be reached").lower()}


def _address_of(service: Any) -> tuple[str, int] | None:
    """Where it sends to: the mail server, the URL of its interface, or the host of its own address."""
    if host := getattr(service, "smtp_host", None):
        return str(host), int(service.port or 25)
    parts = urlsplit(str(getattr(service, "notify_url", "") or ""))
    if parts.hostname and "{" not in parts.hostname:
        return parts.hostname, parts.port or _PORTS.get(parts.scheme, 443)
    if host := getattr(service, "host", None):
        return str(host), int(service.port or (443 if service.secure else 80))
    return None


def _main() -> int:
    urls: list[str] = json.load(sys.stdin)
    with ThreadPoolExecutor(8) as pool:
        json.dump(list(pool.map(_try_out, urls)), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
