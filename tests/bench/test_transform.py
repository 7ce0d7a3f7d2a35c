"""How long dbt takes cold, and in a fork of a warm one; and what a warm one weighs.

All of one round is measured in the same run, in turns, so that a busy machine slows all of it down alike. The ratios
are held to what they are for: marts that are current soon after the last row was committed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import psycopg
import pytest
from dbt_raw_tables import create_raw_tables, load_corpus
from measuring import memory_mb, show_facts, show_seconds

from qbwatch.edges.dbt import Dbt, DbtSettings, TransformResult
from qbwatch.edges.dbt_views import SparingDbt

PROJECT = Path(__file__).parents[2] / "dbt"
ROUNDS = int(os.environ.get("QBWATCH_BENCH_ROUNDS", "5"))
DATASETS = ("customers", "items", "invoices", "sales_receipts")
WARM_TO_COLD, ONE_DATASET_TO_COLD = 0.35, 0.25


@pytest.mark.timeout(1800)
def test_a_build_cold_and_warm(empty_database_url: str, tmp_path: Path, corpus: Path) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as books:
        create_raw_tables(books)
        load_corpus(books, corpus / "saasant")
        books.execute("analyze")
    warm = Dbt(DbtSettings(PROJECT, tmp_path / "warm", empty_database_url))
    cold = Dbt(DbtSettings(PROJECT, tmp_path / "cold", empty_database_url))
    measured: dict[str, list[float]] = {"everything, cold": [], "everything, warm": []}
    measured |= {f"what {name} owe, warm": [] for name in DATASETS}
    try:
        assert cold.build().succeeded  # what is parsed is kept from here on, as in a daemon that has run before
        before = time.monotonic()
        warm.warm_up()
        assert warm.build(["source:quickbooks.items+"]).cold_because is None
        started = time.monotonic() - before
        sparing = SparingDbt(warm)
        assert sparing.build().succeeded
        for _ in range(ROUNDS):
            measured["everything, cold"].append(seconds(cold.build, is_warm=False))
            measured["everything, warm"].append(seconds(warm.build, is_warm=True))
            for name in DATASETS:
                owed = partial(sparing.build, [f"source:quickbooks.{name}+"])
                measured[f"what {name} owe, warm"].append(seconds(owed, is_warm=True, paying=f"quickbooks.{name}"))
        assert warm.warm_pid is not None
        weight = memory_mb(warm.warm_pid)
    finally:
        warm.close()

    show_seconds("dbt build, in turns", measured)
    base = median(measured["everything, cold"])
    ratios = {name: median(times) / base for name, times in measured.items() if name != "everything, cold"}
    facts = [
        ("start of a warm dbt and its first build", f"{started:.1f} s"),
        ("memory of a warm dbt", f"{weight:.0f} MB"),
    ]
    show_facts("Beside it", [*facts, *((f"{name} ÷ cold", f"{ratio:.2f}") for name, ratio in ratios.items())])
    assert ratios.pop("everything, warm") <= WARM_TO_COLD
    assert max(ratios.values()) <= ONE_DATASET_TO_COLD


def seconds(build: Callable[[], TransformResult], *, is_warm: bool, paying: str | None = None) -> float:
    """How long a build takes, from being asked for to having been judged, with all that is looked up around it."""
    started = time.monotonic()
    result = build()
    took = time.monotonic() - started
    assert result.succeeded, result
    assert (result.cold_because is None) is is_warm
    assert paying is None or result.pays(paying)
    return took
