"""The child process that speaks to an alert service: started by `notify`, it reads its task from standard input.

Apprise weighs as much as the daemon and can block for long, so that it is loaded here alone, and ended with the
process. The address comes by standard input, because arguments and environments are seen by others; the answer never
holds a word of the service or of Apprise, which could repeat it.
"""

from __future__ import annotations

import http.client
import json
import logging
import re
import sys
from itertools import count
from typing import Any

from qbwatch.core.message import Message, cut, one_line

_REFUSED = re.compile(r"error[=:]\s*([1-5]\d\d)")
_UNREACHED = re.compile(
    "Connection refused|Name or service not known|No route to host|Network is unreachable|Temporary failure in name"
)
_MARKUP = 2  # HTML takes more room than its text; a service that takes HTML and has a limit is given half


class _Codes(logging.Handler):
    """The HTTP status of the last answer, and whether there was a connection: Apprise tells its log alone."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.code: int | None = None
        self.unreached = False

    def emit(self, record: logging.LogRecord) -> None:
        """Look for a status code, or for what keeps a connection from being made."""
        if found := _REFUSED.search(record.getMessage()):
            self.code = int(found[1])
        self.unreached |= _UNREACHED.search(record.getMessage()) is not None


def main() -> int:
    """Answer the task: ``check`` which addresses no service knows, ``send`` one message, or ``ping`` an address."""
    task = json.load(sys.stdin)
    match task["task"]:
        case "check":
            answer = _check(task["urls"])
        case "ping":
            answer = _ping(task)
        case _:
            answer = _send(task)
    json.dump(answer, sys.stdout)
    return 0


def _ping(task: dict[str, Any]) -> dict[str, Any]:
    """Post a few words to an address; the answer is its HTTP status, or None."""
    import urllib.error
    import urllib.request

    class Unmoved(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            """Elsewhere nobody hears us."""

    request = urllib.request.Request(task["url"], task["body"].encode(), {"Content-Type": "text/plain; charset=utf-8"})
    try:
        with urllib.request.build_opener(Unmoved).open(request, timeout=task["timeout"]) as response:
            return {"code": response.status}
    except urllib.error.HTTPError as refused:
        return {"code": refused.code}
    except (OSError, ValueError, http.client.HTTPException):
        return {"code": None}


def _check(urls: list[str]) -> dict[str, Any]:
    import apprise

    return {"unknown": [place for place, url in enumerate(urls) if apprise.Apprise.instantiate(url) is None]}


def _send(task: dict[str, Any]) -> dict[str, Any]:
    import apprise

    logger, codes = logging.getLogger("apprise"), _Codes()
    logger.addHandler(codes)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    service = apprise.Apprise.instantiate(task["url"])
    if service is None:
        return {"sent": False, "code": None, "unknown": True, "unreached": True}
    if task["url"].startswith("mailto") and "format=" not in task["url"]:
        service.notify_format = apprise.NotifyFormat.HTML  # Apprise then sends both
    if "redirect=" not in task["url"]:
        service.redirects = False  # a page to log in at says 200 to everything, and tells nobody
    if task.get("key"):
        _mark(service, task["key"])
    is_html = service.notify_format == apprise.NotifyFormat.HTML
    message = Message(one_line(task["subject"]), cut(task["body"], service.body_maxlen // (_MARKUP if is_html else 1)))
    _keep_plain(message.body)
    sender = apprise.Apprise()
    sender.add(service)
    result = sender.notify(
        title=message.subject,
        body=message.as_html if is_html else message.body,
        body_format=apprise.NotifyFormat.HTML if is_html else apprise.NotifyFormat.TEXT,
    )
    return {"sent": bool(result), "code": codes.code, "unknown": False, "unreached": codes.unreached}


def _keep_plain(body: str) -> None:
    """A mail's plain text is ours, and not what Apprise makes of the HTML, which loses its paragraphs."""
    from apprise.plugins.email import base

    if hasattr(base, "convert_between"):
        base.convert_between = lambda *_, **__: body


def _mark(service: Any, key: str) -> None:
    """Make a message that is sent again recognisable: by its Message-ID, or by a header of the request."""
    from apprise.plugins.email import base

    numbers = count(1)  # one for each recipient
    if hasattr(base, "make_msgid"):
        base.make_msgid = lambda domain=None, **_: f"<qbwatch.{key}.{next(numbers)}@{domain or 'localhost'}>"
    if isinstance(getattr(service, "headers", None), dict):
        service.headers.setdefault("Idempotency-Key", key)


if __name__ == "__main__":
    sys.exit(main())
