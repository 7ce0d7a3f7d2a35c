"""A firm's books under test: a real database and vault, files that are taken in, and loads as a run does them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from raw_content import raw_content
from sqlalchemy import Connection, text

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import AsOfBasis, ItemState, LoadResult, Mode, WorkItem
from qbwatch.core.naming import read_file_name
from qbwatch.datasets import Dataset, dataset_named, datasets
from qbwatch.edges import admissions, places, runs, store
from qbwatch.edges.admissions import NewItem, SeenFile
from qbwatch.edges.loader import Loader
from qbwatch.edges.postgres import driver, engine_for
from qbwatch.edges.refolding import Newcomers, Refolding
from qbwatch.edges.vault import Kept, Vault
from qbwatch.formats.part import open_part

ZONE = ZoneInfo("America/New_York")
START = datetime(2025, 5, 1, 12, tzinfo=UTC)


def _held(name: str, data: bytes) -> Dataset:
    """What a report is, which its name needn't say."""
    return open_part(lambda: io.BytesIO(data), name, DateOrder.MDY).layout.dataset


@dataclass
class Books:
    """Files are taken in and loaded one by one; ``at`` moves on by a minute with everything that happens."""

    url: str
    folder: Path
    connection: Connection
    loader: Loader
    run_id: int
    at: datetime = START
    taken: dict[str, int] = field(default_factory=dict)

    def tick(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at

    def take(self, name: str, data: bytes, *, path: str | None = None) -> int:
        """Put a settled file into vault and ledger; returns the id of its pending work item."""
        source = self.folder / "drop.csv"
        source.write_bytes(data)
        kept = self.loader.vault.take(bytes(source))
        assert isinstance(kept, Kept)
        reading = read_file_name(name)
        as_of = reading.as_of(ZONE)
        assert as_of is not None, "a test's file states its moment in its name"
        at = self.tick()
        seen = SeenFile(
            root="input",
            path=(path or name).encode(),
            name=path or name,
            size_bytes=kept.size_bytes,
            mtime_ns=kept.look.mtime_ns,
            inode=kept.look.inode,
            device=kept.look.device,
            content_hash=kept.content_hash,
            as_of=as_of,
            as_of_basis=AsOfBasis.NAME,
            is_full=reading.is_full,
            first_seen_at=at,
            settled_at=at,
        )
        named = [each for each in datasets().values() if name.replace("01_BACKUP_", "").startswith(each.stems)]
        dataset = (named[0] if named else _held(name, data)).full_name
        with self.connection.begin():
            file_id = admissions.record_file(self.connection, seen)
            return admissions.add_item(
                self.connection, seen, file_id, NewItem(ItemState.PENDING, dataset, is_full=seen.is_full), at
            )

    def claim(self, item_id: int) -> WorkItem:
        with self.connection.begin():
            item = store.claim(self.connection, item_id, self.run_id, self.tick())
        assert item is not None
        return item

    def load(self, name: str, data: bytes, *, path: str | None = None) -> LoadResult:
        """Take a file in and load it in one transaction: at its place in the fold, with its ledger entry."""
        return self.load_item(self.take(name, data, path=path))

    def load_item(self, item_id: int) -> LoadResult:
        item, at = self.claim(item_id), self.at
        assert item.dataset is not None
        connection = self.connection
        with connection.begin():
            places.supersede_older_versions(connection, item, at)
            place = places.place_of(connection, item)
            if place.is_late or place.has_superseded:
                return self._fold_anew_with(item, at)
            result = self.loader.append(connection, item, at)
            store.finish(connection, item, result, at)
        return result

    def _fold_anew_with(self, item: WorkItem, at: datetime) -> LoadResult:
        assert item.dataset is not None
        results: list[LoadResult] = []

        def take(_: WorkItem, result: LoadResult) -> None:
            store.finish(self.connection, item, result, at)
            results.append(result)

        newcomers = Newcomers([item], take)
        changed = [item, *store.changed_items(self.connection, item.dataset)]
        items = store.in_fold_order([*store.folded_items(self.connection, item.dataset), item])
        Refolding(self.loader, self.connection, dataset_named(item.dataset), items, at).changed(changed, newcomers)
        store.set_folded(self.connection, item.dataset)
        for refused in newcomers.refused.values():
            raise refused
        return results[-1]

    def refold(self, dataset: str) -> int:
        """Fold a dataset from nothing; returns how many rows of the raw table were touched."""
        known = dataset_named(dataset)
        with self.connection.begin():
            items = store.folded_items(self.connection, known.full_name)
            return Refolding(self.loader, self.connection, known, items, self.tick()).whole().touched

    def rows(self, table: str, columns: str, order: str = "_key") -> list[tuple[Any, ...]]:
        query = text(f"SELECT {columns} FROM raw.quickbooks_{table} ORDER BY {order}")
        with self.connection.begin():
            return [tuple(row) for row in self.connection.execute(query)]

    def lines(self, table: str = "invoices") -> dict[str, list[tuple[str, str]]]:
        """Documents by key: product and amount of each line, in order."""
        found: dict[str, list[tuple[str, str]]] = {}
        for key, product, amount in self.rows(
            table, "_key, product_service, product_service_amount::text", "_key, _line"
        ):
            found.setdefault(key, []).append((product, amount))
        return found

    def item(self, item_id: int) -> dict[str, Any]:
        query = text("SELECT * FROM qbwatch.work_items WHERE id = :id")
        with self.connection.begin():
            return dict(self.connection.execute(query, {"id": item_id}).mappings().one())

    def versions(self, table: str) -> list[tuple[Any, ...]]:
        """Physical row versions: these change when a row is written, even with the same values."""
        return self.rows(table, "_key, _line, ctid::text, xmin::text", "_key, _line")

    def content(self) -> dict[str, list[str]]:
        return raw_content(self.url)

    def execute(self, statement: str) -> None:
        with self.connection.begin():
            driver(self.connection).execute(statement.encode())


@contextmanager
def open_books(url: str, folder: Path) -> Iterator[Books]:
    """Books over an empty, migrated database; the vault lies in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = engine_for(url, name="test")
    with engine.connect() as connection:
        with connection.begin():
            run_id = runs.start_run(connection, Mode.INCREMENTAL, "a test", 0, START)
        yield Books(url, folder, connection, Loader(Vault(folder / "vault"), DateOrder.MDY), run_id)
