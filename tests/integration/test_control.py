"""The control socket: real sockets, many clients, and bad ones; who may have its name; what a client learns."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qbwatch.core.model import QbwatchError
from qbwatch.edges import control_client, control_connection, control_loop, control_status
from qbwatch.edges.control import ControlServer, Peer
from qbwatch.edges.control_client import ControlError, ControlUnreachable, Unreachable, call, stream
from qbwatch.edges.control_socket import bind_socket

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)


class Daemon:
    """A server with a few methods, and what a test steers them by."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.status: dict[str, object] = {"health": "ok", "as_of": 0}
        self.release = threading.Event()
        self.working = threading.Semaphore(0)
        self.peers: list[Peer] = []
        self.beats = 0
        self.halt: threading.Barrier | None = None
        methods = {
            "status": self._status, "files": lambda params, _peer: params, "once": self._once, "retry": self._retry,
            "broken": lambda _params, _peer: 1 / 0, "unsendable": lambda _params, _peer: {1, 2},
            "ends": lambda _params, _peer: sys.exit(3), "huge": lambda _params, _peer: "x" * 8_000_000,
        }  # fmt: skip
        self.server = ControlServer(path, methods, self._beat)

    def _beat(self) -> None:
        self.beats += 1
        if (halt := self.halt) is not None:
            with contextlib.suppress(threading.BrokenBarrierError):
                halt.wait()  # that it has come here
                halt.wait()  # until it may go on

    def _status(self, _params: dict, peer: Peer) -> dict:
        self.peers.append(peer)
        return {**self.status, "as_of": time.monotonic()}

    def _once(self, _params: dict, _peer: Peer) -> str:
        self.working.release()
        assert self.release.wait(30)
        return "done"

    def _retry(self, params: dict, _peer: Peer) -> None:
        raise QbwatchError(f"no file {params['file']}", "see `qbwatch files`")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path / "run" / "control.sock")
    daemon.server.start()
    yield daemon
    daemon.release.set()
    daemon.server.stop()


@contextlib.contextmanager
def connected(path: Path, timeout: float = 15.0) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(timeout)
        client.connect(str(path))
        yield client


def read_line(client: socket.socket) -> dict:
    data = b""
    while not data.endswith(b"\n"):
        chunk = client.recv(1)
        assert chunk, "it closed without a whole line"
        data += chunk
    return json.loads(data)


def read_all(client: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := client.recv(65536):
            data += chunk
    return data


def request(method: str = "status", request_id: object = 1, **params: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}).encode() + b"\n"


# --- asking and answering -------------------------------------------------------------------------------------------


def test_a_request_is_one_line_and_so_is_its_answer(daemon):
    with connected(daemon.path) as client:
        client.sendall(request("files", "seven", state="pending"))
        assert read_line(client) == {"jsonrpc": "2.0", "id": "seven", "result": {"state": "pending"}}


def test_several_requests_are_answered_in_their_order(daemon):
    with connected(daemon.path) as client:
        client.sendall(request("files", 1) + b"\n" + request("nope", 2) + request("ping", 3) + request("files", 4))
        assert [read_line(client)["id"] for _ in range(4)] == [1, 2, 3, 4]


def test_a_request_may_arrive_in_pieces(daemon):
    with connected(daemon.path) as client:
        for byte in request("files"):
            client.send(bytes([byte]))
        assert read_line(client)["result"] == {}


def test_a_client_that_only_sends_and_ends_is_answered(daemon):
    with connected(daemon.path) as client:
        client.sendall(request("files").rstrip(b"\n"))
        client.shutdown(socket.SHUT_WR)
        assert json.loads(read_all(client))["result"] == {}


def test_the_client_returns_the_result(daemon):
    assert call(daemon.path, "files", {"name": "caf\udce9 \u2028 ü"}) == {"name": "caf\udce9 \u2028 ü"}


def test_a_huge_answer_arrives_whole(daemon):
    assert call(daemon.path, "huge") == "x" * 8_000_000


def test_an_expected_failure_arrives_with_its_hint(daemon):
    with pytest.raises(ControlError) as caught:
        call(daemon.path, "retry", {"file": "a.csv"})
    assert (caught.value.code, caught.value.message) == (-32000, "no file a.csv")
    assert caught.value.hint == "see `qbwatch files`"


def test_an_unknown_method_is_answered_with_the_known_ones(daemon):
    with pytest.raises(ControlError) as caught:
        call(daemon.path, "statsu")
    assert caught.value.code == -32601
    assert caught.value.hint == "did you mean status?"
    assert {"status", "files", "ping", "subscribe"} <= set(caught.value.data["methods"])


