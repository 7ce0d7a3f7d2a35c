"""A TCP proxy on loopback in front of a Postgres' socket, which can fall silent, or swallow the answer to a commit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_BLOCK = 1 << 16


class LossyProxy:
    """Forwards until told otherwise. ``on_request`` sees what a client sends: False cuts the connection before it is
    forwarded, True after it was forwarded and answered, with the answer thrown away, None changes nothing."""

    def __init__(self, server_socket: Path) -> None:
        self._server_socket = server_socket
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._silent: set[socket.socket] = set()
        self._all_silent = False
        self.on_request: Callable[[int, bytes], bool | None] = lambda _number, _data: None
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def fall_silent(self) -> None:
        """Forward nothing any more, on old and new connections; close nothing."""
        self._all_silent = True
        self._silent.update(client for client, _ in self._pairs)

    def recover(self) -> None:
        """New connections work; the old ones stay as they are."""
        self._all_silent = False

    def close(self) -> None:
        """End all."""
        self._listener.close()
        for pair in self._pairs:
            for each in pair:
                each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(str(self._server_socket))
                except OSError:
                    client.close()
                    continue
                if self._all_silent:
                    self._silent.add(client)
                self._pairs.append((client, server))
                for pump in (self._requests, self._answers):
                    threading.Thread(target=pump, args=(len(self._pairs) - 1,), daemon=True).start()

    def _requests(self, number: int) -> None:
        client, server = self._pairs[number]
        with suppress(OSError):
            while data := client.recv(_BLOCK):
                if client in self._silent:
                    continue  # taken and thrown away, as by a router that lost the connection
                verdict = self.on_request(number, data)
                if verdict is False:
                    break
                if verdict is True:
                    self._silent.add(client)  # the answer goes nowhere
                    server.sendall(data)
                    server.settimeout(5)
                    self._answered.wait(5)
                    break
                server.sendall(data)
        self._end(client, server)

    _answered = threading.Event()

    def _answers(self, number: int) -> None:
        client, server = self._pairs[number]
        with suppress(OSError):
            while data := server.recv(_BLOCK):
                if client in self._silent:
                    self._answered.set()
                    continue
                client.sendall(data)
        if client not in self._silent:
            self._end(client, server)

    def _end(self, client: socket.socket, server: socket.socket) -> None:
        for each in (client, server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
