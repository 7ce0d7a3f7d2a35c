"""Death at every named moment and at random ones, of the daemon and of Postgres: the end is that of an undisturbed run.

Small files and a dbt project of two models make a life short. ``QBWATCH_CHAOS_MATRIX_KILLS`` and
``QBWATCH_CHAOS_MATRIX_OUTAGES`` say how many random deaths there are; they follow from ``QBWATCH_CHAOS_SEED``.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aftermath import Content, assert_every_file_has_one_outcome, assert_nothing_is_left_over, content_of
from dropping import Dropper
from faulty import new_database, settings, url_of
from holding import drop_all, items
from installation import Installation
from small_files import small_files
from tiny_project import write_tiny_project
from waiting import wait_until

from qbwatch.core.failure import CRASHES_ALLOWED
from qbwatch.demo.exports import ExportFile
from qbwatch.edges.embedded import EmbeddedPostgres
from qbwatch.moments import Moment

KILLS = int(os.environ.get("QBWATCH_CHAOS_MATRIX_KILLS", "15"))
OUTAGES = int(os.environ.get("QBWATCH_CHAOS_MATRIX_OUTAGES", "4"))
SEED = int(os.environ.get("QBWATCH_CHAOS_SEED", "1"))
LONGEST_DOWN = 0.8  # seconds
OF_DBT = tuple(Moment)[tuple(Moment).index(Moment.AFTER_COMMIT) :]  # when only dbt is left to do
IN_DBT = 0.2  # of the random deaths; dbt takes most of a life and has few moments of its own


@dataclass(slots=True)
class Matrix:
    """One server and one daemon's installation that live through it all, and what an undisturbed run gives."""

    server: EmbeddedPostgres
    installation: Installation
    files: list[ExportFile]
    undisturbed: Content

    def assert_undisturbed(self) -> None:
        """Everything is there once, nothing waits for a person, and nothing is left over."""
        status = self.installation.wait_settled(len(self.files))
        assert status["quarantined"] == []
        wait_until(lambda: errors(self.installation) == [], 60, "the last outage to be over")
        assert_every_file_has_one_outcome(self.installation, self.files)
        assert hash_of(content_of(self.installation.url)) == hash_of(self.undisturbed)
        assert content_of(self.installation.url) == self.undisturbed
        assert_nothing_is_left_over(self.installation)
        verified = self.installation.json("rebuild", "--verify")
        assert verified["equal"], [each for each in verified["datasets"] if not each["equal"]]


def errors(installation: Installation) -> list[str]:
    """Codes of what the status complains of."""
    return [problem["code"] for problem in installation.status()["problems"] if problem["severity"] == "error"]


