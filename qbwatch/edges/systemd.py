"""Talking to the service manager: ready, alive, what we are doing, going.

The sdnotify package speaks the protocol; around it stands what a daemon needs besides: text beyond Latin-1, a manager
that doesn't read for a while and must hold nobody up, one that comes back, and children who must not speak in our name.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, MutableMapping
from datetime import timedelta

import sdnotify

_LONGEST_STATUS = 512  # characters; a datagram has room for more, a line of `systemctl status` doesn't
_PATIENCE = 0.2  # seconds; the thread that reports must not hang on a manager that is being reloaded


class Notifier:
    """Sends state changes to ``$NOTIFY_SOCKET``. Without one every call does nothing; none ever raises.

    Each call returns whether the message was handed over, for tests and for those who care.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._notifier = sdnotify.SystemdNotifier(debug=False)  # quiet while it is made: there may be no manager
        if self._notifier.socket is not None:
            self._notifier.socket.close()  # each message goes out over a socket of its own, see `_send`
        self._notifier.debug = True
        self._watchdog_after = _read_watchdog(environ)

    @classmethod
    def take(cls, environ: MutableMapping[str, str] = os.environ) -> Notifier:
        """A notifier; the variables it was made from are removed, so that no child speaks in our name."""
        notifier = cls(environ)
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
            environ.pop(name, None)
        return notifier

    def ready(self) -> bool:
        """The start is over, or the reload is."""
        return self._send("READY=1")

    def status(self, text: str) -> bool:
        """One line of what we are doing, for ``systemctl status``."""
        line = "".join(character if character.isprintable() else " " for character in text)
        return self._send(f"STATUS={line[:_LONGEST_STATUS]}")

    def watchdog(self) -> bool:
        """We are alive."""
        return self._send("WATCHDOG=1")

    def stopping(self) -> bool:
        """We have begun to stop."""
        return self._send("STOPPING=1")

    def reloading(self) -> bool:
        """We read our configuration anew; `ready` ends it."""
        return self._send("RELOADING=1")

    def extend_timeout(self, by: timedelta) -> bool:
        """Starting or stopping takes this much longer from now."""
        return self._send(f"EXTEND_TIMEOUT_USEC={by // timedelta(microseconds=1)}")

    def watchdog_interval(self) -> timedelta | None:
        """How often to call `watchdog`: half of what the manager tolerates. None when it doesn't ask us to."""
        return self._watchdog_after / 2 if self._watchdog_after else None

    def _send(self, message: str) -> bool:
        if not self._address.startswith(("/", "\0")):
            return False
        # The package encodes as Latin-1; bytes that were decoded as such pass through it unchanged.
        text = message.encode("utf-8", "backslashreplace").decode("latin-1")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
                connection.settimeout(_PATIENCE)
                connection.connect(self._address)
                self._notifier.socket = connection
                self._notifier.notify(text)
        except (OSError, ValueError):  # nobody there, no time, no room, or an address that is none
            return False
        return True


def _read_watchdog(environ: Mapping[str, str]) -> timedelta | None:
    """The manager's limit, unless it is meant for another process: a shell that started us, say."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    limit = environ.get("WATCHDOG_USEC", "")
    if not (limit.isascii() and limit.isdigit()) or not 0 < int(limit[:18]) < 10**15:
        return None
    return timedelta(microseconds=int(limit))
