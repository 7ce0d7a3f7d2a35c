"""Tests that are killed leave no server, no daemon and no folder behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from guarding import clear, processes_in
from waiting import wait_until

TESTS = Path(__file__).parents[1]

# What a test session does: a folder, a server and another process in it, the server started anew since; then it waits.
SESSION = """
import subprocess, sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/.."]
from guarding import temporary_folder
from qbwatch.edges.embedded import EmbeddedPostgres
with temporary_folder("qbwatch-test-guard-") as folder:
    server = EmbeddedPostgres(folder / ("long" * 25) / "postgres", durable=False)
    server.start()
    server.stop("immediate")
    server.start()
    subprocess.Popen(["sleep", "1000"], cwd=folder, start_new_session=True)
    print(folder, (server.data / "socket-directory").read_text(), flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["killed", "terminated", "ended"])
def test_nothing_is_left_of_a_session_that_is(how: str) -> None:
    session = subprocess.Popen(
        [sys.executable, "-c", SESSION, str(TESTS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert session.stdin is not None
    assert session.stdout is not None
    folder, sockets = map(Path, session.stdout.readline().split())
    try:
        assert b"postgres" in processes_in(folder).values()
        assert b"sleep" in processes_in(folder).values()
        {"killed": session.kill, "terminated": session.terminate, "ended": session.stdin.close}[how]()
        session.wait(30)
        wait_until(lambda: not folder.exists(), 30, "the folder to be removed")
        assert processes_in(folder) == {}
        assert not sockets.exists()
    finally:
        session.kill()
        session.wait()
        session.stdout.close()
        clear(folder)
