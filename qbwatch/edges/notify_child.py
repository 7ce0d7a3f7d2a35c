"""The child process that speaks to an alert service: started by `notify`, it reads its task from standard input.

Apprise weighs as much as the daemon and can block for long, so that it is loaded here alone, and ended with the
process. The address comes by standard input, because arguments and environments are seen by others; the answer never
holds a word of the service or of Apprise, which could repeat it.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Any

from qbwatch.core.message import Message, cut, one_line

_REFUSED = re.compile(r"error[=:]\s*([1-5]\d\d)")
_MARKUP = 2  # HTML takes more room than its text; a service that takes HTML and has a limit is given half


class _Codes(logging.Handler):
    """The HTTP status of the last answer, which Apprise tells its log alone."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.code: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Look for a status code."""
        if found := _REFUSED.search(record.getMessage()):
            self.code = int(found[1])


def main() -> int:
    """Answer the task: ``check`` which addresses no service knows, or ``send`` one message."""
    task = json.load(sys.stdin)
    answer = _check(task["urls"]) if task["task"] == "check" else _send(task)
    json.dump(answer, sys.stdout)
    return 0


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
        return {"sent": False, "code": None, "unknown": True}
    if task["url"].startswith("mailto") and "format=" not in task["url"]:
        service.notify_format = apprise.NotifyFormat.HTML  # Apprise then sends both, the plain text made of the HTML
    is_html = service.notify_format == apprise.NotifyFormat.HTML
    message = Message(one_line(task["subject"]), cut(task["body"], service.body_maxlen // (_MARKUP if is_html else 1)))
    sender = apprise.Apprise()
    sender.add(service)
    result = sender.notify(
        title=message.subject,
        body=message.as_html if is_html else message.body,
        body_format=apprise.NotifyFormat.HTML if is_html else apprise.NotifyFormat.TEXT,
    )
    return {"sent": bool(result), "code": codes.code, "unknown": False}


if __name__ == "__main__":
    sys.exit(main())
