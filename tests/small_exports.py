"""Exports of a few rows, written by hand, and the way to put them into the ledger."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import Engine

from qbwatch.admission import Admitter
from qbwatch.core.arrival import Admission, Arrival
from qbwatch.core.dates import DateOrder
from qbwatch.edges.dbt import NodeResult, Outcome, TransformResult
from qbwatch.edges.loader import Loader
from qbwatch.edges.postgres import engine_for
from qbwatch.edges.vault import Kept, Vault
from qbwatch.edges.workbook_reader import WorkbookReader
from qbwatch.pipeline import Pipeline, RunOutcome, Scope

NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2025, 4, 20, 16, tzinfo=UTC)


def customers(**names_by_id: str) -> bytes:
    """A list of customers: id → name."""
    return _table("QuickBooks Internal Id,Customer Name", (f"{key},{name}" for key, name in names_by_id.items()))


def items(**names_by_id: str) -> bytes:
    """A list of items: id → name."""
    rows = (f"{key},{name},Service" for key, name in names_by_id.items())
    return _table("QuickBooks Internal Id,Item Name,Item Type", rows)


def invoices(**amounts_by_id: Sequence[str]) -> bytes:
    """Invoices: id → the amounts of its lines."""
    header = "QuickBooks Internal Id,Invoice No,Invoice Date,Customer,Product/Service,Product/Service  Amount"
    rows = (f"{key},N-{key},04-01-2025,Acme,Rope,{amount}" for key, lines in amounts_by_id.items() for amount in lines)
    return _table(header, rows)


def receipts(**amounts_by_id: Sequence[str]) -> bytes:
    """Sales receipts: id → the amounts of its lines."""
    header = (
        "QuickBooks Internal Id,Sales Receipt No,Sales Receipt Date,Customer,Product/Service,Product/Service Amount"
    )
    rows = (f"{key},R-{key},04-01-2025,Acme,Rope,{amount}" for key, lines in amounts_by_id.items() for amount in lines)
    return _table(header, rows)


def _table(header: str, rows: object) -> bytes:
    return "".join(f"{line}\r\n" for line in (header, *rows)).encode()  # type: ignore[misc]


class FakeDbt:
    """Stands for dbt: remembers what it was asked to build and answers as told, by default that all is built."""

    target_schema = "analytics"

    def __init__(self) -> None:
        self.builds: list[tuple[tuple[str, ...], bool]] = []
        self.answer = TransformResult(
            Outcome.BUILT, (NodeResult("model.fct_orders", "fct_orders", "model", "success", 0.1, 1, None),)
        )

    def build(
        self, select: Sequence[str] = (), full_refresh: bool = False, should_stop: Callable[[], bool] = lambda: False
    ) -> TransformResult:
        """Note the selection."""
        self.builds.append((tuple(select), full_refresh))
        return self.answer


@dataclass(slots=True)
class Office:
    """A folder, a vault and a pipeline over one database; ``at`` is its clock, ``stopping`` what a stop asks."""

    root: Path
    url: str
    at: datetime = NOON
    stopping: Callable[[], bool] = lambda: False
    dbt: FakeDbt = field(default_factory=FakeDbt)

    def __post_init__(self) -> None:
        (self.root / "input").mkdir(parents=True)
        (self.root / "seed").mkdir()

    @property
    def engine(self) -> Engine:
        """Connections to its database."""
        return engine_for(self.url, name="qbwatch-test")

    @property
    def vault(self) -> Vault:
        """Its vault."""
        return Vault(self.root / "vault")

    @property
    def admitter(self) -> Admitter:
        """What decides about its files."""
        reader = WorkbookReader(scratch=self.root)
        return Admitter(self.engine, self.vault, NEW_YORK, DateOrder.MDY, now=lambda: self.at, open_book=reader)

    @property
    def pipeline(self) -> Pipeline:
        """Its pipeline, with a dbt that only remembers."""
        loader = Loader(self.vault, DateOrder.MDY, lambda: self.stopping())
        return Pipeline(loader, self.dbt, lambda: self.stopping(), now=lambda: self.at)

    def drop(
        self,
        name: str | bytes,
        content: bytes,
        root: str = "input",
        *,
        mtime: datetime = NOON,
        patience_over: bool = False,
    ) -> Admission:
        """Write a file into a folder and admit it as settled."""
        return self.admitter.admit(self.arrival(name, content, root, mtime=mtime, patience_over=patience_over))

    def arrival(
        self,
        name: str | bytes,
        content: bytes,
        root: str = "input",
        *,
        mtime: datetime = NOON,
        patience_over: bool = False,
    ) -> Arrival:
        """Write a file into a folder and take it into the vault, as settled."""
        path = os.fsencode(name)
        file = os.fsencode(self.root / root) + b"/" + path
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as written:
            written.write(content)
        os.utime(file, (mtime.timestamp(), mtime.timestamp()))
        kept = self.vault.take(path, self.root / root)
        assert isinstance(kept, Kept)
        self.at += timedelta(seconds=1)
        return Arrival(
            root, path, kept.look, kept.content_hash, kept.size_bytes, self.at, self.at, patience_over=patience_over
        )

    def work(self, scope: Scope | None = None) -> RunOutcome | None:
        """Plan a run and do it; None when there was nothing to do."""
        pipeline = self.pipeline
        with self.engine.connect() as connection:
            plan = pipeline.plan(connection, scope=scope or Scope())
            return None if plan is None else pipeline.run(connection, plan)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Rows from the database."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(sql).fetchall()  # type: ignore[call-overload, no-any-return]

    def execute(self, sql: str) -> None:
        """A change made in the database by hand."""
        with psycopg.connect(self.url) as connection:
            connection.execute(sql)  # type: ignore[call-overload]

    def states(self) -> list[tuple[object, ...]]:
        """Every item's file and state, in the order in which they came."""
        return self.query(
            """SELECT file.name, item.state FROM qbwatch.work_items AS item
               JOIN qbwatch.files AS file ON file.id = item.file_id ORDER BY item.id"""
        )

    def lines(self) -> list[tuple[object, ...]]:
        """Invoice lines: id and amount."""
        query = "SELECT _key, product_service_amount::text FROM raw.quickbooks_invoices ORDER BY _key, _line"
        return self.query(query)
