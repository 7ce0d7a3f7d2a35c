"""Postgres goes down as if the power failed, at random moments, while files come in; the daemon is left alone.

``QBWATCH_CHAOS_OUTAGES`` says how often; the moments follow from ``QBWATCH_CHAOS_SEED``.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aftermath import Content, assert_every_file_has_one_outcome, assert_nothing_is_left_over, content_of
from dropping import Dropper
from installation import Installation
from waiting import wait_until

from qbwatch.demo.exports import ExportFile
from qbwatch.edges.embedded import EmbeddedPostgres

OUTAGES = int(os.environ.get("QBWATCH_CHAOS_OUTAGES", "4"))
SEED = int(os.environ.get("QBWATCH_CHAOS_SEED", "1"))
LONGEST_UP, LONGEST_DOWN = 6.0, 2.0  # seconds


@pytest.mark.timeout(900)
def test_postgres_dies_again_and_again_and_nobody_has_to_do_anything(
    install: Callable[..., Installation], files: list[ExportFile], undisturbed: Content, state_directory: Path
) -> None:
    server = EmbeddedPostgres(state_directory / "postgres", durable=False)
    installation = install(url=server.start())
    installation.start()
    assert installation.daemon is not None
    pid = installation.daemon.pid
    chance = random.Random(SEED)
    ups = [chance.uniform(1.0, LONGEST_UP) for _ in range(OUTAGES)]
    dropper = Dropper(files, installation.root / "drop", sum(ups), SEED)
    dropper.start()

    print(f"\n\n{OUTAGES} outages, seed {SEED}, {len(files)} files")
    print(f"{'outage':>6}  {'up for':>6}  {'down for':>8}  {'at work again after':>19}  what the work table said")
    for number, up in enumerate(ups, start=1):
        time.sleep(up)
        said, down = what_the_table_says(installation), chance.uniform(0.3, LONGEST_DOWN)
        server.stop("immediate")
        time.sleep(down)
        server.start()
        back = time.monotonic()
        wait_until(lambda: holds_the_lock(installation), 60, "the daemon to take its lock again")
        print(f"{number:>6}  {up:>4.1f} s  {down:>6.1f} s  {time.monotonic() - back:>17.1f} s  {said}")
    dropper.join()
    back = time.monotonic()
    status = installation.wait_settled(len(files))
    print(f"all was well {time.monotonic() - back:.1f} s after the last outage and the last file")

    assert installation.daemon.pid == pid
    assert installation.daemon.poll() is None
    assert status["daemon"]["pid"] == pid
    assert status["quarantined"] == []
    assert installation.query("SELECT count(*) FROM qbwatch.work_items WHERE crashes > 0") == [(0,)]
    assert_every_file_has_one_outcome(installation, files)
    assert content_of(installation.url) == undisturbed
    assert_nothing_is_left_over(installation)
    assert installation.stop() == 0


def what_the_table_says(installation: Installation) -> str:
    """Items by state, and where the run is."""
    states = installation.query("SELECT state, count(*) FROM qbwatch.work_items GROUP BY 1 ORDER BY 1")
    step = installation.query("SELECT step FROM qbwatch.runs WHERE status = 'running'")
    said = ", ".join(f"{count} {state}" for state, count in states) or "no item yet"
    return said + (f"; run at {step[0][0]}" if step else "")


def holds_the_lock(installation: Installation) -> bool:
    """Whether a session holds the one-instance lock, without which nothing is loaded."""
    query = """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = x'7162'::int AND objid = 1
               AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    return bool(installation.query(query)[0][0])
