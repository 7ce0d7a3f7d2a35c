"""Does each alert service work? A test message through every one of them, one by one."""

from __future__ import annotations

from collections.abc import Callable

from qbwatch.config_sections import Alerts
from qbwatch.core.message import Message
from qbwatch.core.model import QbwatchError
from qbwatch.edges.notify import check_services, send, services_of

_TEXT = "This is a test of qbwatch's alerts. Nothing is wrong, and nothing is to be done."


def test_services(alerts: Alerts, tell: Callable[[str, str | None], None]) -> dict[str, str | None]:
    """Each service by its name, with why it did not take the message (None: it did); ``tell`` hears of each at once.

    Raises `QbwatchError` when none is configured, or one not rightly.
    """
    urls, fallback = ([url.get_secret_value() for url in some] for some in (alerts.urls, alerts.fallback))
    if not urls:
        raise QbwatchError(
            "no alert service is configured", "name one in [alerts] urls, or as the credential alert_urls"
        )
    check_services(urls, fallback)
    errors: dict[str, str | None] = {}
    for service in services_of([*urls, *fallback]):
        errors[service.name] = send(service, Message("qbwatch: test", _TEXT)).error
        tell(service.name, errors[service.name])
    return errors
