"""A small office in which anything may happen, in any order: files come, persons decide, processes die."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from fold_model import Content, Row, Spoken, Table, fold
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import StaticPool

from qbwatch.admission import Admitter
from qbwatch.core.arrival import Arrival
from qbwatch.core.dates import DateOrder
from qbwatch.core.model import ItemState, Mode, QbwatchError
from qbwatch.datasets import dataset_named
from qbwatch.edges import decisions, runs, store
from qbwatch.edges.file_search import Named, choose
from qbwatch.edges.loader import Loader
from qbwatch.edges.postgres import driver
from qbwatch.edges.vault import Kept, Vault
from qbwatch.loading import Loading
from qbwatch.progress import Progress
from qbwatch.rebuilding import verify
from qbwatch.reverting import revert

ZONE = ZoneInfo("America/New_York")
START = datetime(2025, 5, 1, 12, tzinfo=UTC)
DATASETS = {"list": "quickbooks.customers", "document": "quickbooks.invoices", "period": "quickbooks.transactions"}
COMPARED = {
    "list": ("quickbooks_internal_id", "customer_name", "main_email", "credit_limit"),
    "document": (
        "quickbooks_internal_id",
        "product_service",
        "product_service_amount",
        "memo",
    ),
    "period": ("date", "name", "amount"),
}
HEADERS = {
    "quickbooks_internal_id": "QuickBooks Internal Id",
    "customer_name": "Customer Name",
    "main_email": "Main Email",
    "credit_limit": "Credit Limit",
    "region": "Region",
    "product_service": "Product/Service",
    "product_service_amount": "Product/Service  Amount",
    "memo": "Memo",
    "date": "Date",
    "name": "Name",
    "amount": "Amount",
}


ALWAYS = {
    "document": (("Invoice No", "N"), ("Customer", "Acme"), ("Invoice Date", "04-01-2025")),
    "period": (("Transaction Type", "Invoice"), ("Num", "7")),
}
"""Columns of every line that a header must have; what they say is no part of the game."""


class Died(Exception):
    """The process ended here; nothing of its transaction was committed."""


class _Fuse:
    """Statements left until the process dies; None: it lives."""

    left: int | None = None

    def burn(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Died


FUSE = _Fuse()


class _MortalCursor(psycopg.Cursor[Any]):
    def execute(self, *args: Any, **kwargs: Any) -> Any:
        FUSE.burn()
        return super().execute(*args, **kwargs)

    def copy(self, *args: Any, **kwargs: Any) -> Any:
        FUSE.burn()
        return super().copy(*args, **kwargs)


def mortal_engine(url: str) -> Engine:
    """One connection for everything; dying is an exception out of any statement."""

    def connect() -> psycopg.Connection[Any]:
        options = "-c timezone=UTC -c datestyle=ISO -c synchronous_commit=off"
        return psycopg.connect(url, cursor_factory=_MortalCursor, options=options, client_encoding="utf8")

    return create_engine("postgresql+psycopg://", creator=connect, poolclass=StaticPool)


def written(content: Content) -> bytes:
    """The content as a file."""
    out = io.StringIO()
    rows = csv.writer(out)
    if content.kind == "period":
        rows.writerows([["Acme"], ["Transaction List by Date"], *_period_line(content), []])
    always = ALWAYS.get(content.kind, ())
    rows.writerow([*(HEADERS[name] for name in content.columns), *(header for header, _ in always)])
    for line in content.lines:
        cells = dict(line.cells) | {content.columns[0]: line.key or ""}
        rows.writerow([*(cells.get(name, "") for name in content.columns), *(cell for _, cell in always)])
    return out.getvalue().encode()


def _period_line(content: Content) -> list[list[str]]:
    match content.period:
        case None:
            return []
        case "all":
            return [["All Dates"]]
        case first, last:
            days = [date.fromisoformat(day).strftime("%B %d, %Y") for day in (first, last)]
            return [[" - ".join(days)]]


class World:
    """The office. ``contents`` remembers what each file said, by its hash."""

    def __init__(self, engine: Engine, connection: Connection, vault: Vault, folder: Path) -> None:
        self.engine, self.connection, self.vault, self.folder = engine, connection, vault, folder
        self.contents: dict[str, Content] = {}
        self.kept: dict[bytes, Kept] = {}
        self.at = START
        self.largest_batch = 0

    def tick(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def begin(self) -> None:
        """A new life: empty ledger and raw tables."""
        tables = [f"raw.{dataset_named(name).table}" for name in DATASETS.values()]
        with self.connection.begin():
            for table in (
                "qbwatch.rejected_rows", "qbwatch.transform_debt", "qbwatch.work_items", "qbwatch.files",
                "qbwatch.runs", *tables,
            ):  # fmt: skip
                self.connection.execute(text(f"DELETE FROM {table}"))
        self.at, self.largest_batch = START, 0

    @property
    def loader(self) -> Loader:
        return Loader(self.vault, DateOrder.MDY)

    # what happens

    @contextmanager
    def dying(self, after: int | None) -> Iterator[None]:
        """The process may die ``after`` so many statements; it is started again and takes up what was left."""
        FUSE.left = after
        try:
            yield
        except Died:
            FUSE.left = None
            with self.connection.begin():
                store.recover(self.connection, self.tick(), count_crash=True)
        finally:
            FUSE.left = None

    def drop(self, path: str, content: Content) -> None:
        data = written(content)
        if data not in self.kept:
            source = self.folder / "drop.csv"
            source.write_bytes(data)
            kept = self.vault.take(bytes(source))
            assert isinstance(kept, Kept)
            self.kept[data] = kept
        kept = self.kept[data]
        self.contents[kept.content_hash] = content
        at = self.tick()
        arrival = Arrival(
            "input", path.encode(), kept.look, kept.content_hash, kept.size_bytes, at, at, patience_over=True
        )
        admitter = Admitter(self.engine, self.vault, ZONE, DateOrder.MDY, now=self.tick)
        admitter.admit(arrival)

    def load_all(self, died_after: int | None = None) -> None:
        """A run's loads; with a death in it, only what came before."""
        with self.dying(died_after):
            with self.connection.begin():
                run_id = runs.start_run(self.connection, Mode.INCREMENTAL, "a test", 0, self.tick())
                due = store.in_fold_order(store.open_items(self.connection))
            loading = Loading(self.connection, self.loader, self.tick, Progress(run_id, len(due)))
            for batch in loading.batches(due):
                self.largest_batch = max(self.largest_batch, len(batch))
                loading.load(batch)

    def decide(self, decision: str, path: str, died_after: int | None) -> None:
        """``revert``, ``skip``, ``accept`` or ``retry`` of what lies at the path; where that can't be, nothing."""
        decide: dict[str, Callable[[], object]] = {
            "revert": lambda: revert(self.connection, self.loader, path, self.tick()),
            "skip": lambda: self._by_id(path, decisions.skip, lambda item: item.state.value != "loaded"),
            "accept": lambda: self._by_id(path, decisions.accept, lambda item: item.state is ItemState.QUARANTINED),
            "retry": lambda: self._by_id(path, decisions.release, lambda item: item.state is not ItemState.LOADED),
        }
        with self.dying(died_after):
            try:
                decide[decision]()
            except QbwatchError:
                assert not self.connection.in_transaction()

    def _by_id(self, path: str, decide: Callable[..., int], wanted: Callable[[Named], bool]) -> None:
        with self.connection.begin():
            chosen = choose(self.connection, path, wanted, "nothing to decide")
            decide(self.connection, [each.item_id for each in chosen], self.tick())

    # what is so

    def items(self) -> list[dict[str, Any]]:
        query = text(
            """SELECT item.*, file.path FROM qbwatch.work_items AS item
               JOIN qbwatch.files AS file ON file.id = item.file_id ORDER BY item.id"""
        )
        with self.connection.begin():
            return [dict(row) for row in self.connection.execute(query).mappings()]

    def accepted(self, kind: str) -> list[Spoken]:
        return [
            Spoken(
                self.contents[item["content_hash"]],
                item["file_id"],
                item["as_of"],
                item["is_full"],
                item["content_hash"],
                item["id"],
                frozenset(item["answers"].get("accepted", ())),
            )
            for item in self.items()
            if item["state"] == "loaded" and item["dataset"] == DATASETS[kind]
        ]

    def expected(self, kind: str) -> Table:
        """What the model says; where a row has no value it says nothing."""
        table = fold(self.accepted(kind))
        for row in table.values():
            row.values = {name: value for name, value in row.values.items() if value is not None}
        return table

    def in_table(self, kind: str) -> Table:
        dataset = dataset_named(DATASETS[kind])
        names = COMPARED[kind]
        removed = "_removed_at" if kind == "list" else "NULL::timestamptz"
        columns = ", ".join(f'"{name}"::text' for name in names)
        query = (
            f"SELECT _key, _line, _file_id, _row_number, _as_of, _extra, {removed}, {columns} FROM raw.{dataset.table}"
        )
        table: Table = {}
        with self.connection.begin():
            for row in driver(self.connection).cursor().execute(query.encode()).fetchall():
                values = {name: value for name, value in zip(names, row[7:], strict=True) if value is not None}
                table[row[0], row[1]] = Row(row[2], row[3], row[4], values, row[5], row[6])
        return table

    def verified(self, kind: str) -> dict[str, Any]:
        """What ``rebuild --verify`` says."""
        return verify(self.connection, self.loader, dataset_named(DATASETS[kind]), self.tick())
