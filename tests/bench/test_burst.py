"""How long 40,000 files that eight processes drop at once take into the ledger, without anybody's help.

The ledger is where a burst ends for the watcher: from then on the work table holds it. QBWATCH_BENCH_BURST: how many.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from installation import Installation
from measuring import cpu_seconds, memory_mb, show_facts
from waiting import wait_until
from without_dbt import COMMAND

FILES = int(os.environ.get("QBWATCH_BENCH_BURST", "40000"))
WRITERS = 8
_WRITE = """
import sys
folder, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for number in range(first, last):
    with open(f"{folder}/Customers {number}.csv", "w") as file:
        file.write(f"QuickBooks Internal Id,Customer Name\\r\\n{number},Customer {number}\\r\\n")
"""


@pytest.mark.timeout(3600)
def test_a_burst_ends_in_the_ledger(install: Callable[..., Installation]) -> None:
    installation = install(settle="500ms")
    installation.command = COMMAND
    installation.start()
    assert installation.daemon is not None
    pid, began = installation.daemon.pid, time.monotonic()
    share = FILES // WRITERS
    writing = [
        subprocess.Popen([sys.executable, "-c", _WRITE, str(installation.input), str(n * share), str((n + 1) * share)])
        for n in range(WRITERS)
    ]
    assert [writer.wait() for writer in writing] == [0] * WRITERS
    written = time.monotonic()
    asked = time.monotonic()
    daemon = installation.status()["daemon"]
    answered = time.monotonic() - asked
    wait_until(lambda: versions(installation) >= share * WRITERS, 3000, "all files in the ledger")
    ended = time.monotonic()
    assert installation.query("SELECT count(*), count(DISTINCT path) FROM qbwatch.files") == [
        (share * WRITERS, share * WRITERS)
    ]
    facts = [
        ("written within", f"{written - began:.1f} s"),
        ("in the ledger after", f"{ended - began:.1f} s"),
        ("a second", f"{share * WRITERS / (ended - began):.0f}"),
        ("events missed (overflows of the kernel's queue)", str(daemon["events_missed"])),
        ("one status call in the middle", f"{answered * 1000:.0f} ms"),
        ("processor time of the daemon, each", f"{cpu_seconds(pid) / (share * WRITERS) * 1000:.1f} ms"),
        ("memory, peak", f"{memory_mb(pid, 'VmHWM'):.0f} MB"),
    ]
    show_facts(f"{share * WRITERS:,} files from {WRITERS} processes", facts)


def versions(installation: Installation) -> int:
    """How many files the ledger knows; asked twice a second, for asking costs the same processor."""
    assert installation.daemon is not None
    assert installation.daemon.poll() is None, installation.log[-4000:]
    time.sleep(0.5)
    return int(installation.query("SELECT count(*) FROM qbwatch.files")[0][0])
