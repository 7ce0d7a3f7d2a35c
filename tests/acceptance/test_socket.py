"""The control socket of a real daemon: left over, live, foreign, in the way, under fire; and one that stands still."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pytest
from installation import Installation
from measuring import open_files, show_seconds
from waiting import wait_until

from qbwatch.edges.control_client import ControlUnreachable, call

CLIENTS = 40  # of each of the five bad kinds
ASKED = 100
GENEROUS = 1.0  # seconds for a status under fire on any machine; on a quiet one it is far below a tenth
GARBAGE = b'\x00\xff\xfe{"jsonrpc": "2.0", "id": NaN}\n\x1b[31m' + b"[" * 5_000 + b"\n"


def control(installation: Installation) -> Path:
    """The socket's path."""
    return installation.root / "control.sock"


def test_the_socket_of_a_killed_daemon_is_replaced_at_the_next_start(install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()
    installation.kill()
    assert control(installation).is_socket(), "it is left over"

    installation.start()

    assert installation.status()["daemon"]["state"] == "idle"
    assert installation.stop() == 0
    assert not control(installation).exists()


def test_a_second_daemon_ends_with_a_message_and_the_first_stays_reachable(
    install: Callable[..., Installation],
) -> None:
    installation = install()
    installation.start()

    second = installation.run("run")

    assert second.returncode != 0
    assert f"another qbwatch answers at {control(installation)}" in second.stderr
    assert "Traceback" not in second.stderr
    assert installation.status()["daemon"]["state"] == "idle"


def _pid_of(path: Path) -> int | None:
    with contextlib.suppress(ControlUnreachable):
        return int(call(path, "ping")["pid"])
    return None


def test_a_daemon_that_stops_leaves_the_socket_of_its_successor_alone(install: Callable[..., Installation]) -> None:
    first, second = install(), install()
    second.config.write_text(
        second.config.read_text("utf-8").replace(str(control(second)), str(control(first))), "utf-8"
    )
    first.start()
    control(first).unlink()
    second.launch()
    assert second.daemon is not None
    wait_until(lambda: _pid_of(control(first)) == second.daemon.pid, 30, "the second to answer")

    assert first.stop() == 0

    answered = second.json("status")
    assert (answered["answered_by"], answered["daemon"]["pid"]) == ("daemon", second.daemon.pid)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_no_socket_is_never_removed(install: Callable[..., Installation], kind: str) -> None:
    installation = install()
    if kind == "file":
        control(installation).write_text("somebody's")
    else:
        control(installation).mkdir()

    done = installation.run("run")

    assert done.returncode != 0
    assert "exists and is not a socket, so it stays" in done.stderr
    assert control(installation).exists()


def test_a_path_that_is_too_long_is_explained(install: Callable[..., Installation]) -> None:
    installation = install()
    text = installation.config.read_text("utf-8")
    installation.config.write_text(text.replace("control.sock", "x" * 110), "utf-8")

    done = installation.run("run")

    assert done.returncode != 0
    assert "longer than the 107 bytes that Linux allows" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_who_may_speak_there_does_not_depend_on_the_umask(install: Callable[..., Installation], umask: int) -> None:
    installation = install()
    before = os.umask(umask)
    try:
        installation.start()
    finally:
        os.umask(before)

    assert stat.S_IMODE(control(installation).stat().st_mode) == 0o660
    assert installation.status()["daemon"]["state"] == "idle"


def test_a_daemon_that_stands_still_is_given_up_in_time_and_told_from_one_that_is_down(
    install: Callable[..., Installation],
) -> None:
    installation = install()
    installation.start()
    assert installation.daemon is not None
    installation.daemon.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        status = installation.json("status")
        took = time.monotonic() - began
        paused = installation.run("pause", timeout=30)
        check = installation.run("status", "--check")
    finally:
        installation.daemon.send_signal(signal.SIGCONT)

    assert took < 6
    assert (status["answered_by"], status["daemon"]["state"]) == ("ledger", "down")
    (problem,) = [each for each in status["problems"] if each["code"] == "daemon_down"]
    assert "took the call but did not answer" in problem["summary"]
    assert "journal" in problem["hint"]
    assert (paused.returncode, paused.stdout) == (1, "")
    assert "did not answer" in paused.stderr
    assert check.returncode == 2
    assert "Traceback" not in paused.stderr + check.stderr
    assert installation.status()["daemon"]["state"] == "idle", "it goes on as if nothing had been"


def test_status_under_fire(install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()
    assert installation.daemon is not None
    before = open_files(installation.daemon.pid)
    calm = [_timed_status(installation) for _ in range(ASKED)]

    with _under_fire(control(installation)):
        wait_until(lambda: open_files(installation.daemon.pid) > before + CLIENTS, 30, "the fire to burn")  # type: ignore[union-attr]
        fire = [_timed_status(installation) for _ in range(ASKED)]
    show_seconds("status at the socket, from the connect to the whole answer", {"calm": calm, "under fire": fire})

    assert median(fire) < GENEROUS, fire
    assert max(fire) < 5 * GENEROUS, fire
    wait_until(lambda: open_files(installation.daemon.pid) <= before, 30, "all descriptors to be given back")  # type: ignore[union-attr]
    assert "Traceback" not in installation.log
    assert installation.stop() == 0


def _timed_status(installation: Installation) -> float:
    began = time.perf_counter()
    assert call(control(installation), "status")["answered_by"] == "daemon"
    return time.perf_counter() - began


@contextlib.contextmanager
def _under_fire(path: Path) -> Iterator[None]:
    """Two hundred bad clients, each of which comes again when it is let go."""
    over = threading.Event()
    kinds = (_silent, _slow, _flooding, _garbling, _leaving)
    threads = [threading.Thread(target=_again, args=(path, kind, over)) for kind in kinds for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(30)


def _again(path: Path, kind: Callable[[socket.socket, threading.Event], None], over: threading.Event) -> None:
    while not over.is_set():
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1.0)
            client.connect(os.fspath(path))
            kind(client, over)
        over.wait(0.2)


def _silent(client: socket.socket, over: threading.Event) -> None:
    """Says nothing until it is told to go."""
    while not over.is_set():
        with contextlib.suppress(TimeoutError):
            if not client.recv(4096):
                return


def _slow(client: socket.socket, over: threading.Event) -> None:
    """A byte at a time."""
    for byte in json.dumps({"jsonrpc": "2.0", "id": 1, "method": "status"}).encode():
        if over.wait(0.3):
            return
        client.send(bytes([byte]))


def _flooding(client: socket.socket, _over: threading.Event) -> None:
    """Ten megabytes without an end."""
    client.sendall(b"x" * 10_000_000)


def _garbling(client: socket.socket, _over: threading.Event) -> None:
    """Nothing that is a request."""
    client.sendall(GARBAGE)
    client.recv(4096)


def _leaving(client: socket.socket, _over: threading.Event) -> None:
    """Asks, half or whole, and is gone before the answer."""
    client.sendall(b'{"jsonrpc": "2.0", "id": 1, "method": "status"}\n{"jsonrpc": "2.0"')
