"""The loop that owns the connections of the control socket: accepts, reads, writes, and ends what takes too long.

It runs in the thread ``control`` and never blocks, so a silent, slow or hostile client costs one descriptor and delays
nobody. Other threads speak to it through `Loop.send` alone.
"""

from __future__ import annotations

import errno
import queue
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from qbwatch.edges import control_wire as wire
from qbwatch.edges.control_connection import LONGEST_REQUEST, Connection, Phase
from qbwatch.edges.control_socket import BoundSocket, read_peer
from qbwatch.log import get_logger

MOST_CLIENTS = 256  # a descriptor each; so many have to be silent at once before others wait for a place
MOST_WORKING = 48  # requests that are being carried out, each in a thread of its own; others wait for their turn
_TURN = 0.5  # seconds after which the loop looks at its clocks although nothing happened
_GRACE = 2.0  # seconds in which answers under way are still delivered on stopping
_REST = 1.0  # seconds without accepting after the system ran out of descriptors

_log = get_logger(__name__)

Begin = Callable[[Connection, wire.Request | wire.Refusal], None]


class Loop:
    """Serves a bound socket: every line that a client sends goes, parsed, to ``begin``, in the loop's own thread.

    ``beat`` is called at every turn; ``on_subscribers`` hears how many subscribers there are whenever one has left.
    """

    def __init__(
        self, bound: BoundSocket, begin: Begin, on_subscribers: Callable[[int], None], beat: Callable[[], None]
    ) -> None:
        self._bound, self._begin, self._on_subscribers, self._beat = bound, begin, on_subscribers, beat
        self._connections: set[Connection] = set()
        self._queue: deque[Connection] = deque()
        self._answers: queue.SimpleQueue[tuple[Connection | None, bytes]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._accept_at = 0.0
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Give the name back, deliver what is under way for a moment, and let everybody go."""
        self._stopping.set()
        self._ring()
        self._thread.join(_GRACE + 5)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def subscribers(self) -> int:
        """How many get the status. For the loop's own thread."""
        return sum(connection.phase is Phase.SUBSCRIBED for connection in self._connections)

    def send(self, connection: Connection | None, data: bytes) -> None:
        """From any thread: answer this client, or (None) tell all subscribers."""
        self._answers.put((connection, data))
        self._ring()

    def refuse(self, connection: Connection, refusal: wire.Refusal) -> None:
        """Tell the client why, and part with it. For the loop's own thread."""
        connection.owe(refusal.encode(), Phase.LEAVING, time.monotonic())

    def _ring(self) -> None:
        with suppress(OSError):  # it is ringing already, or nobody listens any more
            self._bell.send(b"!")

    def _serve(self) -> None:
        """Top of the thread ``control``."""
        try:
            while not self._stopping.is_set():
                self._turn(accepting=True)
            self._listen(wanted=False)
            self._bound.release()
            deadline = time.monotonic() + _GRACE
            while self._is_owing() and time.monotonic() < deadline:
                self._turn(accepting=False)
        except Exception:  # noqa: BLE001 (the thread ends here; `is_alive` and the missing beat tell whoever supervises)
            _log.exception("the control socket is out of order")
        finally:
            self._close()

    def _is_owing(self) -> bool:
        return any(each.phase is Phase.WORKING or each.wants_write for each in self._connections)

    def _turn(self, *, accepting: bool) -> None:
        self._beat()
        has_room = len(self._connections) < MOST_CLIENTS
        if accepting:
            self._listen(wanted=has_room and time.monotonic() >= self._accept_at)
        for key, events in self._selector.select(_TURN):
            if key.fileobj is self._ear:
                self._ear.recv(4096)
            elif key.fileobj is self._bound.listener:
                self._accept()
            else:
                self._attend(key.data, events)
        self._deliver()
        self._look_at_clocks(is_pressed=not has_room)

    def _listen(self, *, wanted: bool) -> None:
        """Accept, or leave callers waiting in the system's queue."""
        listening = self._bound.listener in self._selector.get_map()
        if wanted and not listening:
            self._selector.register(self._bound.listener, selectors.EVENT_READ)
        elif listening and not wanted:
            self._selector.unregister(self._bound.listener)

    def _accept(self) -> None:
        while len(self._connections) < MOST_CLIENTS:
            try:
                sock, _address = self._bound.listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS):
                    _log.warning("no descriptor is left for a client of the control socket", reason=error.strerror)
                    self._accept_at = time.monotonic() + _REST
                return
            self._welcome(sock)

    def _welcome(self, sock: socket.socket) -> None:
        try:
            sock.setblocking(False)
            connection = Connection(sock, read_peer(sock), time.monotonic())
        except OSError:
            sock.close()
            return
        self._connections.add(connection)
        if not self._bound.permits(connection.peer):
            hint = f"join group {self._bound.group}, or use sudo"
            self.refuse(connection, wire.Refusal(None, wire.NOT_PERMITTED, "not permitted", {"hint": hint}))
        self._watch(connection)

    def _attend(self, connection: Connection, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            connection.write(time.monotonic())
        if events & selectors.EVENT_READ:
            connection.read()
        self._advance(connection)

    def _advance(self, connection: Connection) -> None:
        """Begin what the client asked for, as far as that is known by now and it is its turn."""
        while connection.phase is Phase.ASKING and connection.has_line:
            if connection.is_gone:  # what nobody hears the outcome of isn't begun
                self._drop(connection)
                return
            if self._working >= MOST_WORKING:
                if connection not in self._queue:
                    self._queue.append(connection)
                break
            line = connection.next_line() or b""
            if len(line) > LONGEST_REQUEST:
                self._refuse_flood(connection)
            elif line.strip():
                self._begin(connection, wire.parse_request(line))
        if connection.phase is Phase.ASKING and connection.is_flooding:
            self._refuse_flood(connection)
        self._watch(connection)

    def _refuse_flood(self, connection: Connection) -> None:
        text = f"a request longer than {LONGEST_REQUEST} bytes"
        self.refuse(connection, wire.Refusal(None, wire.INVALID_REQUEST, text))

    @property
    def _working(self) -> int:
        return sum(connection.phase is Phase.WORKING for connection in self._connections)

    def _deliver(self) -> None:
        with suppress(queue.Empty):
            while True:
                connection, data = self._answers.get_nowait()
                if connection is None:
                    self._broadcast(data)
                elif connection in self._connections:
                    connection.owe(data, Phase.ASKING, time.monotonic())
                    self._advance(connection)
        while self._queue and self._working < MOST_WORKING:
            if (waiting := self._queue.popleft()) in self._connections:
                self._advance(waiting)

    def _broadcast(self, data: bytes) -> None:
        for each in list(self._connections):
            if each.phase is Phase.SUBSCRIBED and not each.wants_write:  # a slow one gets a later one, or is dropped
                each.owe(data, Phase.SUBSCRIBED, time.monotonic())
                self._watch(each)

    def _look_at_clocks(self, *, is_pressed: bool) -> None:
        now = time.monotonic()
        for connection in [each for each in self._connections if each.overdue(now, is_pressed=is_pressed)]:
            if connection.phase is Phase.ASKING and not connection.wants_write:
                self.refuse(connection, wire.Refusal(None, wire.TIMED_OUT, "no request came in time"))
                self._watch(connection)
            else:
                self._drop(connection)

    def _watch(self, connection: Connection) -> None:
        """Ask the system for what the connection waits for.

        One that waits for nothing isn't registered at all: its hang-up would be reported without end.
        """
        if connection.is_done:
            self._drop(connection)
            return
        events = selectors.EVENT_READ * connection.wants_read | selectors.EVENT_WRITE * connection.wants_write
        registered = self._selector.get_map().get(connection.sock)
        if registered is None and events:
            self._selector.register(connection.sock, events, connection)
        elif registered is not None and not events:
            self._selector.unregister(connection.sock)
        elif registered is not None and registered.events != events:
            self._selector.modify(connection.sock, events, connection)

    def _drop(self, connection: Connection) -> None:
        if connection not in self._connections:
            return
        self._connections.discard(connection)
        if connection.sock in self._selector.get_map():
            self._selector.unregister(connection.sock)
        connection.close()
        if connection.phase is Phase.SUBSCRIBED:
            self._on_subscribers(self.subscribers)

    def _close(self) -> None:
        self._bound.release()
        for connection in list(self._connections):
            self._drop(connection)
        self._selector.close()
        self._ear.close()
        self._bell.close()
