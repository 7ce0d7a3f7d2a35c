"""Years in minutes: a firm's nights one after the other, faults among them at random, and nobody who looks after it.

``QBWATCH_SOAK_MONTHS`` says how many simulated months (24: the two years that the README tells of), one by default, in
which every fault comes once and which takes some two and a half minutes on two cores (others take about one). What
happens follows from ``QBWATCH_SOAK_SEED``; a failure prints it, and the timeline.

Daemon, Postgres, dbt with the shipped project, mail server and web hook are real, and nothing of the product is told to
be quick. Time is made short from outside: the daemon's time of day is moved from one night to the next, and waits of
its threads that last ten seconds or more (the next look at what is to be told, mostly) last a sixtieth of it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import date, timedelta
from datetime import time as clock_time
from pathlib import Path
from random import Random
from statistics import median

import pytest
from aftermath import assert_nothing_is_left_over
from alert_services import endpoint, mail_server
from false_clock import false_clock
from faulty import Lab, new_database, url_of
from installation import Installation
from small_disks import small_disk
from soak_fates import LOADED
from soak_faults import OF_THE_PROCESS, Fault, strike
from soak_figures import Sample, look, noise, second_half, slopes
from soak_firm import Firm
from soak_report import BOUNDS, MOST, show
from soak_telling import assert_every_fault_was_told_once
from soak_world import World
from sqlalchemy import create_engine

from qbwatch.demo.figures import compare
from qbwatch.edges.embedded import EmbeddedPostgres
from qbwatch.edges.shipped import shipped

MONTHS = int(os.environ.get("QBWATCH_SOAK_MONTHS", "1"))
SEED = int(os.environ.get("QBWATCH_SOAK_SEED", "1"))
FAULTS_A_MONTH = 3
AT_ONCE = 0.75  # of the weeks without a fault come in one batch
EVE = date(2027, 1, 1)  # a Friday; the daemon is started in the night to Monday
NIGHTS = MONTHS * 21 + 1
QUIET_SUNDAY = clock_time(12)
_HURRY = 60
_REST = 2.0  # seconds in which a daemon gives memory back
_EXTRA = """
[transform]
project = "{project}"

[alerts]
urls = ["{hook}", "{mail}"]

[freshness]
default = "8 business days"

[expect]
"quickbooks.invoices" = {{ every = "business day", by = "06:00" }}
"quickbooks.sales_receipts" = "never"
"quickbooks.customers" = "never"
"quickbooks.items" = "never"