@pytest.mark.parametrize("method", ["broken", "unsendable", "ends"])
def test_a_bug_in_a_method_is_told_as_such_and_the_server_lives(daemon, method):
    with pytest.raises(ControlError, match="internal error") as caught:
        call(daemon.path, method)
    assert caught.value.code == -32603
    assert call(daemon.path, "files") == {}


def test_a_method_learns_who_asks(daemon):
    call(daemon.path, "status")
    (peer,) = daemon.peers
    assert (peer.pid, peer.uid, peer.gid) == (os.getpid(), os.getuid(), os.getgid())


def test_ping_tells_version_and_process(daemon):
    answer = call(daemon.path, "ping")
    assert answer["pid"] == os.getpid()
    assert set(answer) == {"version", "protocol", "pid"}


def test_a_long_method_delays_nobody(daemon):
    results: list[object] = []
    waiting = threading.Thread(target=lambda: results.append(call(daemon.path, "once", timeout=30)))
    waiting.start()
    assert daemon.working.acquire(timeout=5)
    began = time.monotonic()
    assert call(daemon.path, "files") == {}
    assert time.monotonic() - began < 1
    daemon.release.set()
    waiting.join()
    assert results == ["done"]


def test_a_client_that_leaves_before_its_answer_leaves_nothing_behind(daemon):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with connected(daemon.path) as client:
            client.sendall(request("once"))
            assert daemon.working.acquire(timeout=5)
    daemon.release.set()
    wait_until(lambda: len(os.listdir("/proc/self/fd")) <= before)
    assert call(daemon.path, "files") == {}


def test_what_somebody_asked_for_who_has_left_is_not_begun(daemon):
    daemon.halt = threading.Barrier(2)
    daemon.halt.wait()  # the loop has come round to its beat
    with connected(daemon.path) as client:
        client.sendall(request("once"))
    with connected(daemon.path) as client:
        client.sendall(request("files"))
        client.shutdown(socket.SHUT_WR)  # this one still listens
        daemon.halt.abort()
        assert json.loads(read_all(client))["result"] == {}
    assert not daemon.working.acquire(timeout=0.2)


def test_an_idle_server_rests(daemon):
    call(daemon.path, "files")
    before, beats = time.process_time(), daemon.beats
    wait_until(lambda: daemon.beats >= beats + 3)
    assert time.process_time() - before < 0.5
    assert daemon.beats < beats + 20


# --- bad clients ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"hello\n", -32700),
        (b"\x00\x01\xff\xfe\n", -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "status"\n', -32700),
        (b'{"jsonrpc": "2.0", "id": NaN, "method": "status"}\n', -32700),
        (b"[" * 100_000 + b"\n", -32700),
        (b"9" * 10_000 + b"\n", -32700),
        (b'"status"\n', -32600),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "status"}]\n', -32600),
        (b'{"jsonrpc": "2.0", "method": "status"}\n', -32600),
        (b'{"jsonrpc": "2.0", "id": [], "method": "status"}\n', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 5}\n', -32600),
        (b'{"id": 1, "method": "status"}\n', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "status", "params": [1]}\n', -32602),
        (b"x" * ((1 << 20) + 1) + b"\n", -32600),
    ],
)
def test_a_malformed_request_gets_an_error_and_the_end(daemon, line, code):
    with connected(daemon.path) as client:
        client.sendall(line + request("files"))
        answer, _, rest = read_all(client).partition(b"\n")
    assert json.loads(answer)["error"]["code"] == code
    assert rest == b""
    assert call(daemon.path, "files") == {}


def test_ten_megabytes_without_an_end_get_an_error(daemon):
    with connected(daemon.path) as client:
        client.sendall(b"x" * 10_000_000)
        client.shutdown(socket.SHUT_WR)
        assert json.loads(read_all(client))["error"]["code"] == -32600
    assert call(daemon.path, "files") == {}


def test_a_flood_without_an_end_is_not_kept_in_memory(daemon):
    with connected(daemon.path) as client:
        client.sendall(b"x" * 3_000_000)
        (connection,) = daemon.server._loop._connections
        assert len(connection._inbox) <= (1 << 20) + 65536


def test_half_a_line_and_goodbye_disturb_nobody(daemon):
    for _ in range(100):
        with connected(daemon.path) as client:
            client.sendall(request("files")[:20])
    assert call(daemon.path, "files") == {}


