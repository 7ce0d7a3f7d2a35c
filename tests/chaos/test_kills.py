"""kill -9 at random moments, again and again, while files come in: the end is that of an undisturbed run.

The moments follow from a seed (``QBWATCH_CHAOS_SEED``), which is printed with a table of what each kill hit;
``QBWATCH_CHAOS_KILLS`` says how many.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from aftermath import (
    Content,
    assert_every_file_has_one_outcome,
    assert_nothing_is_left_over,
    content_of,
    dbt_processes,
)
from dropping import Dropper
from holding import drop_all, held, items, waits_in_a_load
from installation import Installation
from waiting import wait_until

from qbwatch.core.failure import CRASHES_ALLOWED
from qbwatch.demo.exports import ExportFile
from qbwatch.edges.control_client import ControlUnreachable, call

KILLS = int(os.environ.get("QBWATCH_CHAOS_KILLS", "12"))
SEED = int(os.environ.get("QBWATCH_CHAOS_SEED", "1"))
LONGEST_LIFE = 5.0  # seconds: enough to start, load a batch and be in the middle of its dbt
TAKEN_OVER_WITHIN = 30.0  # seconds; far less than the minute that a statement may wait for a lock


@pytest.mark.timeout(900)
def test_killed_at_random_moments_nothing_is_lost_or_doubled(
    install: Callable[..., Installation], files: list[ExportFile], undisturbed: Content
) -> None:
    installation = install()
    chance = random.Random(SEED)
    lives = [chance.uniform(0.2, LONGEST_LIFE) for _ in range(KILLS)]
    dropper = Dropper(files, installation.root / "drop", sum(lives) * 0.9, SEED)
    dropper.start()

    kills = [live_and_die(installation, life) for life in lives]
    dropper.join()
    last_start = time.monotonic()
    installation.start()
    status = installation.wait_settled(len(files))
    show(kills, len(files), time.monotonic() - last_start)

    # Late files that are folded together are loading together: a kill counts for each of them, and for no other.
    were_loading = sum(int(count) for kill in kills for count in re.findall(r"(\d+) loading", kill.hit))
    assert installation.query("SELECT coalesce(sum(crashes), 0) FROM qbwatch.work_items")[0][0] <= were_loading
    if status["quarantined"]:
        release_what_was_hit_too_often(installation, len(files))
    assert_every_file_has_one_outcome(installation, files)
    assert content_of(installation.url) == undisturbed
    assert_nothing_is_left_over(installation)
    assert installation.stop() == 0


def test_an_item_whose_load_kills_the_process_three_times_is_parked_until_a_person_retries(
    install: Callable[..., Installation], customers_and_invoices: list[ExportFile]
) -> None:
    customers, invoices = (file.name for file in customers_and_invoices)
    installation = install()
    installation.start()
    with held(installation.url, "quickbooks_invoices"):
        drop_all(customers_and_invoices, installation.root / "drop")
        for crashes in range(1, CRASHES_ALLOWED + 1):
            wait_until(lambda: waits_in_a_load(installation), 60, "the load of invoices to be held up")
            installation.kill()
            killed_at = time.monotonic()
            installation.start()
            wait_until(
                lambda known=crashes: items(installation)[invoices][2] == known,  # type: ignore[misc]
                TAKEN_OVER_WITHIN,
                "the next daemon to take over",
            )
            print(f"\ntaken over {time.monotonic() - killed_at:.1f} s after kill {crashes} in a lock wait")
        status = installation.wait_settled(2)

    assert items(installation)[customers] == ("loaded", 1, 0)
    assert [(entry["name"], entry["reason"]) for entry in status["quarantined"]] == [
        (invoices, f"qbwatch died {CRASHES_ALLOWED} times while loading it")
    ]

    assert installation.run("retry", invoices).returncode == 0
    wait_until(lambda: items(installation)[invoices][0] == "loaded", 60, "the released item to be loaded")
    assert installation.wait_settled(2)["quarantined"] == []


@dataclass(frozen=True, slots=True)
class Kill:
    """What one kill hit. ``answered_after`` is None when the daemon that was killed had not answered yet."""

    life: float
    answered_after: float | None
    hit: str


def live_and_die(installation: Installation, life: float) -> Kill:
    """Start a daemon, watch for its first answer, kill it after ``life`` seconds, and see what it leaves."""
    began = time.monotonic()
    installation.launch()
    answered_after = None
    while (age := time.monotonic() - began) < life:
        if answered_after is None and works(installation):
            answered_after = age
        time.sleep(min(0.02, life - age))
    had_dbt = any(dbt_processes(installation.root))
    installation.kill()
    return Kill(life, answered_after, hit_by_kill(installation, had_dbt))


def works(installation: Installation) -> bool:
    """Whether the daemon answers and is past its start."""
    try:
        answer = call(installation.root / "control.sock", "status", timeout=0.5)
    except ControlUnreachable:
        return False
    return answer["daemon"]["state"] in ("idle", "running") and answer["answered_by"] == "daemon"


def hit_by_kill(installation: Installation, had_dbt: bool) -> str:
    """What the work table says right after a kill."""
    if not installation.query("SELECT to_regclass('qbwatch.work_items') IS NOT NULL")[0][0]:
        return "before there was a work table"
    states = installation.query("SELECT state, count(*) FROM qbwatch.work_items GROUP BY 1 ORDER BY 1")
    said = ", ".join(f"{count} {state}" for state, count in states) or "no item yet"
    step = installation.query("SELECT step FROM qbwatch.runs WHERE status = 'running'")
    return said + (f"; run at {step[0][0]}" if step else "") + ("; dbt at work" if had_dbt else "")


def show(kills: Sequence[Kill], files: int, until_well: float) -> None:
    """Print the table."""
    print(f"\n\n{len(kills)} kills, seed {SEED}, {files} files")
    print(f"{'kill':>4}  {'lived':>6}  {'answered after':>14}  what the work table said")
    for number, kill in enumerate(kills, start=1):
        answered = "-" if kill.answered_after is None else f"{kill.answered_after:.2f} s"
        print(f"{number:>4}  {kill.life:>4.2f} s  {answered:>14}  {kill.hit}")
    print(f"all was well {until_well:.1f} s after the start that followed the last kill")


def release_what_was_hit_too_often(installation: Installation, files: int) -> None:
    """Chance may hit one item's load three times: it is then parked by rule, and a person's `retry` loads it."""
    parked = installation.query("SELECT crashes, failure_code FROM qbwatch.work_items WHERE state = 'quarantined'")
    assert set(parked) == {(CRASHES_ALLOWED, "kills_the_process")}
    assert installation.run("retry", "--all").returncode == 0
    installation.wait_settled(files)
