"""Speaking to the service manager: a real datagram socket stands in its place."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from qbwatch.edges.heartbeats import Heartbeats
from qbwatch.edges.systemd import Notifier

SECOND = timedelta(seconds=1)


class ServiceManager:
    """The receiving end of ``$NOTIFY_SOCKET``."""

    def __init__(self, address: str) -> None:
        self.environ = {"NOTIFY_SOCKET": address}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(5)

    def heard(self) -> str:
        return self._socket.recv(65536).decode("utf-8")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path: Path) -> Iterator[ServiceManager]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@qbwatch-test-{os.getpid()}"
    manager = ServiceManager(address)
    yield manager
    manager.close()


def test_each_change_of_state_is_heard(manager):
    notifier = Notifier(manager.environ)
    for tell, said in [
        (notifier.ready, "READY=1"),
        (notifier.watchdog, "WATCHDOG=1"),
        (notifier.reloading, "RELOADING=1"),
        (notifier.stopping, "STOPPING=1"),
        (lambda: notifier.extend_timeout(timedelta(seconds=90)), "EXTEND_TIMEOUT_USEC=90000000"),
        (lambda: notifier.status("loading 3 of 9"), "STATUS=loading 3 of 9"),
    ]:
        assert tell() is True
        assert manager.heard() == said


def test_a_status_may_hold_any_character_but_stays_one_line(manager):
    notifier = Notifier(manager.environ)
    notifier.status("Zoë → 5 €\nREADY=1 caf\udce9" + "x" * 1000)
    heard = manager.heard()
    assert heard.startswith("STATUS=Zoë → 5 € READY=1 caf")
    assert "\n" not in heard
    assert len(heard) < 600


def test_the_service_manager_may_come_back(tmp_path):
    address = str(tmp_path / "notify")
    manager = ServiceManager(address)
    notifier = Notifier(manager.environ)
    manager.close()
    os.unlink(address)
    assert notifier.watchdog() is False
    again = ServiceManager(address)
    assert notifier.watchdog() is True
    assert again.heard() == "WATCHDOG=1"
    again.close()


def test_a_service_manager_that_does_not_read_holds_nobody_up(tmp_path):
    manager = ServiceManager(str(tmp_path / "notify"))
    notifier = Notifier(manager.environ)
    while notifier.watchdog():  # until its queue is full; a call that waited for room would never end
        pass
    assert manager.heard() == "WATCHDOG=1"
    assert notifier.watchdog() is True
    manager.close()


@pytest.mark.parametrize(
    "address", ["", "/nonexistent/notify", "@nobody-listens-here", "vsock:2:1", "@", "/" + "x" * 200]
)
def test_without_a_service_manager_nothing_happens(address):
    notifier = Notifier({"NOTIFY_SOCKET": address} if address else {})
    assert notifier.ready() is False
    assert notifier.status("x") is False


def test_a_child_does_not_inherit_the_way_to_the_service_manager(tmp_path, monkeypatch):
    manager = ServiceManager(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", manager.environ["NOTIFY_SOCKET"])
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    notifier = Notifier.take()
    code = "import os; print([name for name in os.environ if name.startswith(('NOTIFY', 'WATCHDOG'))])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert notifier.ready() is True
    assert manager.heard() == "READY=1"
    assert notifier.watchdog_interval() == 5 * SECOND
    manager.close()


# --- the watchdog ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 30 * SECOND),
        ({"WATCHDOG_USEC": "500000"}, SECOND / 4),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 30 * SECOND),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "junk"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "²"}, None),
        ({"WATCHDOG_USEC": "18446744073709551615"}, None),
        ({}, None),
    ],
)
def test_pings_go_out_twice_as_often_as_the_manager_asks(environ, interval):
    assert Notifier(environ).watchdog_interval() == interval


def test_a_loop_that_stopped_beating_is_stale():
    now = 100.0
    hearts = Heartbeats(clock=lambda: now)
    limits = {"intake": 10 * SECOND, "pipeline": 60 * SECOND}
    hearts.beat("intake")
    hearts.beat("pipeline")
    assert hearts.stale(110.0, limits) == []
    assert hearts.stale(110.1, limits) == ["intake"]
    assert hearts.stale(161.0, limits) == ["intake", "pipeline"]
    now = 161.0
    hearts.beat("intake")
    assert hearts.stale(161.0, limits) == ["pipeline"]


def test_a_loop_that_never_beat_has_its_limit_from_the_start_on():
    hearts = Heartbeats(clock=lambda: 100.0)
    assert hearts.stale(105.0, {"intake": 10 * SECOND}) == []
    assert hearts.stale(111.0, {"intake": 10 * SECOND}) == ["intake"]


def test_a_loop_without_a_limit_is_nobodys_concern():
    hearts = Heartbeats(clock=lambda: 0.0)
    hearts.beat("notify")
    assert hearts.stale(1e9, {}) == []
