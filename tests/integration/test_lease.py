"""Asking the kernel for writers, with real processes that write."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qbwatch.edges.lease import has_writer

NOBODY = 65534

# Holds a lease while another process asks to write, which is when the kernel sends its signal; lives it still?
_HOLDER = """
import fcntl, os, subprocess, sys, time
from qbwatch.edges.lease import read_lease
path, lease = sys.argv[1], sys.argv[2]
descriptor = os.open(path, os.O_RDONLY)
def break_it():
    opener = subprocess.Popen([sys.executable, "-c", f"open({path!r}, 'a').close()"])
    while int(fcntl.fcntl(descriptor, fcntl.F_GETLEASE)) != fcntl.F_UNLCK and opener.poll() is None:
        time.sleep(0.01)
    return opener
if lease == "ours":
    with read_lease(descriptor):
        opener = break_it()
else:
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    opener = break_it()
assert opener.wait(10) == 0
print("alive")
"""


@contextmanager
def writer(path: Path, mode: str) -> Iterator[None]:
    """Another process that holds the file open."""
    script = f"import sys; file = open({str(path)!r}, {mode!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        try:
            yield
        finally:
            process.communicate("")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text("x")
    return path


@pytest.mark.parametrize("mode", ["a", "r+"])
def test_a_process_that_writes_is_seen_until_it_closes_the_file(path: Path, mode: str) -> None:
    assert has_writer(os.fsencode(path)) is False
    with writer(path, mode):
        assert has_writer(os.fsencode(path)) is True
    assert has_writer(os.fsencode(path)) is False


def test_a_process_that_reads_is_no_writer(path: Path) -> None:
    with writer(path, "r"):
        assert has_writer(os.fsencode(path)) is False


def test_asking_leaves_no_lease_and_no_descriptor_behind(path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        has_writer(os.fsencode(path))
    assert os.listdir("/proc/self/fd") == before
    with writer(path, "a"):  # would block for the system's lease break time
        assert has_writer(os.fsencode(path)) is True


def test_what_is_no_regular_file_gets_no_answer_and_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to("/etc/passwd")
    for name in (b"pipe.csv", b"link.csv", b"missing.csv"):
        assert has_writer(name, tmp_path) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else than the owner")
def test_a_file_of_somebody_else_gets_no_answer() -> None:
    with tempfile.NamedTemporaryFile() as file:
        os.chmod(file.name, 0o644)
        os.seteuid(NOBODY)
        try:
            assert has_writer(os.fsencode(file.name)) is None
        finally:
            os.seteuid(0)


def hold(path: Path, lease: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _HOLDER, str(path), lease]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_somebody_who_opens_the_file_during_the_question_does_not_end_us(path: Path) -> None:
    held = hold(path, "ours")
    assert (held.returncode, held.stdout) == (0, "alive\n"), held.stderr


def test_a_lease_without_our_precaution_would_have_ended_the_process(path: Path) -> None:
    assert hold(path, "plain").returncode < 0
