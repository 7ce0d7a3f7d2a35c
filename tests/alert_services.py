"""Alert services on loopback: an HTTP endpoint whose mood can be set, and a mail server that never says a word."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Endpoint:
    """An HTTP endpoint that answers with ``code`` and keeps what it took with 200."""

    def __init__(self) -> None:
        self.code = 200
        self.taken: list[str] = []
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
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if found.code == 200:
                found.taken.append(f"{body['title']}\n{body['message']}")
            self.send_response(found.code)
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
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def mute_server() -> Iterator[int]:
    """The port of a server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