def hash_of(content: Content) -> str:
    """A short hash of all tables, for the printed table."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


@pytest.fixture
def matrix(
    server: EmbeddedPostgres, install: Callable[..., Installation], tmp_path: Path
) -> Iterator[Callable[[int], Matrix]]:
    """Makes a matrix over so many files."""
    extra = settings(write_tiny_project(tmp_path / "tiny"))
    with new_database(server) as name, new_database(server) as quiet_name:

        def make(count: int) -> Matrix:
            files = small_files(count)
            quiet = install(url=url_of(server, quiet_name), extra=extra)
            drop_all(files, quiet.root / "drop")
            done = quiet.run("once")
            assert done.returncode == 0, done.stderr
            return Matrix(server, install(url=url_of(server, name), extra=extra), files, content_of(quiet.url))

        yield make


@pytest.mark.timeout(900)
def test_killed_at_every_named_moment(matrix: Callable[[int], Matrix]) -> None:
    made = matrix(len(Moment))
    installation = made.installation
    print(f"\n\n{'killed at':<15}  {'what the work table said then':<34}  in the end, after the next start")
    for moment, file in zip(Moment, made.files, strict=True):
        drop_all([file], installation.root / "drop")
        installation.environ = {"QBWATCH_STOP_AT": moment.value}
        installation.launch()
        daemon = installation.daemon
        assert daemon is not None
        wait_until(lambda: daemon.poll() is not None, 120, f"its death at {moment}:\n{installation.log}")  # noqa: B023
        assert daemon.returncode == -9, installation.log
        left = states_of(installation)
        installation.environ = {}
        began = time.monotonic()
        if moment in OF_DBT:
            installation.start()
            installation.wait_settled(dropped_until(made, file))
        else:
            installation.launch()  # and its dbt is cut short
        wait_until(lambda: items(installation).get(file.name, ("",))[0] == "loaded", 60, file.name)  # noqa: B023
        seconds = time.monotonic() - began
        state = items(installation)[file.name]
        installation.kill()
        print(f"{moment.value:<15}  {left:<34}  {state[0]}, {state[2]} deaths counted  {seconds:>5.1f} s", flush=True)
    installation.start()
    made.assert_undisturbed()
    assert installation.stop() == 0
    print(f"{len(Moment)} kills; the tables are those of an undisturbed run: {hash_of(made.undisturbed)}")


@pytest.mark.timeout(1500)
def test_killed_at_random_moments(matrix: Callable[[int], Matrix]) -> None:
    made = matrix(max(10, KILLS // 2))
    installation = made.installation
    pace = pace_of(made)
    installation.kill()
    chance = random.Random(SEED)
    lives = [pace.moment(chance) for _ in range(KILLS)]
    dropper = Dropper(made.files[1:], installation.root / "drop", sum(lives), SEED)
    dropper.start()
    hits: Counter[str] = Counter()
    for life in lives:
        began = time.monotonic()
        installation.launch()
        time.sleep(max(life - (time.monotonic() - began), 0.0))
        kill_unless_it_parks(installation, chance)
        hits[where(installation)] += 1
    dropper.join()
    installation.start()
    made.assert_undisturbed()
    assert installation.stop() == 0
    show(f"{KILLS} kills of the daemon at random moments, seed {SEED}, {len(made.files)} files", hits, made)


def kill_unless_it_parks(installation: Installation, chance: random.Random) -> None:
    """-9, a little later where it would be one item's last: whatever dies in so many of its loads is parked, by rule,
    until a person looks, and chance may well hit the same load again and again. It is held still for the look."""
    assert installation.daemon is not None
    last_but_one = f"SELECT FROM qbwatch.work_items WHERE state = 'loading' AND crashes >= {CRASHES_ALLOWED - 1}"
    while True:
        installation.daemon.send_signal(signal.SIGSTOP)
        time.sleep(0.03)  # for what Postgres has in hand
        if not installation.query(last_but_one):
            return installation.kill()
        installation.daemon.send_signal(signal.SIGCONT)
        time.sleep(chance.uniform(0.02, 0.2))


@pytest.mark.timeout(1500)
def test_postgres_stopped_at_random_moments(matrix: Callable[[int], Matrix]) -> None:
    made = matrix(max(10, OUTAGES * 2))
    installation = made.installation
    pace = pace_of(made)
    assert installation.daemon is not None
    pid = installation.daemon.pid
    chance = random.Random(SEED)
    ups = [pace.moment(chance) for _ in range(OUTAGES)]
    dropper = Dropper(made.files[1:], installation.root / "drop", sum(ups), SEED)
    dropper.start()
    hits: Counter[str] = Counter()
    for up in ups:
        time.sleep(up)
        hits[where(installation)] += 1
        made.server.stop("immediate")
        time.sleep(chance.uniform(0.0, LONGEST_DOWN))
        made.server.start()
    dropper.join()
    made.assert_undisturbed()
    assert installation.daemon.pid == pid
    assert set(items(installation).values()) == {("loaded", 1, 0)}, "an outage is no attempt and no crash"
    assert installation.stop() == 0
    show(f"{OUTAGES} immediate stops of Postgres at random moments, seed {SEED}, {len(made.files)} files", hits, made)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds from the start of an undisturbed life until a file is loaded, and until it is built: the random moments
    are dealt over them, on a fast machine or a busy one."""

    loaded: float
    built: float

    def moment(self, chance: random.Random) -> float:
        """Seconds after which to strike."""
        if chance.random() < IN_DBT:
            return chance.uniform(self.loaded, self.built)
        return chance.uniform(0.4, 1.1) * self.loaded  # less is the import of Python's modules, which harms nobody


def pace_of(made: Matrix) -> Pace:
    """The daemon goes on."""
    installation = made.installation
    installation.start()  # the first start makes the tables
    installation.kill()
    drop_all(made.files[:1], installation.root / "drop")
    began = time.monotonic()
    installation.launch()
    wait_until(lambda: "loaded" in {state for state, _, _ in items(installation).values()}, 60, "the first file")
    loaded = time.monotonic() - began
    installation.wait_settled(1)
    return Pace(loaded, time.monotonic() - began)


def dropped_until(made: Matrix, newest: ExportFile) -> int:
    """How many files were dropped so far."""
    return made.files.index(newest) + 1


def states_of(installation: Installation) -> str:
    """The work table, without what is done."""
    if not installation.query("SELECT to_regclass('qbwatch.work_items') IS NOT NULL")[0][0]:
        return "no work table yet"
    query = "SELECT state, count(*) FROM qbwatch.work_items WHERE state <> 'loaded' GROUP BY 1 ORDER BY 1"
    found = [f"{count} {state}" for state, count in installation.query(query)]
    found += ["dbt owed"] * bool(installation.query("SELECT FROM qbwatch.transform_debt LIMIT 1"))
    found += ["run open"] * bool(installation.query("SELECT FROM qbwatch.runs WHERE status = 'running'"))
    return ", ".join(found) or "nothing open"


def where(installation: Installation) -> str:
    """Where a random death hit."""
    return states_of(installation).translate(str.maketrans("", "", "0123456789")).strip()


def show(title: str, hits: Counter[str], made: Matrix) -> None:
    """Print the table."""
    print(f"\n\n{title}")
    for hit, count in hits.most_common():
        print(f"{count:>4}  {hit}")
    print(f"the tables are those of an undisturbed run: {hash_of(made.undisturbed)}")
