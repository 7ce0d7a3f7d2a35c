"""In what order, in which mode, and why?"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from qbwatch.core.model import ItemState, Mode, WorkItem
from qbwatch.core.plan import Facts, Plan, make_plan
from qbwatch.datasets import datasets
from qbwatch.edges.store import in_fold_order

RANKS = {name: dataset.rank for name, dataset in datasets().items()}
AT = datetime(2025, 4, 17, 6, 0, 3, tzinfo=UTC)


def item(
    number: int, dataset: str | None = "invoices", *, hours: float = 0, is_full: bool = False, attempt: int = 0
) -> WorkItem:
    return WorkItem(
        id=number,
        file_id=number,
        dataset=None if dataset is None else f"quickbooks.{dataset}",
        sheet=None,
        content_hash=f"{number:064x}",
        size_bytes=1,
        name=f"file {number}",
        as_of=AT + timedelta(hours=hours),
        is_full=is_full,
        state=ItemState.PENDING,
        attempt=attempt,
        first_seen_at=AT,
    )


def plan(*due: WorkItem, has_loaded: bool = True, owed: tuple[str, ...] = (), force: Mode | None = None) -> Plan | None:
    return make_plan(Facts(has_loaded, due, owed), RANKS, force)


def planned(*due: WorkItem, **facts: object) -> Plan:
    found = plan(*due, **facts)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_nothing_to_do_is_no_run() -> None:
    assert plan() is None
    assert plan(has_loaded=False) is None
    assert plan(force=Mode.INCREMENTAL) is None


@pytest.mark.parametrize(
    ("due", "facts", "mode", "full_refresh", "why"),
    [
        ([item(1)], {"has_loaded": False}, Mode.SEED, True, "nothing was loaded yet: 1 file to begin with"),
        ([item(1), item(2)], {}, Mode.INCREMENTAL, False, "2 files new"),
        ([item(1), item(2, attempt=1)], {}, Mode.INCREMENTAL, False, "1 file new, 1 file tried before"),
        ([item(1, attempt=2)], {}, Mode.REPAIR, False, "1 file unfinished"),
        ([], {"owed": ("quickbooks.items",)}, Mode.REPAIR, False, "dbt is owed for quickbooks.items"),
        ([], {"owed": ("a",), "has_loaded": False}, Mode.REPAIR, False, "dbt is owed for a"),
        ([item(1, attempt=1)], {"owed": ("a", "b")}, Mode.REPAIR, False, "1 file unfinished; dbt is owed for a, b"),
        ([item(1)], {"force": Mode.INCREMENTAL, "has_loaded": False}, Mode.INCREMENTAL, False,
         "incremental was asked for: 1 file waiting"),
    ],
)  # fmt: skip
def test_the_mode_follows_from_what_is_there(
    due: list[WorkItem], facts: dict[str, object], mode: Mode, full_refresh: bool, why: str
) -> None:
    found = planned(*due, **facts)
    assert (found.mode, found.full_refresh, found.why, found.refold_all) == (mode, full_refresh, why, False)


def test_a_forced_seed_folds_and_builds_everything_also_when_nothing_is_new() -> None:
    found = planned(force=Mode.SEED)
    assert (found.mode, found.refold_all, found.full_refresh, found.items) == (Mode.SEED, True, True, ())


def test_parents_come_first_and_inside_a_dataset_the_older_file() -> None:
    in_order = [
        item(1, "customers", hours=5),
        item(2, "customers", hours=6),
        item(3, "items", hours=9),
        item(4, "invoices", hours=-100),
        item(5, "invoices", hours=2),
        item(6, "invoices", hours=2, is_full=True),
        item(7, "sales_receipts", hours=-200),
    ]
    for seed in range(20):
        shuffled = random.Random(seed).sample(in_order, len(in_order))
        assert list(planned(*shuffled).items) == in_order


def test_the_plan_loads_a_dataset_in_the_order_of_its_fold() -> None:
    items = [item(number, hours=number % 3, is_full=number % 2 == 0) for number in range(12)]
    assert list(planned(*items).items) == in_fold_order(items)


def test_a_file_that_fitted_no_dataset_is_tried_with_the_rest() -> None:
    unknown, known = item(1, None, attempt=1), item(2)
    assert set(planned(unknown, known).items) == {unknown, known}