[page]
file = "{page}"
receipts = true
"""
_OUTCOMES = """
SELECT file.name, file.content_hash, CASE item.state WHEN 'skipped' THEN item.failure_code ELSE item.state END
FROM qbwatch.files AS file LEFT JOIN qbwatch.work_items AS item ON item.file_id = file.id"""


@pytest.fixture
def world(server: EmbeddedPostgres, install: Callable[..., Installation], tmp_path: Path) -> Iterator[World]:
    """A daemon in a time of its own, on a state folder that is a disk of its own where that can be had."""
    with ExitStack() as held:
        name = held.enter_context(new_database(server))
        hook, mail = held.enter_context(endpoint()), held.enter_context(mail_server())
        shutil.copytree(shipped("dbt"), tmp_path / "dbt", ignore=shutil.ignore_patterns("target", "logs"))
        extra = _EXTRA.format(project=tmp_path / "dbt", hook=hook.url, mail=mail.url, page=tmp_path / "page.html")
        installation = install(url=url_of(server, name) + "&options=-c%20lock_timeout%3D1s", extra=extra)
        with suppress(pytest.skip.Exception):
            held.enter_context(small_disk(installation.root / "state", "600m"))
        clock = false_clock(tmp_path, _HURRY)
        installation.environ = clock.environ()
        lab = Lab(server, installation, name)
        held.callback(installation.close)
        yield World(lab, clock, Firm(SEED, EVE), hook, mail, Random(SEED), project=tmp_path / "dbt")


def plan(chance: Random, kinds: list[Fault]) -> dict[int, Fault]:
    """In which night which fault begins: each kind equally often, those that end the process in the first quarter.

    A young process takes more with each month, until it has met everything: growth is measured when it is of some age.
    """
    count = max(len(kinds), FAULTS_A_MONTH * MONTHS)
    drawn = [fault for _ in range(count // len(kinds) + 1) for fault in chance.sample(kinds, len(kinds))][:count]
    early = [fault for fault in drawn if fault in OF_THE_PROCESS]
    late = [fault for fault in drawn if fault not in OF_THE_PROCESS]
    first = chance.sample(range(2, NIGHTS // 4), len(early))
    rest = chance.sample([night for night in range(2, NIGHTS) if night not in first], len(late))
    return dict(zip([*first, *rest], [*early, *late], strict=True))


@pytest.mark.timeout(7200)
def test_left_alone_for_long(world: World) -> None:
    kinds = [fault for fault in Fault if fault is not Fault.DISK or world.has_own_disk]
    planned = plan(Random(SEED), kinds)
    samples: list[Sample] = []
    began = time.monotonic()
    try:
        live(world, dict(planned), samples)
        made_good(world)
        assert_books_agree(world)
        assert_every_file_has_its_fate(world)
        assert_every_fault_was_told_once(world)
        assert_nothing_is_left_over(world.lab.installation)
        verified = world.lab.installation.json("rebuild", "--verify")
        assert verified["equal"], [each for each in verified["datasets"] if not each["equal"]]
        assert world.lab.installation.stop() == 0
    except BaseException:
        print(f"\n\nQBWATCH_SOAK_SEED={SEED} QBWATCH_SOAK_MONTHS={MONTHS}\n" + "\n".join(world.timeline))
        print(f"\nthe daemon's log ends so:\n{world.lab.installation.log[-8000:]}")
        raise
    finally:
        title = f"{MONTHS} simulated months, seed {SEED}, in {(time.monotonic() - began) / 60:.0f} minutes"
        show(title, world, Counter(planned.values()), samples)
    assert_flat(samples)


def live(world: World, faults: dict[int, Fault], samples: list[Sample]) -> None:
    """From the first full exports to the last night."""
    world.go_to(EVE + timedelta(days=3), clock_time(0, 30))
    world.lab.start()
    for file in world.firm.history():
        world.put(file)
    world.settle()
    weeks: list[float] = []
    while world.nights < NIGHTS:
        began = time.monotonic()
        due = sorted(night for night in faults if night <= world.nights + 1)
        if due:
            strike(world, faults.pop(due[0]))
        elif may_come_at_once(world, faults):
            world.drop_week()
            world.settle()
            weeks.append((time.monotonic() - began) * 1000)
        else:
            world.drop_night()
            world.wait_admitted()
        world.evening()
        if world.firm.today.weekday() == 4:
            world.settle()
            quiet_sunday(world)
            samples.append(sample(world, weeks))
            del weeks[:-1]
    for fault in faults.values():
        strike(world, fault)


def may_come_at_once(world: World, faults: dict[int, Fault]) -> bool:
    """Three of four weeks without a fault do: five nights are then one batch, and one build by dbt."""
    is_whole = world.firm.next_day().weekday() == 0 and world.nights > 10
    has_fault = any(night <= world.nights + 5 for night in faults)
    return is_whole and not has_fault and world.chance.random() < AT_ONCE


def quiet_sunday(world: World) -> None:
    """Nothing comes at a weekend, and nobody is told of that."""
    if world.nights < 15 or world.chance.random() < 0.2:
        world.go_to(world.firm.today + timedelta(days=2), QUIET_SUNDAY)
        world.let_looks_pass()


def sample(world: World, weeks: list[float]) -> Sample:
    """Measure a daemon that has just come to rest."""
    world.let_looks_pass(seconds=_REST)
    installation = world.lab.installation
    answers = []
    for _ in range(9):
        began = time.monotonic()
        installation.status()
        answers.append((time.monotonic() - began) * 1000)
    assert installation.daemon is not None
    month = (world.firm.today - EVE) / timedelta(days=365.25 / 12)
    files = sum(fate == LOADED for fate in world.fates.of.values())
    return look(month, installation.daemon.pid, installation.root, world.lab.url, files, world.nights,
                median(answers), weeks[-1] if weeks else 0.0)  # fmt: skip


def made_good(world: World) -> None:
    """What is still under way comes, and then all is well."""
    for _, export in world.late:
        world.drop(export)
    world.late.clear()
    world.settle()
    world.recover()
    assert [problem["code"] for problem in world.lab.installation.status()["problems"]] == []


def assert_books_agree(world: World) -> None:
    """Marts and raw tables say what the firm's books say, to the cent."""
    engine = create_engine(world.lab.url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        figures = compare(connection, world.firm.exporter.expected())
    engine.dispose()
    assert [each for each in figures if not each.agrees] == []


def assert_every_file_has_its_fate(world: World) -> None:
    """Each version of each file stands once in the ledger, with the outcome that it must have."""
    found = Counter(map(tuple, world.lab.installation.query(_OUTCOMES)))
    expected = Counter((name, content, fate) for (name, content), fate in world.fates.of.items())
    assert found - expected == Counter()
    assert expected - found == Counter()


def assert_flat(samples: list[Sample]) -> None:
    """In the second half, in which one process lives through everything, nothing grows beyond noise."""
    second = second_half(samples)
    assert len({each.pid for each in second}) == 1
    grown, noises = slopes(second), slopes(second, noise)
    if MONTHS >= 6:  # less is noise
        assert {name: grown[name] for name, bound in BOUNDS.items() if grown[name] > max(bound, noises[name])} == {}
    assert {name: most for name, most in MOST.items() if max(getattr(each, name) for each in samples) > most} == {}
    for name in ("descriptors", "threads", "sessions"):
        assert max(getattr(each, name) for each in second) <= 1.5 * getattr(second[0], name) + 4, name
