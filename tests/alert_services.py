"""Alert services on loopback: an HTTP endpoint whose mood can be set, and a mail server that never says a word."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope


class Endpoint:
    """An HTTP endpoint that answers with ``code`` and keeps what it took with 200, and the keys that came with it.

    While ``may_answer`` is cleared it takes a message and doesn't say so.
    """

    def __init__(self) -> None:
        self.code = 200
        self.taken: list[str] = []
        self.keys: list[str] = []
        self.paths: list[str] = []
        self.bodies: list[str] = []
        self.location: str | None = None
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked = 0
        self.port = 0

    @property
    def url(self) -> str:
        """The address for Apprise, with a secret in it."""
        return f"json://operator:MARKER-s3cret@127.0.0.1:{self.port}/hook"


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """A running endpoint."""
    found = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.asked += 1
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found.bodies.append(text)
            found.paths.append(self.path)
            if found.code == 200 and self.headers["Content-Type"] == "application/json":
                body = json.loads(text)
                found.taken.append(f"{body['title']}\n{body['message']}")
                found.keys.append(self.headers.get("Idempotency-Key", ""))
            found.may_answer.wait(30)
            with suppress(OSError):
                self.send_response(found.code)
                if found.location is not None:
                    self.send_header("Location", found.location)
                self.end_headers()

        def do_GET(self) -> None:
            """A page to log in at, say."""
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield found
    finally:
        found.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(slots=True)
class MailServer:
    """A mail server that answers each message with ``reply`` and keeps what it took."""

    port: int
    reply: str = "250 OK"
    mails: list[Mail] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, _server: object, _session: object, envelope: Envelope
    ) -> str:
        """Take a message, or don't."""
        if self.reply.startswith("250"):
            self.mails.append(message_from_bytes(envelope.original_content or b""))
        return self.reply

    @property
    def url(self) -> str:
        """The address for Apprise."""
        return f"mailto://127.0.0.1:{self.port}?from=q@example.org&to=o@example.org&mode=insecure"


@contextmanager
def mail_server(port: int = 0) -> Iterator[MailServer]:
    """A running mail server, at a port of its own."""
    if not port:
        with mute_server() as port:
            pass
    found = MailServer(port)
    controller = Controller(found, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield found
    finally:
        controller.stop()


@contextmanager
def mute_server(port: int = 0) -> Iterator[int]:
    """The port of a server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        yield listener.getsockname()[1]