def test_a_silent_client_is_let_go_with_an_error(daemon, monkeypatch):
    monkeypatch.setattr(control_connection, "REQUEST_PATIENCE", 0.3)
    with connected(daemon.path) as silent, connected(daemon.path) as dripping:
        dripping.sendall(b'{"jsonrpc"')
        for client in (silent, dripping):
            assert json.loads(read_all(client))["error"]["code"] == -32001


def test_a_client_that_does_not_read_is_dropped(daemon, monkeypatch):
    monkeypatch.setattr(control_connection, "ANSWER_PATIENCE", 0.3)
    with connected(daemon.path) as client:
        client.sendall(request("huge"))
        wait_until(lambda: any(each.wants_write for each in list(daemon.server._loop._connections)))
        wait_until(lambda: not daemon.server._loop._connections)
        assert len(read_all(client)) < 8_000_000
    assert call(daemon.path, "files") == {}


def test_two_hundred_clients_at_once_are_all_answered(daemon):
    answers: list[object] = []

    def ask(number: int) -> None:
        answers.append(call(daemon.path, "files", {"number": number}, timeout=20)["number"])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == list(range(200))
    wait_until(lambda: not daemon.server._loop._connections)


def test_a_hundred_silent_clients_keep_nobody_from_asking(daemon):
    with contextlib.ExitStack() as stack:
        for _ in range(control_loop.MOST_CLIENTS + 36):
            stack.enter_context(connected(daemon.path))
        assert call(daemon.path, "files") == {}


def test_no_descriptor_is_lost_over_many_clients(daemon):
    before = len(os.listdir("/proc/self/fd"))
    for number in range(300):
        with connected(daemon.path) as client:
            client.sendall((b"junk\n", b"", request("files"), request("subscribe"))[number % 4])
    wait_until(lambda: len(os.listdir("/proc/self/fd")) <= before)


# --- subscribing ----------------------------------------------------------------------------------------------------


def test_a_subscriber_gets_the_status_now_and_at_each_change(daemon):
    feed = stream(daemon.path)
    assert next(feed)["health"] == "ok"
    for health in ("warning", "error"):
        daemon.status["health"] = health
        daemon.server.notify_changed()
        assert next(feed)["health"] == health
    feed.close()
    wait_until(lambda: not daemon.server._loop._connections)


def test_a_change_that_nobody_reports_is_seen_within_seconds(daemon):
    feed = stream(daemon.path)
    next(feed)
    daemon.status["health"] = "error"
    assert next(feed)["health"] == "error"


def test_an_unchanged_status_is_repeated_as_a_sign_of_life_only(daemon, monkeypatch):
    with connected(daemon.path) as client:
        client.sendall(request("subscribe"))
        assert set(read_line(client)["result"]) == {"version", "protocol"}
        assert read_line(client)["method"] == "status"
        asked = len(daemon.peers)
        wait_until(lambda: len(daemon.peers) >= asked + 2)
        client.settimeout(0.01)
        with pytest.raises(TimeoutError):
            client.recv(1)
        monkeypatch.setattr(control_status, "_REPEAT_AFTER", 0.0)
        client.settimeout(5)
        assert read_line(client)["method"] == "status"


def test_nobody_computes_a_status_that_nobody_wants(daemon):
    daemon.server.notify_changed()
    feed = stream(daemon.path)
    next(feed)
    feed.close()
    wait_until(lambda: not daemon.server._loop._connections)
    asked, beats = len(daemon.peers), daemon.beats
    daemon.server.notify_changed()
    wait_until(lambda: daemon.beats >= beats + 3)
    assert len(daemon.peers) <= asked + 1  # one may have been under way


def test_a_burst_of_changes_becomes_a_few_messages(daemon):
    feed = stream(daemon.path)
    next(feed)
    asked = len(daemon.peers)
    for _ in range(10_000):
        daemon.server.notify_changed()
    daemon.status["health"] = "error"
    assert next(feed)["health"] == "error"
    assert len(daemon.peers) - asked < 30


def test_a_subscriber_that_does_not_read_is_dropped_alone(daemon, monkeypatch):
    monkeypatch.setattr(control_connection, "ANSWER_PATIENCE", 0.5)
    daemon.status["filler"] = "x" * 300_000
    with connected(daemon.path) as sleepy:
        sleepy.sendall(request("subscribe"))
        feed = stream(daemon.path)
        for count in range(20):
            daemon.status["count"] = count
            daemon.server.notify_changed()
            while next(feed)["count"] != count:
                pass
        wait_until(lambda: len(daemon.server._loop._connections) == 1)
        feed.close()


