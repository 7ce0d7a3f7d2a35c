"""The control socket's server: has requests answered, and streams the status to whoever subscribed.

A method runs in a thread of its own and may take minutes; the connections belong to the loop in `control_loop`; a third
thread asks for the status while somebody is subscribed. Nobody greets: a client sends one line and reads one line.

Two requests the server answers itself: ``ping`` (versions and process id) and ``subscribe``.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from qbwatch import __version__
from qbwatch.core.model import QbwatchError
from qbwatch.edges import control_wire as wire
from qbwatch.edges.control_connection import Connection, Phase
from qbwatch.edges.control_loop import Loop
from qbwatch.edges.control_socket import Peer, bind_socket
from qbwatch.edges.control_status import StatusFeed
from qbwatch.log import get_logger

__all__ = ["ControlServer", "Method", "Peer"]

Method = Callable[[dict[str, Any], Peer], object]

MOST_SUBSCRIBERS = 32  # far fewer than there are places, so that there is always one for somebody who only asks

_log = get_logger(__name__)


class ControlServer:
    """Serves ``methods`` at ``path``. A method gets the request's parameters and who asks, and returns what is JSON.

    A `QbwatchError` from a method is told to the client with its hint; any other exception is a bug, which is logged,
    and of which the client learns only that. ``beat`` is called at every turn of the loop, for whoever watches over it.
    """

    def __init__(self, path: Path, methods: Mapping[str, Method], beat: Callable[[], None] = lambda: None) -> None:
        self._path = path
        self._methods = dict(methods)
        self._beat = beat
        self._loop: Loop | None = None
        self._feed = StatusFeed(self._ask_status, self._publish)

    def start(self) -> None:
        """Take the name and begin to answer. Raises `QbwatchError` when the name can't be had."""
        self._loop = Loop(bind_socket(self._path), self._begin, self._feed.count_listeners, self._beat)
        self._loop.start()
        self._feed.start()

    def stop(self) -> None:
        """Give the name back and let everybody go. Methods that still run are not waited for long."""
        if self._loop is not None:
            self._feed.stop()
            self._loop.stop()

    @property
    def is_alive(self) -> bool:
        """False before the start, and once the loop was stopped or has died."""
        return self._loop is not None and self._loop.is_alive

    def notify_changed(self) -> None:
        """Say that the status has changed; subscribers get it at once. Cheap, and safe from any thread."""
        self._feed.ask()

    # --- in the loop's thread ---------------------------------------------------------------------------------------

    def _begin(self, connection: Connection, request: wire.Request | wire.Refusal) -> None:
        if isinstance(request, wire.Refusal):
            self._running.refuse(connection, request)
        elif request.method == "ping":
            facts = {"version": __version__, "protocol": wire.PROTOCOL, "pid": os.getpid()}
            connection.owe(wire.encode_result(request.id, facts), Phase.ASKING, time.monotonic())
        elif request.method == "subscribe" and "status" in self._methods:
            self._subscribe(connection, request)
        elif request.method in self._methods:
            self._work(connection, request)
        else:
            refusal = _unknown_method(request, sorted({*self._methods, "ping", "subscribe"}))
            connection.owe(refusal.encode(), Phase.ASKING, time.monotonic())

    def _work(self, connection: Connection, request: wire.Request) -> None:
        connection.phase = Phase.WORKING
        name = f"control-{request.method}"
        try:
            threading.Thread(target=self._answer, args=(connection, request), name=name, daemon=True).start()
        except RuntimeError as error:  # the system gives no more threads
            self._running.refuse(connection, wire.Refusal(request.id, wire.TOO_MANY, str(error), {"hint": "try again"}))

    def _subscribe(self, connection: Connection, request: wire.Request) -> None:
        if self._running.subscribers >= MOST_SUBSCRIBERS:
            text = f"{MOST_SUBSCRIBERS} others are subscribed already"
            hint = {"hint": "ask for status instead"}
            self._running.refuse(connection, wire.Refusal(request.id, wire.TOO_MANY, text, hint))
            return
        facts = {"version": __version__, "protocol": wire.PROTOCOL}
        connection.owe(wire.encode_result(request.id, facts), Phase.SUBSCRIBED, time.monotonic())
        self._feed.welcome()

    # --- in other threads -------------------------------------------------------------------------------------------

    def _answer(self, connection: Connection, request: wire.Request) -> None:
        """Top of a method's thread."""
        text = f"an internal error in {request.method!r}; the daemon's log has its traceback"
        reply = wire.Refusal(request.id, wire.INTERNAL_ERROR, text).encode()
        try:
            reply = wire.encode_result(request.id, self._methods[request.method](request.params, connection.peer))
        except QbwatchError as error:
            reply = wire.Refusal(request.id, wire.EXPECTED_FAILURE, error.message, {"hint": error.hint}).encode()
        except (Exception, SystemExit):  # noqa: BLE001 (a bug in one method must not end the others)
            _log.exception("a method of the control socket failed", method=request.method, uid=connection.peer.uid)
        finally:
            self._running.send(connection, reply)

    def _ask_status(self) -> object:
        return self._methods["status"]({}, Peer(os.getpid(), os.geteuid(), os.getegid()))

    def _publish(self, status: object) -> None:
        self._running.send(None, wire.encode_notification("status", status))

    @property
    def _running(self) -> Loop:
        assert self._loop is not None  # only a running loop calls what asks for it
        return self._loop


def _unknown_method(request: wire.Request, known: list[str]) -> wire.Refusal:
    near = get_close_matches(request.method, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "methods: " + ", ".join(known)
    text = f"there is no method {request.method[:100]!r}"
    return wire.Refusal(request.id, wire.METHOD_NOT_FOUND, text, {"hint": hint, "methods": known})
