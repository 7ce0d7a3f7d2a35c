"""kill -9 at random moments, again and again, while files come in: the end is that of an undisturbed run.

The moments follow from a seed (``QBWATCH_CHAOS_SEED``), which is printed with a table of what each kill hit;
``QBWATCH_CHAOS_KILLS`` says how many.
"""

from __future__ import annotations

import os
import random
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
    undisturbed_content,
)
from dropping import Dropper, company_exports
from installation import Installation
from waiting import wait_until

from qbwatch.core.failure import CRASHES_ALLOWED
from qbwatch.demo.exports import ExportFile
from qbwatch.edges.control_client import ControlUnreachable, call

KILLS = int(os.environ.get("QBWATCH_CHAOS_KILLS", "12"))
SEED = int(os.environ.get("QBWATCH_CHAOS_SEED", "1"))
LONGEST_LIFE = 5.0  # seconds: enough to start, load a batch and be in the middle of its dbt
FILES = company_exports(os.environ.get("QBWATCH_CORPUS"))


@pytest.fixture
def undisturbed(install: Callable[..., Installation], second_database_url: str) -> Content:
    """Raw tables and marts after one run that nothing disturbed."""
    return undisturbed_content(install(url=second_database_url), FILES)


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
        time.sleep(min(0.02, max(life - age, 0)))
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
    if not installation.query("SELECT to_regclass('qbwatch.work_items')")[0][0]:
        return "before there was a work table"
    states = installation.query("SELECT state, count(*) FROM qbwatch.work_items GROUP BY 1 ORDER BY 1")
    said = ", ".join(f"{count} {state}" for state, count in states) or "no item yet"
    step = installation.query("SELECT step FROM qbwatch.runs WHERE status = 'running'")
    during = f"; run at {step[0][0]}" if step else ""
    return said + during + ("; dbt at work" if had_dbt else "")


def show(kills: Sequence[Kill], until_well: float) -> None:
    """Print the table."""
    print(f"\n\n{len(kills)} kills, seed {SEED}, {len(FILES)} files")
    print(f"{'kill':>4}  {'lived':>6}  {'answered after':>14}  what the work table said")
    for number, kill in enumerate(kills, start=1):
        answered = "-" if kill.answered_after is None else f"{kill.answered_after:.2f} s"
        print(f"{number:>4}  {kill.life:>4.2f} s  {answered:>14}  {kill.hit}")
    print(f"after the last kill all was well within {until_well:.1f} s")


@pytest.mark.timeout(900)
def test_killed_at_random_moments_nothing_is_lost_or_doubled(
    install: Callable[..., Installation], undisturbed: Content
) -> None:
    installation = install()
    chance = random.Random(SEED)
    lives = [chance.uniform(0.2, LONGEST_LIFE) for _ in range(KILLS)]
    dropper = Dropper(FILES, installation.root / "drop", sum(lives) * 0.9, SEED)
    dropper.start()

    kills = [live_and_die(installation, life) for life in lives]
    dropper.join()
    last_start = time.monotonic()
    installation.start()
    status = installation.wait_settled(len(FILES))
    show(kills, time.monotonic() - last_start)
    print(installation.log[-9000:])

    crashes = installation.query("SELECT coalesce(sum(crashes), 0) FROM qbwatch.work_items")[0][0]
    assert crashes <= KILLS
    if status["quarantined"]:
        release_what_was_hit_too_often(installation)
    assert_every_file_has_one_outcome(installation, FILES)
    assert content_of(installation.url) == undisturbed
    assert_nothing_is_left_over(installation)
    assert installation.stop() == 0


def release_what_was_hit_too_often(installation: Installation) -> None:
    """Chance may hit one item's load three times: it is then parked by rule, and a person's `retry` loads it."""
    parked = installation.query("SELECT crashes, failure_code FROM qbwatch.work_items WHERE state = 'quarantined'")
    assert set(parked) == {(CRASHES_ALLOWED, "kills_the_process")}
    assert installation.run("retry", "--all").returncode == 0
    installation.wait_settled(len(FILES))


def test_an_item_whose_load_kills_the_process_three_times_is_parked_and_the_others_load(
    install: Callable[..., Installation],
) -> None:
    files = [file for file in FILES if file.name.startswith(("Customer_", "Invoice_"))][:4]
    assert {file.name.split("_")[0] for file in files} >= {"Customer"}
    installation = install()
    drop_all(installation, files)
    assert installation.run("once", timeout=300).returncode == 0


def drop_all(installation: Installation, files: Sequence[ExportFile]) -> None:
    """Put files where they belong."""
    for file in files:
        (installation.root / "drop" / file.folder / file.name).write_bytes(file.content)


_ = wait_until