def test_a_status_that_fails_for_a_while_ends_no_stream(daemon):
    feed = stream(daemon.path)
    next(feed)
    daemon.status["health"] = object()  # not JSON
    daemon.server.notify_changed()
    asked = len(daemon.peers)
    wait_until(lambda: len(daemon.peers) > asked)
    daemon.status["health"] = "ok"
    assert next(feed)["health"] == "ok"


def test_there_is_a_place_left_beside_the_subscribers(daemon):
    with contextlib.ExitStack() as stack:
        refused = 0
        for _ in range(40):
            client = stack.enter_context(connected(daemon.path))
            client.sendall(request("subscribe"))
            refused += read_line(client).get("error", {}).get("code") == -32003
        assert refused == 8
        assert call(daemon.path, "files") == {}


def test_a_subscriber_hears_at_once_that_the_daemon_stopped(daemon):
    feed = stream(daemon.path)
    next(feed)
    daemon.server.stop()
    with pytest.raises(ControlUnreachable) as caught:
        next(feed)
    assert caught.value.kind is Unreachable.BROKEN


# --- the name -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_the_mode_does_not_depend_on_the_umask(tmp_path, umask):
    (tmp_path / "run").mkdir()
    before = os.umask(umask)
    try:
        bound = bind_socket(tmp_path / "run" / "control.sock")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(bound.path).st_mode) == 0o660
    bound.release()


def test_a_folder_that_we_make_is_closed_to_strangers(daemon):
    assert stat.S_IMODE(daemon.path.parent.stat().st_mode) == 0o750


def test_a_folder_that_exists_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o711)
    bind_socket(tmp_path / "control.sock").release()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o711


def test_a_left_over_socket_is_replaced(tmp_path):
    path = tmp_path / "control.sock"
    code = f"import socket, os; s = socket.socket(1); s.bind({str(path)!r}); s.listen(); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert path.is_socket()
    daemon = Daemon(path)
    daemon.server.start()
    assert call(path, "files") == {}
    daemon.server.stop()
    assert not path.exists()


def test_a_live_socket_is_not_stolen(daemon):
    with pytest.raises(QbwatchError, match=f"another qbwatch answers at {daemon.path} \\(process {os.getpid()}\\)"):
        Daemon(daemon.path).server.start()
    assert call(daemon.path, "files") == {}


def test_the_socket_of_a_stopped_process_is_not_stolen(tmp_path):
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as frozen, contextlib.ExitStack() as stack:
        frozen.bind(str(path))
        frozen.listen(0)
        with pytest.raises(QbwatchError, match="another qbwatch answers"):
            bind_socket(path)
        for _ in range(3):  # nobody accepts, so the queue of callers is full in the end
            waiting = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            waiting.setblocking(False)
            full = waiting.connect_ex(str(path)) == errno.EAGAIN
        assert full
        with pytest.raises(QbwatchError, match="another qbwatch answers"):
            bind_socket(path)


def test_of_many_that_start_at_once_exactly_one_gets_the_name(tmp_path):
    path = tmp_path / "control.sock"
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).bind(str(path))  # left over: nobody listens there
    barrier, won, lost = threading.Barrier(16), [], []

    def claim() -> None:
        barrier.wait()
        try:
            won.append(bind_socket(path))
        except QbwatchError:
            lost.append(1)

    threads = [threading.Thread(target=claim) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 15)
    won[0].release()


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("/nonexistent")])
def test_what_is_not_a_socket_is_never_removed(tmp_path, make):
    path = tmp_path / "control.sock"
    make(path)
    before = path.lstat()
    with pytest.raises(QbwatchError, match="is not a socket, so it stays"):
        bind_socket(path)
    assert path.lstat().st_ino == before.st_ino


def test_only_our_own_file_is_removed_on_stopping(daemon):
    daemon.path.unlink()
    other = Daemon(daemon.path)
    other.server.start()
    daemon.server.stop()
    assert call(daemon.path, "files") == {}
    other.server.stop()
    assert not daemon.path.exists()


def test_stopping_delivers_the_answer_under_way_and_takes_no_new_ones(daemon):
    with connected(daemon.path) as client:
        client.sendall(request("once"))
        assert daemon.working.acquire(timeout=5)
        stopping = threading.Thread(target=daemon.server.stop)
        stopping.start()
        wait_until(lambda: not daemon.path.exists())
        daemon.release.set()
        assert read_line(client)["result"] == "done"
        stopping.join()
    assert not daemon.server.is_alive


