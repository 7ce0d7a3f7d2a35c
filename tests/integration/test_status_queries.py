"""What the status asks of the ledger: found through indexes however long the ledger is, and what it was before."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from ledger_rows import years_of_exports

from qbwatch.core.cadence import FRESH
from qbwatch.core.expect import CLOCKS_DIFFER, Export, Week, configured
from qbwatch.core.missing import standings_of
from qbwatch.datasets import datasets
from qbwatch.edges import answers, dbt_answers, status_queries
from qbwatch.edges.session import open_session

HAVANA = ZoneInfo("America/Havana")  # its clocks go back at one o'clock, so that midnight comes twice
AT = datetime(2026, 11, 25, 3, 30, tzinfo=UTC)
GROWING = {"files", "work_items", "dbt_results", "runs"}
QUESTIONS = {
    **{name: query for name, query in vars(status_queries).items() if name.isupper() and "FROM qbwatch" in str(query)},
    "nodes of the interface": dbt_answers._NODES,
}
del QUESTIONS["NEWEST_WORDS"]  # a part of others


def values_of(query: str, zone: ZoneInfo = HAVANA) -> dict[str, object]:
    known = {
        "at": AT,
        "zone": zone.key,
        "marts": list(answers.MARTS),
        "datasets": list(datasets()),
        "ahead": CLOCKS_DIFFER,
        "fresh": FRESH,
    }
    return {name: value for name, value in known.items() if f"%({name})s" in query}


@pytest.fixture(scope="module")
def old_ledger(module_database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(module_database_url) as connection:
        connection.execute(years_of_exports(20_000).encode())
    with psycopg.connect(module_database_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        yield connection


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_of_the_status_reads_a_table_that_grows_from_end_to_end(
    old_ledger: psycopg.Connection[Any], name: str
) -> None:
    query = QUESTIONS[name]
    plan = psycopg.ClientCursor(old_ledger).execute(f"EXPLAIN {query}".encode(), values_of(query) or None).fetchall()

    lines = "\n".join(line for (line,) in plan)
    read_whole = set(re.findall(r"Seq Scan on (\w+)", lines)) & GROWING
    assert not read_whole, lines


def test_the_work_of_the_status_is_a_fraction_of_what_the_ledger_holds(old_ledger: psycopg.Connection[Any]) -> None:
    """Counted in the blocks that it looks at, which is the same on every machine."""
    looked_at = {}
    for name, query in QUESTIONS.items():
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}".encode()
        ((plan,),) = psycopg.ClientCursor(old_ledger).execute(explain, values_of(query) or None).fetchall()
        looked_at[name] = plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"]

    assert looked_at.pop("ARRIVALS") < 1200  # some blocks of the index for each of 400 days
    assert max(looked_at.values()) < 200, looked_at


@pytest.fixture
def odd_ledger(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A few months of everything that may be in one, twice an hour in the night in which the clocks go back."""
    chance = random.Random(13)
    names = [*datasets()][:4]
    moments = [AT - timedelta(minutes=chance.randrange(130 * 24 * 60)) for _ in range(900)]
    moments += [datetime(2026, 11, 1, 3, tzinfo=UTC) + timedelta(minutes=30 * step) for step in range(12)]
    moments += [AT + timedelta(hours=hours) for hours in (5, 20, 30, 60)]  # of a PC whose clock is wrong
    with open_session(database_url) as connection:
        for number, seen_at in enumerate(sorted(moments), start=1):
            as_of = seen_at - timedelta(hours=chance.choice([-2, 0, 0, 1, 5, 30, 90]))
            root = chance.choice(["input", "input", "input", "seed", "picked"])
            connection.execute(ONE_FILE, (number, root, str(number).encode(), as_of, seen_at))
            for sheet in range(chance.choice([1, 1, 2])):
                state = chance.choice(["loaded", "loaded", "pending", "quarantined", "skipped"])
                code = chance.choice(["duplicate", "superseded"]) if state == "skipped" else None
                dataset = chance.choice([*names, None]) if state != "loaded" else chance.choice(names)
                is_folded = state == "loaded" and (dataset != names[1] or chance.random() < 0.5)
                values = (number, str(sheet), dataset, str(number), as_of, state, code, is_folded)
                connection.execute(ONE_ITEM, values)
        for run in range(1, 61):
            mode = "success" if run % 3 else "error"
            connection.execute("INSERT INTO qbwatch.runs (mode, status, why, step, total, started_at) "
                               "VALUES ('seed', %s, '', 'load', 1, %s)", (mode, AT))  # fmt: skip
            for node in chance.sample([*answers.MARTS, "stg_a", "stg_b", "left" if run < 20 else "new"], 6):
                status = chance.choice(["success", "success", "error", "warn"])
                asked = run if chance.random() < 0.97 else None
                kind = "model" if node in answers.MARTS else "test"
                connection.execute(ONE_WORD, (asked, f"{kind}.{node}", node, kind, status, run, AT))
        yield connection


ONE_FILE = """INSERT INTO qbwatch.files (id, root, path, name, size_bytes, mtime_ns, inode, device, content_hash, as_of,
                                         as_of_basis, is_full, first_seen_at, settled_at)
              OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, 'x', 1, 1, 1, 1, 'x', %s, 'name', false, %s, now())"""
ONE_ITEM = """INSERT INTO qbwatch.work_items (file_id, sheet, dataset, content_hash, as_of, is_full, state,
                                              failure_code, is_folded, changed_at)
              VALUES (%s, %s, %s, %s, %s, false, %s, %s, %s, now())"""
