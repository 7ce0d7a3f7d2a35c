"""The raw tables are a function of the accepted files: under every order, decision and death, by two proofs.

After any history the tables equal the product's own fold from nothing (all columns but the moment of loading), and a
model of dictionaries that shares no code with it. Each example is a life of its own in one database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from fold_model import Content, Line
from fold_world import COMPARED, DATASETS, World, mortal_engine
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from qbwatch.core import accounting, holds
from qbwatch.core.holds import HOLDS
from qbwatch.edges import refolding, staging
from qbwatch.edges.vault import Vault

EXAMPLES = int(os.environ.get("QBWATCH_FOLD_EXAMPLES", "600"))  # a night may try more, each time others
STEMS = {"list": "Customer", "document": "Invoice", "period": "Transaction List by Date"}
DAYS = ("2025-04-01", "2025-04-02", "2025-04-03", "2025-04-04", "2025-04-05")
SEEN = {"loaded", "skipped", "quarantined"}


@dataclass(frozen=True)
class Step:
    """One thing that happens. ``dies_after``: statements until the process dies in it."""

    what: str  # drop, work, revert, skip, accept, retry
    path: str = ""
    content: Content | None = None
    dies_after: int | None = None


@pytest.fixture(scope="module")
def world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holds, "FEW_COUNTS_FROM", 2)  # so that small exports raise questions, too
        patch.setattr(holds, "FEW", Decimal("0.8"))
        patch.setattr(refolding, "LARGEST_SHARE", 0)  # and in small books, too, single documents alone
        patch.setattr(accounting, "REJECT_LIMIT", Decimal(1))  # and small ones with a damaged row are loaded
        engine = mortal_engine(module_database_url)
        with engine.connect() as connection:
            yield World(engine, connection, Vault(folder / "vault"), folder)
        engine.dispose()


def _cells(*columns: tuple[str, tuple[str, ...]]) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    return st.tuples(*(st.tuples(st.just(name), st.sampled_from(values)) for name, values in columns))


_CUSTOMER_CELLS = _cells(
    ("customer_name", ("Acme", "Beta")),
    ("main_email", ("", "a@x.example")),
    ("credit_limit", ("", "1.5", "1.50", "2")),
    ("region", ("", "west", "east")),
)
_LINE_CELLS = _cells(
    ("product_service", ("x", "y")), ("product_service_amount", ("1.00", "1.0", "2")), ("memo", ("", "m"))
)
_DAY_CELLS = _cells(("name", ("", "East")), ("amount", ("1.00", "1", "-2.50")))


def _lines(keys: tuple[str, ...], cells: st.SearchStrategy[tuple[tuple[str, str], ...]]) -> st.SearchStrategy[Line]:
    def damaged(line: Line, fate: int) -> Line:
        """Now and then a cell is no number, or the key is missing."""
        if fate == 0:
            number = next(
                name for name, _ in line.cells if name in ("credit_limit", "product_service_amount", "amount")
            )
            return replace(line, cells=tuple({**dict(line.cells), number: "lots"}.items()), is_damaged=True)
        return replace(line, key=None) if fate == 1 else line

    plain = st.builds(Line, st.sampled_from(keys), cells)
    return st.builds(damaged, plain, st.integers(0, 19))


@st.composite
def _contents(draw: st.DrawFn, kind: str) -> Content:
    if kind == "list":
        lines = draw(
            st.lists(_lines(("8-1", "8-2", "8-3", "8-4"), _CUSTOMER_CELLS), max_size=4, unique_by=lambda line: line.key)
        )
        optional = [name for name in ("main_email", "credit_limit", "region") if draw(st.booleans())]
        if not any(line.is_damaged for line in lines):
            columns = ("quickbooks_internal_id", "customer_name", *optional)
        else:
            columns = ("quickbooks_internal_id", "customer_name", "credit_limit", *(set(optional) - {"credit_limit"}))
        return Content("list", columns, ("region",) if "region" in columns else (), _told(lines, columns))
    if kind == "document":
        lines = draw(st.lists(_lines(("A", "B", "C"), _LINE_CELLS), max_size=6))
        columns = (
            "quickbooks_internal_id",
            "product_service",
            "product_service_amount",
        )
        columns += ("memo",) if draw(st.booleans()) else ()
        return Content("document", columns, (), _told(lines, columns))
    first, last = sorted(draw(st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS))))
    within = tuple(day for day in DAYS if first <= day <= last)
    lines = draw(st.lists(st.builds(Line, st.sampled_from(within), _DAY_CELLS), max_size=5))
    period = draw(st.sampled_from([(first, last), (first, last), None, "all"]))
    return Content("period", COMPARED["period"], (), _told(lines, COMPARED["period"]), period)


def _told(lines: list[Line], columns: tuple[str, ...]) -> tuple[Line, ...]:
    """Only cells of columns that the file has, with the key as the cell that it is."""
    return tuple(
        replace(
            line,
            cells=((columns[0], line.key or ""), *((name, cell) for name, cell in line.cells if name in columns)),
        )
        for line in lines
    )


@st.composite
def _drops(draw: st.DrawFn, kinds: tuple[str, ...]) -> Step:
    kind = draw(st.sampled_from(kinds))
    stem = STEMS[draw(st.sampled_from([kind] * 9 + ["list"]))]  # now and then the name says something else
    day, folder = draw(st.integers(1, 3)), draw(st.sampled_from(["", "", "", "other/"]))
    is_full = draw(st.integers(0, 1)) == 0
    name = f"01_BACKUP_{stem}_04_{day:02}_2025.csv" if is_full else f"{stem}_04_{day:02}_2025_{day}_00_00.csv"
    return Step("drop", folder + name, draw(_contents(kind)))


_DEATHS = st.one_of(st.none(), st.none(), st.integers(0, 40))
_DECISIONS = ("revert", "revert", "accept", "accept", "accept", "retry", "skip")


@st.composite
def _histories(draw: st.DrawFn) -> list[Step]:
    """Rounds of a few files, a run that loads them, and what a person then decides about any file seen or to come."""
    kinds = draw(st.sampled_from([("list",), ("document",), ("period",), ("period",), tuple(STEMS)]))
    drops = draw(st.lists(_drops(kinds), min_size=1, max_size=6))
    paths, contents = [drop.path for drop in drops], [drop.content for drop in drops]
    again = st.builds(Step, st.just("drop"), st.sampled_from(paths), st.sampled_from(contents))
    decision = st.builds(Step, st.sampled_from(_DECISIONS), st.sampled_from(paths), st.none(), _DEATHS)
    history: list[Step] = []
    while drops:
        taken = draw(st.integers(1, 3))
        history += drops[:taken]
        drops = drops[taken:]
        if draw(st.integers(0, 3)) > 0:
            history.append(Step("work", dies_after=draw(_DEATHS)))
        history += draw(st.lists(st.one_of(decision, decision, again), max_size=3))
    return history


def _happen(world: World, step: Step) -> None:
    if step.what == "drop":
        assert step.content is not None
        with world.dying(step.dies_after):
            world.drop(step.path, step.content)
    elif step.what == "work":
        world.load_all(step.dies_after)
    else:
        world.decide(step.what, step.path, step.dies_after)


_LIVES = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="QBWATCH_FOLD_EXAMPLES" not in os.environ,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@_LIVES
@given(history=_histories())
@pytest.mark.timeout(1800)
def test_the_raw_tables_are_a_function_of_the_accepted_files(world: World, history: list[Step]) -> None:
    _prove(world, history)


@settings(_LIVES, max_examples=EXAMPLES // 6)
@given(history=_histories())
@pytest.mark.timeout(1800)
def test_so_they_are_when_all_files_count_as_large(world: World, history: list[Step]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "LARGE", 0)
        patch.setattr(staging, "_SMALL", 0)
        _prove(world, history)


def _prove(world: World, history: list[Step]) -> None:
    world.begin()
    for step in history:
        _happen(world, step)
    world.load_all()
    _assert_ledger_is_settled(world)
    for kind in DATASETS:
        assert world.in_table(kind) == world.expected(kind)
        assert world.verified(kind)["first_difference"] is None


def _assert_ledger_is_settled(world: World) -> None:
    """Every file has an end, what counts is what is folded, and one version of each path and moment counts at most."""
    items = world.items()
    event(f"at most {world.largest_batch} files in one fold")
    for fate in {f"{item['state']} {item['failure_code'] or ''}" for item in items}:
        event(fate)
    assert {item["state"] for item in items} <= SEEN
    assert [item["is_folded"] for item in items] == [item["state"] == "loaded" for item in items]
    counting = [(bytes(item["path"]), item["as_of"]) for item in items if item["state"] == "loaded"]
    assert len(counting) == len(set(counting))
    for item in items:
        if item["state"] == "quarantined":
            assert item["failure_code"] in {*HOLDS, "kills_the_process"}, item["failure_code"]
        if item["state"] == "skipped":
            assert item["failure_code"] in {"superseded", "duplicate", "reverted", "skipped"}
