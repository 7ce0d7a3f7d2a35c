"""Asking an address that only wants to hear that we live. The address is a secret, and is in no answer and no error."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from qbwatch.edges.notify import ask_child

_TIMEOUT = 5.0  # seconds for each step of the connection
_DEADLINE = 10.0  # seconds for all of it


def ping(url: str, suffix: str, body: str, should_stop: Callable[[], bool] = lambda: False) -> str | None:
    """Post ``body`` to the address with ``suffix`` at the end of its path; None when it was heard, else why not."""
    parts = urlsplit(url)
    address = urlunsplit(parts._replace(path=parts.path.rstrip("/") + suffix))
    task = {"task": "ping", "url": address, "body": body, "timeout": _TIMEOUT}
    answer = ask_child(task, _DEADLINE, should_stop)
    if answer is None:
        return f"no answer within {_DEADLINE:g} s"
    if answer["code"] is None:
        return "it can't be reached"
    return None if 200 <= answer["code"] < 300 else f"HTTP {answer['code']}"
