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

import psycopg
import pytest
from aftermath import undisturbed_content
from dropping import company_exports
from installation import COMMAND, Installation
from ledger_rows import years_of_exports
from measuring import show_seconds
from small_exports import invoices

from qbwatch.edges.control_client import call

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


@pytest.mark.timeout(600)
def test_status_on_a_large_ledger(install: Callable[..., Installation]) -> None:
    served = install()
    served.start()
    (served.input / "Invoice_04_01_2025_2_00_00.csv").write_bytes(invoices(a=["10.00"]))
    served.wait_settled(1)
    with psycopg.connect(served.url) as connection:
        connection.execute(years_of_exports(100_000).encode())
    with psycopg.connect(served.url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    served.environ = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(served.root / "bytecode")}
    measured: dict[str, list[float]] = {"python -c pass": [], "status, the daemon answers": []}
    status = (*COMMAND, "status", "--config", str(served.config))
    assert served.json("status")["answered_by"] == "daemon"
    measured["status, at the socket"] = []
    for _ in range(ROUNDS):
        measured["python -c pass"].append(seconds(served, sys.executable, "-c", "pass"))
        measured["status, the daemon answers"].append(seconds(served, *status))
        measured["status, at the socket"].append(seconds_at_socket(served))
    served.stop()
    assert served.json("status")["answered_by"] == "ledger"
    measured["status, no daemon: the ledger answers"] = [seconds(served, *status) for _ in range(ROUNDS)]
    rows = served.query("SELECT (SELECT count(*) FROM qbwatch.files), (SELECT count(*) FROM qbwatch.work_items)")[0]

    show_seconds(f"Wall time from the shell, {rows[0]:,} files and {rows[1]:,} items in the ledger", measured)


def seconds_at_socket(installation: Installation) -> float:
    """Time of an answer of the daemon, without a command's start."""
    began = time.perf_counter()
    call(installation.root / "control.sock", "status")
    return time.perf_counter() - began


def seconds(installation: Installation, *command: str) -> float:
    """Wall time of a command."""
    env = {**os.environ, **installation.environ}
    began = time.perf_counter()
    subprocess.run(command, cwd=installation.root, env=env, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
