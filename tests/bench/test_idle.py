"""What an idle daemon costs: memory, processor, descriptors. Nothing is judged here, only printed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dropping import company_exports
from holding import drop_all
from installation import Installation
from measuring import cpu_seconds, memory_mb, open_files, show_facts
from small_dbt import children
from waiting import wait_until

IDLE_SECONDS = float(os.environ.get("QBWATCH_BENCH_IDLE", "10"))
CALLS = 20


@pytest.mark.timeout(600)
def test_an_idle_daemon(install: Callable[..., Installation]) -> None:
    files = company_exports(os.environ.get("QBWATCH_CORPUS"))
    installation = install()
    installation.start()
    assert installation.daemon is not None
    pid = installation.daemon.pid
    fresh, cpu_fresh = memory_mb(pid), idle_cpu(pid)

    drop_all(files, installation.root / "drop")
    installation.wait_settled(len(files))
    loaded, peak, cpu_loaded = memory_mb(pid), memory_mb(pid, "VmHWM"), idle_cpu(pid)

    with_dbt, warm = family_mb(pid), children(pid, "dbt-warm")
    for each in warm:  # as it ends by itself after ten idle minutes
        os.kill(each, signal.SIGKILL)
    wait_until(lambda: not children(pid, "dbt-warm"), 10, "the warm dbt to be gone")
    without_dbt = family_mb(pid)

    before = open_files(pid)
    began = cpu_seconds(pid)
    for _ in range(CALLS):
        installation.json("status")
    a_call = (cpu_seconds(pid) - began) / CALLS
    facts = [
        ("memory, idle after the start", f"{fresh:.0f} MB"),
        (f"memory, idle after {len(files)} files", f"{loaded:.0f} MB"),
        (f"the same with its children, {len(warm)} warm dbt among them", f"{with_dbt:.0f} MB"),
        ("the same with its children, without a warm dbt", f"{without_dbt:.0f} MB"),
        ("memory, peak while loading them", f"{peak:.0f} MB"),
        (f"memory after {CALLS} status calls", f"{memory_mb(pid):.0f} MB"),
        (f"processor while idle for {IDLE_SECONDS:.0f} s, fresh", f"{cpu_fresh:.2f} %"),
        (f"processor while idle for {IDLE_SECONDS:.0f} s, loaded", f"{cpu_loaded:.2f} %"),
        ("processor time for one status call", f"{a_call * 1000:.0f} ms"),
        (f"open descriptors before and after {CALLS} status calls", f"{before} and {open_files(pid)}"),
    ]
    show_facts("An idle daemon", facts)


def family_mb(pid: int) -> float:
    """Resident memory of a process and all its descendants; what they share counts for each."""
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for task in Path(f"/proc/{pid}/task").iterdir():
        if task.name != str(pid):
            below += (task / "children").read_text().split()
    return memory_mb(pid) + sum(family_mb(int(child)) for child in below)


def idle_cpu(pid: int) -> float:
    """Per cent of one processor that a process uses while nothing happens."""
    before = cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    return (cpu_seconds(pid) - before) / IDLE_SECONDS * 100
