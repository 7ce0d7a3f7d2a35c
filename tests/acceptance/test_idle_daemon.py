"""A daemon that has nothing to do costs next to nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from dropping import company_exports
from holding import drop_all
from installation import Installation
from measuring import cpu_seconds, memory_mb, open_files
from waiting import wait_until
from without_dbt import COMMAND

MEMORY = 80  # MB
PROCESSOR = 0.01  # of one
WATCHED_FOR = 8.0  # seconds


@pytest.mark.timeout(240)
def test_after_its_work_it_is_small_and_at_rest(install: Callable[..., Installation]) -> None:
    files = company_exports(os.environ.get("QBWATCH_CORPUS"))
    installation = install()
    installation.command = COMMAND
    installation.start()
    drop_all(files, installation.root / "drop")
    installation.wait_settled(len(files))
    assert installation.daemon is not None
    pid, before = installation.daemon.pid, open_files(installation.daemon.pid)
    wait_until(lambda: cpu_of(pid, 1.0) < 0.05, 30, "the end of the work")
    assert cpu_of(pid, WATCHED_FOR) <= PROCESSOR
    assert memory_mb(pid) < MEMORY
    installation.status()
    wait_until(lambda: open_files(pid) <= before, what="all to be closed again")


def cpu_of(pid: int, seconds: float) -> float:
    """The share of one processor that a process uses in the coming seconds: a span that has to pass to be measured."""
    used = cpu_seconds(pid)
    time.sleep(seconds)
    return (cpu_seconds(pid) - used) / seconds
