"""A report speaks for every day of its period, and for no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fold_model import Content, Line
from fold_world import COMPARED, World, mortal_engine

from qbwatch.edges.vault import Vault

DAY = "2025-04-0{}".format


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    engine = mortal_engine(database_url)
    with engine.connect() as connection:
        yield World(engine, connection, Vault(tmp_path / "vault"), tmp_path)
    engine.dispose()


def report(period: str | tuple[int, int] | None, **amounts: list[str]) -> Content:
    """A report with these amounts by day: ``d3=["1.00"]``."""
    lines = tuple(
        Line(DAY(day[1:]), (("date", DAY(day[1:])), ("name", ""), ("amount", amount)))
        for day, found in amounts.items()
        for amount in found
    )
    days = (DAY(period[0]), DAY(period[1])) if isinstance(period, tuple) else period
    return Content("period", COMPARED["period"], (), lines, days)


def said(world: World, hour: int, content: Content) -> None:
    world.drop(f"Transaction List by Date_04_10_2025_{hour}_00_00.csv", content)
    world.load_all()


def amounts(world: World) -> dict[str, list[str | None]]:
    found: dict[str, list[str | None]] = {}
    for (day, _), row in sorted(world.in_table("period").items()):
        found.setdefault(f"d{int(day[-2:])}", []).append(row.values["amount"])
    return found


def states(world: World) -> list[tuple[str, str | None]]:
    return [(item["state"], item["failure_code"]) for item in world.items()]


def test_a_day_of_the_period_without_a_row_is_emptied_and_days_outside_stay(world: World) -> None:
    said(world, 1, report((1, 9), d1=["1.00"], d3=["3.00", "3.50"], d5=["5.00"], d9=["9.00"]))
    said(world, 2, report((2, 5), d3=["4.00"]))
    assert amounts(world) == {"d1": ["1.00"], "d3": ["4.00"], "d9": ["9.00"]}
    assert world.items()[-1]["rows_removed"] == 2


def test_without_a_printed_period_a_report_speaks_for_the_days_of_its_rows(world: World) -> None:
    said(world, 1, report((1, 9), d1=["1.00"], d4=["4.00"], d9=["9.00"]))
    said(world, 2, report(None, d3=["3.00"], d5=["5.00"]))
    assert amounts(world) == {"d1": ["1.00"], "d3": ["3.00"], "d5": ["5.00"], "d9": ["9.00"]}


def test_a_report_of_all_dates_replaces_everything(world: World) -> None:
    said(world, 1, report((1, 9), d1=["1.00"], d9=["9.00"]))
    said(world, 2, report("all", d5=["5.00"]))
    assert amounts(world) == {"d5": ["5.00"]}


def test_rows_that_do_not_change_are_not_rewritten(world: World) -> None:
    said(world, 1, report((1, 5), d1=["1.00"], d3=["3.00"]))
    said(world, 2, report((1, 5), d1=["1.0"], d3=["4.00"]))
    first, second = (item["file_id"] for item in world.items())
    assert {place[0]: row.file_id for place, row in world.in_table("period").items()} == {DAY(1): first, DAY(3): second}
    assert world.items()[-1]["difference"]["changed"] == 1


def test_a_late_report_does_not_empty_what_a_newer_one_said(world: World) -> None:
    said(world, 2, report((1, 5), d1=["1.00"], d3=["3.00"]))
    said(world, 1, report((1, 9), d3=["9.00"], d7=["7.00"]))
    assert amounts(world) == {"d1": ["1.00"], "d3": ["3.00"], "d7": ["7.00"]}


def test_an_empty_report_empties_its_period_only_once_it_is_accepted(world: World) -> None:
    said(world, 1, report((1, 5), d1=["1.00"]))
    said(world, 2, report((1, 3)))
    assert (amounts(world), states(world)[-1]) == ({"d1": ["1.00"]}, ("quarantined", "no_rows"))
    world.decide("accept", "Transaction List by Date_04_10_2025_2", None)
    world.load_all()
    assert (amounts(world), states(world)[-1]) == ({}, ("loaded", None))


def test_an_empty_report_that_raised_no_question_empties_nothing_that_comes_late(world: World) -> None:
    said(world, 2, report((1, 3)))
    said(world, 1, report((1, 5), d1=["1.00"]))
    assert (amounts(world), states(world)) == ({"d1": ["1.00"]}, [("loaded", None)] * 2)


def test_periods_that_overlap_in_part_wait_for_a_person(world: World) -> None:
    said(world, 1, report((1, 5), d1=["1.00"], d4=["4.00"]))
    said(world, 2, report((4, 9), d5=["5.00"]))
    assert states(world)[-1] == ("quarantined", "period_overlaps")
    world.decide("accept", "Transaction List by Date_04_10_2025_2", None)
    world.load_all()
    assert amounts(world) == {"d1": ["1.00"], "d5": ["5.00"]}
    assert world.verified("period")["equal"]
