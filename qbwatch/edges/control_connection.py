"""One client of the control socket: what it sent, what it is owed, and how long it has kept us waiting.

Only the control loop touches a connection; nothing in here blocks.
"""

from __future__ import annotations

import select
import socket
from enum import StrEnum

from qbwatch.edges.control_socket import Peer

LONGEST_REQUEST = 1 << 20
REQUEST_PATIENCE = 5.0  # seconds for a whole request, from connecting or from the last answer on
PRESSED_PATIENCE = 1.0  # the same while others are waiting for a place
ANSWER_PATIENCE = 5.0  # seconds in which a client must take something of what it is owed
_CHUNK = 1 << 16


class Phase(StrEnum):
    """What a connection is for at the moment."""

    ASKING = "asking"  # we wait for a request
    WORKING = "working"  # a method is running for it
    SUBSCRIBED = "subscribed"  # it gets every status, and may ask nothing more
    LEAVING = "leaving"  # it gets what it is owed; what it still sends is thrown away


class Connection:
    """State of one client. ``now`` is monotonic seconds throughout."""

    def __init__(self, sock: socket.socket, peer: Peer, now: float) -> None:
        self.sock = sock
        self.peer = peer
        self.phase = Phase.ASKING
        self.has_ended = False  # it will send no more; it may still read, as `… | nc -U` does
        self.is_broken = False
        self._since = now
        self._inbox = bytearray()
        self._outbox = bytearray()

    @property
    def wants_read(self) -> bool:
        """While it waits for a turn or for its answer we read on only to notice that it left; more than a request's
        length then waits in the kernel."""
        return not self.has_ended and len(self._inbox) <= LONGEST_REQUEST

    @property
    def wants_write(self) -> bool:
        return bool(self._outbox)

    @property
    def is_done(self) -> bool:
        """True when nothing can come of it any more."""
        if self.is_broken or (self.has_ended and self.phase is Phase.SUBSCRIBED):
            return True
        is_asking = self.phase is Phase.ASKING and not self.has_line
        return self.has_ended and (is_asking or self.phase is Phase.LEAVING) and not self._outbox

    def read(self) -> None:
        """Take what has arrived."""
        try:
            chunk = self.sock.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.is_broken = True
            return
        self.has_ended = self.has_ended or not chunk
        if self.phase in (Phase.ASKING, Phase.WORKING):
            self._inbox += chunk

    @property
    def has_line(self) -> bool:
        """True when a whole request line is here; at the end of what it sends also a last one without its newline."""
        return b"\n" in self._inbox or (self.has_ended and bool(self._inbox.strip()))

    @property
    def is_gone(self) -> bool:
        """True when it has closed altogether and nobody would hear an answer. (One that only sends no more, hears.)"""
        poll = select.poll()
        poll.register(self.sock, 0)
        return bool(poll.poll(0))

    def next_line(self) -> bytes | None:
        """The next whole request line."""
        if not self.has_line:
            return None
        end = self._inbox.find(b"\n")
        line = bytes(self._inbox[:end] if end >= 0 else self._inbox)
        del self._inbox[: end + 1 if end >= 0 else len(self._inbox)]
        return line

    @property
    def is_flooding(self) -> bool:
        """True when what it sent is longer than a request may be and still isn't one."""
        return len(self._inbox) > LONGEST_REQUEST and not self.has_line

    def owe(self, data: bytes, phase: Phase, now: float) -> None:
        """Add to what it gets, and go on as ``phase``."""
        self._outbox += data
        self.phase = phase
        self._since = now
        if phase in (Phase.LEAVING, Phase.SUBSCRIBED):
            self._inbox.clear()
        self.write(now)

    def write(self, now: float) -> None:
        """Give it as much as it takes."""
        try:
            while self._outbox:
                sent = self.sock.send(self._outbox)
                del self._outbox[:sent]
                self._since = now
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.is_broken = True
        if self.phase is Phase.LEAVING and not self._outbox and not self.is_broken:
            self._stop_sending()

    def _stop_sending(self) -> None:
        """Tell it that this was all, and wait for its end: closing at once, with its bytes unread, could lose ours."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.is_broken = True

    def overdue(self, now: float, *, is_pressed: bool) -> bool:
        """True when it has kept us waiting too long: for a request, for taking what it is owed, or for its farewell."""
        if self.phase is Phase.LEAVING and not self._outbox:
            return is_pressed or now - self._since > ANSWER_PATIENCE
        if self._outbox:
            return now - self._since > ANSWER_PATIENCE
        if self.phase is Phase.ASKING and not self.has_line:  # else it is we who are late
            return now - self._since > (PRESSED_PATIENCE if is_pressed else REQUEST_PATIENCE)
        return False

    def close(self) -> None:
        self.sock.close()