ONE_WORD = """INSERT INTO qbwatch.dbt_results (run_id, unique_id, name, resource_type, status, rows, finished_at,
                                               seconds) VALUES (%s, %s, %s, %s, %s, %s, %s, 1)"""

# The same questions as one would put them who has all the time.
PLAINLY = {
    "ARRIVALS": """SELECT max(first_seen_at) FROM qbwatch.files
                   WHERE root = 'input' AND first_seen_at > CAST(%(at)s AS timestamptz) - interval '400 days'
                   GROUP BY (first_seen_at AT TIME ZONE %(zone)s)::date ORDER BY 1""",
    "NODES": """SELECT name, resource_type, status, message FROM
                (SELECT DISTINCT ON (unique_id) * FROM qbwatch.dbt_results ORDER BY unique_id, id DESC) AS newest
                WHERE run_id IS NULL OR run_id >= (SELECT max(run_id) - 20 FROM qbwatch.dbt_results)""",
    "BUILT": """SELECT DISTINCT ON (name) name, rows FROM qbwatch.dbt_results
                WHERE resource_type = 'model' AND name = ANY(%(marts)s) AND status = 'success'
                ORDER BY name, id DESC""",
    "THROUGH": """SELECT dataset, max(as_of) FROM qbwatch.work_items WHERE state = 'loaded' GROUP BY dataset""",
    "UNFOLDED": """SELECT DISTINCT dataset FROM qbwatch.work_items
                   WHERE is_folded <> (state = 'loaded') AND state = 'loaded' ORDER BY 1""",
}
EVERY_EXPORT = """
SELECT item.dataset, item.as_of, min(file.first_seen_at)
FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.dataset IS NOT NULL AND file.root <> 'seed' AND item.as_of > %s - interval '120 days'
      AND NOT (item.state = 'skipped' AND item.failure_code = 'duplicate')
GROUP BY item.dataset, item.as_of ORDER BY item.as_of"""


@pytest.mark.parametrize("name", PLAINLY)
@pytest.mark.parametrize("zone", [HAVANA, ZoneInfo("America/New_York")], ids=str)
def test_the_quick_way_to_an_answer_gives_the_same(
    odd_ledger: psycopg.Connection[Any], name: str, zone: ZoneInfo
) -> None:
    quick, plain = QUESTIONS[name], PLAINLY[name]
    told = odd_ledger.execute(quick.encode(), values_of(quick, zone) or None).fetchall()
    wanted = odd_ledger.execute(plain.encode(), values_of(plain, zone) or None).fetchall()

    assert told
    assert sorted(told, key=str) == sorted(wanted, key=str)


def test_a_node_that_left_the_project_falls_silent_although_a_person_had_something_tested(
    odd_ledger: psycopg.Connection[Any],
) -> None:
    odd_ledger.execute(
        "UPDATE qbwatch.dbt_results SET run_id = NULL WHERE id = (SELECT min(id) FROM qbwatch.dbt_results)"
    )
    odd_ledger.execute(ONE_WORD, (None, "test.asked", "asked", "test", "error", 1, AT))
    told = {name for name, *_ in odd_ledger.execute(status_queries.NODES.encode()).fetchall()}
    assert "asked" in told
    assert "left" not in told


@pytest.mark.parametrize("zone", [HAVANA, ZoneInfo("America/New_York")], ids=str)
def test_of_many_exports_of_a_day_those_that_are_read_tell_all_that_is_to_be_told(
    odd_ledger: psycopg.Connection[Any], zone: ZoneInfo
) -> None:
    every: dict[str, list[Export]] = {}
    for dataset, as_of, arrived_at in odd_ledger.execute(EVERY_EXPORT.encode(), (AT,)):
        every.setdefault(dataset, []).append(Export(as_of, arrived_at))
    few = answers.exports(odd_ledger, zone, AT)
    week, since = Week(zone, lambda _day: False), AT - timedelta(days=100)
    assert sum(map(len, few.values())) < sum(map(len, every.values()))

    for hour in range(24):
        asked = {name: configured(name, "day", time(hour, 30)) for name in [*every][:3]}
        assert standings_of(few, asked, week, since, AT) == standings_of(every, asked, week, since, AT)
    # As learned, also of those of which each export came at about the same time.
    assert standings_of(few, {}, week, since, AT) == standings_of(every, {}, week, since, AT)


HEAVY = {"sqlalchemy", "pydantic_settings", "rich", "textual", "alembic", "apprise", "structlog", "dbt", "watchdog"}


def test_a_status_of_the_ledger_imports_nothing_that_it_can_do_without(database_url: str, tmp_path: Path) -> None:
    config = tmp_path / "qbwatch.toml"
    places = {
        "input.directory": tmp_path / "input",
        "state.directory": tmp_path / "state",
        "database.url": database_url,
        "control.socket": tmp_path / "control.sock",
    }
    config.write_text("".join(f'{key} = "{value}"\n' for key, value in places.items()), "utf-8")
    code = "import atexit, sys; from qbwatch.cli import main; atexit.register(lambda: print(*sys.modules)); main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "status", "--config", str(config)], capture_output=True, text=True, check=True
    )
    *said, modules = done.stdout.splitlines()
    assert "read from the ledger" in "".join(said)
    assert not HEAVY & set(modules.split())
