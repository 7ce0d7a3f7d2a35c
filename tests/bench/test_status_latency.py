"""How long `qbwatch status` takes from the shell, in every state of the house. Nothing is judged here, only printed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from aftermath import undisturbed_content
from dropping import company_exports
from installation import COMMAND, Installation
from measuring import show_seconds

ROUNDS = 9


@pytest.fixture
def silent_address() -> Iterator[str]:
    """A libpq URL at which somebody takes the call and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server, _accepting(server):
        yield f"postgresql://nobody@127.0.0.1:{server.getsockname()[1]}/nothing"


@contextmanager
def _accepting(server: socket.socket) -> Iterator[None]:
    taken: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                taken.append(server.accept()[0])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    yield
    server.shutdown(socket.SHUT_RDWR)
    for connection in taken:
        connection.close()


@pytest.mark.timeout(600)
def test_status_from_the_shell(
    install: Callable[..., Installation], empty_database_url: str, silent_address: str
) -> None:
    served = install()
    undisturbed_content(served, company_exports(os.environ.get("QBWATCH_CORPUS")))
    served.start()
    answered = served.json("status")
    states = {
        "status, the daemon answers": (served, "daemon"),
        "status, no daemon: the ledger answers": (install(url=empty_database_url), "ledger"),
        "status, Postgres is down: the cache": (install(url="postgresql://a@/b?host=/nonexistent"), "cache"),
        "status, Postgres is mute: the cache": (install(url=silent_address), "cache"),
    }
    measured: dict[str, list[float]] = {"python -c pass": [], "qbwatch --version": [], **{name: [] for name in states}}
    for installation, by in states.values():
        if by == "cache":
            shutil.copyfile(served.root / "state" / "status.json", installation.root / "state" / "status.json")
        # As installed, with its bytecode: kept apart from the checkout, and made by the call that follows.
        installation.environ = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(served.root / "bytecode")}
        assert installation.json("status")["answered_by"] == by

    for _ in range(ROUNDS):
        measured["python -c pass"].append(seconds(served, sys.executable, "-c", "pass"))
        measured["qbwatch --version"].append(seconds(served, *COMMAND, "--version"))
        for name, (installation, _by) in states.items():
            measured[name].append(seconds(installation, *COMMAND, "status", "--config", str(installation.config)))

    show_seconds(f"Wall time from the shell, interleaved, {len(answered['freshness'])} relations", measured)


def seconds(installation: Installation, *command: str) -> float:
    """Wall time of a command."""
    env = {**os.environ, **installation.environ}
    began = time.perf_counter()
    subprocess.run(command, cwd=installation.root, env=env, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
