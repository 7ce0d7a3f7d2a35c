"""`qbwatch demo --keep`: what it prints can be done; and Ctrl-C in the middle leaves nothing behind.

That the demo as a whole ends well and clears up is tried from the wheel.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from demonstration import DEMO_WITHIN, assert_tells_all, elsewhere, processes_below, run_demo, surroundings
from installation import COMMAND
from waiting import wait_until


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder; whatever still runs below it afterwards is ended, also when its files are gone."""
    with elsewhere() as made:
        try:
            yield made
        finally:
            for pid in processes_below(made):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGQUIT)
            wait_until(lambda: not processes_below(made), 20, "everything of the demo to end")


@pytest.mark.timeout(DEMO_WITHIN + 120)
def test_what_a_kept_demo_prints_can_be_done(folder: Path) -> None:
    root, env = folder / "kept", surroundings(folder)
    done = run_demo([*COMMAND, "demo", "--keep", "--directory", str(root)], folder, env)

    assert done.returncode == 0, done.stderr
    assert_tells_all(done.stdout)
    lines = done.stdout.partition("It goes on running. Look around:\n")[2].splitlines()
    commands = {line.split()[0]: line.strip() for line in lines if not line.strip().startswith("qbwatch")}
    own = [shlex.split(line)[1:] for line in lines if line.strip().startswith("qbwatch")]

    assert [arguments[0] for arguments in own] == ["status", "files", "why"]
    for arguments in own:
        answer = subprocess.run([*COMMAND, *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True)
        assert re.search(r"Sales_Receipt_\S+\.csv", answer.stdout)
    with psycopg.connect(shlex.split(commands["psql"])[1]) as connection:
        assert connection.execute("SELECT count(*) > 100 FROM analytics_mart.fct_orders").fetchone() == (True,)
    assert "run ended" in Path(shlex.split(commands["less"])[1]).read_text("utf-8")
    assert Path(shlex.split(commands["cp"])[2]).is_dir()

    ended = subprocess.run(["/bin/sh", "-c", commands["kill"]], cwd=folder, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not root.exists()
    assert processes_below(root) == {}


@pytest.mark.timeout(DEMO_WITHIN)
def test_ctrl_c_in_the_middle_leaves_nothing_behind(folder: Path) -> None:
    command = [sys.executable, "-m", "qbwatch.cli", "demo"]
    demo = subprocess.Popen(
        command, cwd=folder, env=surroundings(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(
            lambda: any(each.startswith("dbt-build: ") for each in processes_below(folder).values()), 60, "dbt to run"
        )
        demo.send_signal(signal.SIGINT)
        _, complaint = demo.communicate(timeout=45)
    finally:
        demo.kill()

    assert demo.returncode == 130
    assert "Traceback" not in complaint
    assert processes_below(folder) == {}
    assert list(folder.iterdir()) == []