def test_stopping_twice_or_before_the_start_is_harmless(tmp_path):
    daemon = Daemon(tmp_path / "control.sock")
    daemon.server.stop()
    daemon.server.start()
    daemon.server.stop()
    daemon.server.stop()


def test_a_path_that_is_too_long_is_explained(tmp_path):
    path = tmp_path / ("x" * 120)
    with pytest.raises(QbwatchError, match="longer than the 107 bytes"):
        bind_socket(path)
    with pytest.raises(ControlUnreachable, match="too long"):
        call(path, "status")


def test_a_path_of_exactly_the_longest_length_works(tmp_path):
    path = tmp_path / ("x" * (107 - len(os.fsencode(tmp_path)) - 1))
    bound = bind_socket(path)
    bound.release()
    assert not path.exists()


def test_a_folder_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(QbwatchError, match="can't create the control socket") as caught:
        bind_socket(tmp_path / "file" / "control.sock")
    assert "RuntimeDirectory" in caught.value.hint


# --- who may ask ----------------------------------------------------------------------------------------------------


def ask_as(path: Path, uid: int, groups: list[int]) -> str:
    """What a process of another user gets: the result, or the name of the failure."""
    code = (
        "import os, sys, pathlib\n"
        "from qbwatch.edges.control_client import call\n"
        f"os.setgroups({groups}); os.setgid({uid}); os.setuid({uid})\n"
        f"try: print(call(pathlib.Path({str(path)!r}), 'files'))\n"
        "except Exception as it: print(type(it).__name__, getattr(it, 'code', ''), getattr(it, 'kind', ''))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def open_daemon() -> Iterator[Daemon]:
    """A server in a folder that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="qbwatch-test-") as folder:
        Path(folder).chmod(0o755)
        daemon = Daemon(Path(folder) / "control.sock")
        daemon.server.start()
        yield daemon
        daemon.server.stop()


@needs_root
def test_a_stranger_is_refused_by_the_mode(open_daemon):
    nobody = pwd.getpwnam("nobody").pw_uid
    assert ask_as(open_daemon.path, nobody, []) == "ControlUnreachable  denied"


@needs_root
def test_a_stranger_is_refused_although_the_mode_was_opened(open_daemon):
    nobody = pwd.getpwnam("nobody").pw_uid
    open_daemon.path.chmod(0o666)
    assert ask_as(open_daemon.path, nobody, []) == "ControlError -32002"


@needs_root
def test_a_member_of_the_group_is_answered(open_daemon):
    nobody, group = pwd.getpwnam("nobody").pw_uid, open_daemon.path.stat().st_gid
    assert ask_as(open_daemon.path, nobody, [group]) == "{}"


# --- what the client learns -----------------------------------------------------------------------------------------


def unreachable(path: Path, timeout: float = 5.0) -> ControlUnreachable:
    with pytest.raises(ControlUnreachable) as caught:
        call(path, "status", timeout=timeout)
    assert caught.value.hint
    return caught.value


def test_without_a_socket_the_daemon_is_not_running(tmp_path):
    (tmp_path / "file").touch()
    assert unreachable(tmp_path / "absent.sock").kind is Unreachable.ABSENT
    assert unreachable(tmp_path / "file" / "control.sock").kind is Unreachable.ABSENT


def test_a_left_over_socket_is_told_from_a_missing_one(tmp_path):
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    assert unreachable(path).kind is Unreachable.REFUSED


@pytest.mark.parametrize("backlog", [0, 16])
def test_a_daemon_that_does_not_answer_is_given_up_in_time(tmp_path, backlog):
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as frozen, contextlib.ExitStack() as stack:
        frozen.bind(str(path))
        frozen.listen(backlog)
        stack.enter_context(connected(path))  # takes the only place in the shorter queue
        began = time.monotonic()
        error = unreachable(path, timeout=0.4)
        assert 0.3 < time.monotonic() - began < 2
        assert error.kind is Unreachable.TIMED_OUT
        assert "within 0.4 s" in error.message


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b'{"jsonrpc": "2.0", "id": 1}\n', b"[]\n"]
)
def test_something_else_that_answers_there_is_recognised(tmp_path, answer):
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(path))
        other.listen()

        def serve() -> None:
            client, _ = other.accept()
            with client:
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert unreachable(path).kind is Unreachable.BROKEN
        thread.join()


def test_the_client_imports_nothing_heavy():
    code = f"import sys, {control_client.__name__}; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"structlog", "pydantic", "psycopg", "logging", "asyncio", "sqlalchemy"} & set(modules)
