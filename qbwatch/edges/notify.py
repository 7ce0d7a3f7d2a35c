"""Sending a message through one alert service, in a child process with a deadline that holds whatever it waits for."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from qbwatch.core.message import Message
from qbwatch.core.model import QbwatchError

DEADLINE = 20.0  # seconds that one service may take
_WHEN_STOPPING = 4.0  # seconds that a message under way gets when the daemon ends: cutting it off may send it twice
_TICK = 0.1
_FOR_GOOD = (301, 308, 400, 401, 403, 404, 410)
_PASSED_ON = (
    "PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "REQUESTS_CA_BUNDLE",
)  # fmt: skip


class UnknownService(QbwatchError):
    """An alert address that no service knows: a fault of the configuration."""

    is_configuration = True


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its address, which is a secret, and the name under which it is shown and remembered."""

    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Sent:
    """How sending went; ``error`` is None when the service took it, ``for_good`` when trying again can't help,
    ``unsure`` when it may have taken it all the same."""

    error: str | None = None
    for_good: bool = False
    unsure: bool = False


def services_of(urls: Sequence[str]) -> list[Service]:
    """The configured services, each once. The name is the scheme and a fingerprint, which gives nothing away."""
    found = {}
    for url in urls:
        fingerprint = hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:6]
        name = f"{url.partition('://')[0]}-{fingerprint}"
        found[name] = Service(url, name)
    return list(found.values())


def check_services(urls: Sequence[str], fallback: Sequence[str] = ()) -> None:
    """Raise `UnknownService` for addresses that can't be used; they are named by their place, never shown.

    A check that takes too long keeps nothing from starting: `send` finds out.
    """
    places = [("alerts.urls", place, url) for place, url in enumerate(urls)]
    places += [("alerts.fallback", place, url) for place, url in enumerate(fallback)]
    if not places:
        return
    answer = ask_child({"task": "check", "urls": [url for _, _, url in places]}, DEADLINE, lambda: False)
    if answer is not None and (wrong := answer["unknown"]):
        named = ", ".join(
            f"{key}, entry {place + 1} ({url.partition('://')[0]}://***)"
            for key, place, url in map(places.__getitem__, wrong)
        )
        hint = "see https://github.com/caronc/apprise/wiki for each service's form; then: qbwatch alerts test"
        raise UnknownService(f"no service understands {named}", hint)


def send(
    service: Service,
    message: Message,
    deadline: float = DEADLINE,
    should_stop: Callable[[], bool] = lambda: False,
    key: str = "",
) -> Sent:
    """Send one message. Takes at most ``deadline`` seconds, and a few when asked to stop.

    ``key``: the same for the same message sent again; a mail's Message-ID is made of it, a web hook is told it as
    ``Idempotency-Key``.
    """
    task = {"task": "send", "url": service.url, "subject": message.subject, "body": message.body, "key": key}
    answer = ask_child(task, deadline, should_stop)
    if answer is None:
        return Sent(f"no answer within {deadline:g} s", unsure=True)
    if answer["sent"]:
        return Sent()
    code = answer["code"]
    if answer["unknown"] or code in _FOR_GOOD:
        return Sent(f"refused for good: HTTP {code}" if code else "no service understands the address", for_good=True)
    if code:
        return Sent(f"not taken: HTTP {code}")
    if answer["unreached"]:
        return Sent("the service can't be reached")
    return Sent("the service can't be reached, or did not take it", unsure=True)


def ask_child(task: object, deadline: float, should_stop: Callable[[], bool]) -> dict[str, Any] | None:
    """Have `notify_child` do something; None when it has no answer in time."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    program = [sys.executable, "-P", "-m", "qbwatch.edges.notify_child"]
    child = subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    )
    ends_at = time.monotonic() + deadline
    threading.Thread(target=_tell, args=(child.stdin, json.dumps(task)), daemon=True).start()
    child.stdin = None  # else `communicate` would close it under the thread
    try:
        while True:
            if should_stop():
                ends_at = min(ends_at, time.monotonic() + _WHEN_STOPPING)
                should_stop = bool
            try:
                answer: dict[str, Any] = json.loads(child.communicate(timeout=_TICK)[0])
                return answer
            except subprocess.TimeoutExpired:
                if time.monotonic() >= ends_at:
                    return None
            except ValueError:
                return None
    finally:
        child.kill()
        child.wait()


def _tell(pipe: IO[str], task: str) -> None:
    """A task may be longer than the pipe takes at once, and the child may end before it has read it."""
    with suppress(OSError), pipe:
        pipe.write(task)
