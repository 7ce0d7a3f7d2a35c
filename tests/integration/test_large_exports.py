"""What large exports do to their table, which small ones do by another way: the same rows, counts and sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from exports import INVOICE, csv_bytes, invoices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import ItemState, LoadResult, WorkItem
from qbwatch.edges import fold, staging
from qbwatch.edges.lane_reader import Answer
from qbwatch.edges.loader import Loader, LoadRefused
from qbwatch.edges.migrate import migrate
from qbwatch.edges.postgres import engine_for
from qbwatch.edges.vault import Kept, Vault
from qbwatch.formats import encoding
from qbwatch.formats.refusal import Refusal

NAME = "Invoice_04_04_2025_2_00_03.csv"
AT = datetime(2025, 4, 5, 12, tzinfo=UTC)
NEVER = 1 << 40
BEGINNING = 400  # bytes by which a text's encoding is surmised


@dataclass(frozen=True)
class Export:
    """``is_full``: documents that it doesn't state are gone."""

    data: bytes
    is_full: bool = False


@dataclass
class Office:
    """Loads exports one after another; nothing of it is kept."""

    connection: Connection
    loader: Loader
    folder: Path

    def outcome(self, exports: Sequence[Export], *, are_large: bool) -> tuple[list[Any], list[str]]:
        """Counts, sums and notes of each load, and the rows in the end; what staging did is in ``staged``."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("LARGE", "_SMALL", "HUGE"):
                patch.setattr(staging, name, 0 if are_large else NEVER)
            patch.setattr(staging, "_MANIFOLD", NEVER)
            patch.setattr(encoding, "_SURMISED", BEGINNING)
            with self.connection.begin() as transaction:
                told = [self._load(number, export) for number, export in enumerate(exports, 1)]
                query = text("SELECT i::text FROM raw.quickbooks_invoices AS i ORDER BY _key, _line")
                rows = [row for (row,) in self.connection.execute(query)]
                transaction.rollback()
        return told, rows

    def same(self, *exports: Export) -> list[Any]:
        """Loads them both ways; returns what was told of each."""
        large, careful = self.outcome(exports, are_large=True), self.outcome(exports, are_large=False)
        assert large == careful
        return large[0]

    def _load(self, number: int, export: Export) -> Any:
        source = self.folder / "drop.csv"
        source.write_bytes(export.data)
        kept = self.loader.vault.take(bytes(source))
        assert isinstance(kept, Kept)
        as_of = AT + timedelta(days=number)
        item = WorkItem(number, number, "quickbooks.invoices", None, kept.content_hash, len(export.data), NAME, as_of,
                        export.is_full, ItemState.LOADING, 1, AT)  # fmt: skip
        try:
            with self.connection.begin_nested():
                result = self.loader.append(self.connection, item, AT)
        except LoadRefused as refused:
            return refused.failure.code
        return _told(result)


def _told(result: LoadResult) -> Any:
    return result.rows, {name: str(total) for name, total in result.sums.items()}, result.notes, result.rejects


@pytest.fixture(scope="module")
def office(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    migrate(module_database_url)
    folder = tmp_path_factory.mktemp("office")
    engine = engine_for(module_database_url, name="test")
    with engine.connect() as connection:
        yield Office(connection, Loader(Vault(folder / "vault"), DateOrder.MDY), folder)


FIRST = {f"{number:X}-17": [("p", "1.00"), ("q", "2.50")] for number in range(3000)}


def test_an_export_that_is_made_again_sends_what_changed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    apply = fold.apply

    def counting(cursor: fold.Cursor, *arguments: Any) -> fold.Applied:
        [(count,)] = cursor.execute("SELECT count(*) FROM pg_temp.qbwatch_stage").fetchall()
        sent.append(count)
        return apply(cursor, *arguments)

    monkeypatch.setattr(fold, "apply", counting)
    changed = {**FIRST, "7-17": [("p", "1.00"), ("q", "3.00")], "8-17": [("p", "1.00")], "new": [("p", "5")]}
    told, _ = office.outcome([Export(invoices(each)) for each in (FIRST, FIRST, changed)], are_large=True)
    assert sent == [0, 4]
    counts = [(rows.inserted, rows.updated, rows.unchanged, rows.removed) for rows, *_ in told]
    assert counts == [(6000, 0, 0, 0), (0, 0, 6000, 0), (1, 1, 5998, 1)]


def test_documents_that_a_large_full_export_lacks_are_gone(office: Office) -> None:
    less = {key: lines for key, lines in FIRST.items() if not key.startswith("A")}
    *_, (rows, *_) = office.same(Export(invoices(FIRST)), Export(invoices(less), is_full=True))
    assert rows.removed == 2 * (len(FIRST) - len(less))


def test_a_document_that_a_large_export_states_in_two_places_is_one(office: Office) -> None:
    lines = invoices(FIRST).splitlines(keepends=True)
    torn = b"".join([*lines[:2], *lines[3:], lines[2]])
    twice = b"".join([*lines, *lines[1:3]])
    office.same(Export(invoices(FIRST)), Export(torn), Export(twice))
    office.same(Export(torn), Export(invoices(FIRST)))


def test_a_document_as_long_as_its_file_is_sent_piece_by_piece(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    rows_of = Answer.rows

    def measured(answer: Answer) -> Iterator[bytearray]:
        for rows in rows_of(answer):
            sizes.append(len(rows))
            yield rows

    monkeypatch.setattr(Answer, "rows", measured)
    lines = [("p", f"{number}.00") for number in range(90_000)]
    changed = [*lines[:-1], ("p", "0.50")]
    told, _ = office.outcome([Export(invoices({"A": each})) for each in (lines, changed)], are_large=True)
    counts = [(rows.inserted, rows.updated, rows.unchanged) for rows, *_ in told]
    assert counts == [(90_000, 0, 0), (0, 1, 89_999)]
    assert sum(sizes) > 2 * max(sizes)
    assert max(sizes) < 6_000_000


def _with_a_name_at_its_end(name: bytes) -> Export:
    """An export whose last document alone has a letter beyond ASCII."""
    data = invoices(FIRST)
    before, _, after = data.rpartition(b"Acme")
    assert len(before) > BEGINNING
    return Export(before + name + after)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_letter_far_below_the_beginning_is_read_in_its_encoding(
    office: Office, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_care: list[str] = []
    monkeypatch.setattr(staging.Staging, "fill_with_care", lambda _, item, __: with_care.append(item.name))
    _, rows = office.outcome([_with_a_name_at_its_end("Zoë".encode(encoding))], are_large=True)
    assert [row.count("Zoë") for row in rows if "Zoë" in row] == [1]
    assert with_care == []


def test_a_letter_that_is_damaged_far_below_the_beginning_is_refused_with_its_line(office: Office) -> None:
    other = _with_a_name_at_its_end("Zoë Müller".encode() * 3).data
    damaged = other.replace("ü".encode(), b"\xc3", 1)
    line = damaged.count(b"\n")
    for are_large in (True, False):
        with pytest.raises(Refusal) as refused:
            office.outcome([Export(damaged)], are_large=are_large)
        assert refused.value.failure.code == "undecodable"
        assert f"(line {line})" in refused.value.failure.reason


def test_what_only_care_can_read_far_below_the_beginning_is_read_with_care(office: Office) -> None:
    lines = invoices(FIRST).splitlines(keepends=True)
    [(rows, *_)] = office.same(Export(b"".join([*lines[:-1], b"\r\n", lines[-1]])))
    assert rows.inserted == 2 * len(FIRST)


_LINES = st.lists(st.tuples(st.sampled_from("pq"), st.sampled_from(["1", "1.0", "1.00", "2", "-3.5", "x"])), min_size=1,
                  max_size=3)  # fmt: skip
_KEYS = st.sampled_from([*"ABCDE", "a b", "a  b"])
_DOCUMENTS = st.lists(st.tuples(_KEYS, _LINES), max_size=6)


def _written(documents: list[tuple[str, list[tuple[str, str]]]], memo: str | None) -> bytes:
    header = INVOICE if memo is None else (*INVOICE, memo)
    return csv_bytes(header, *(
        (key, "N", "Acme", "04-01-2025", product, "1", amount, amount, "9.00", "Open", *(() if memo is None else "m"))
        for key, lines in documents for product, amount in lines
    ))  # fmt: skip


_EXPORTS = st.builds(
    Export, st.builds(_written, _DOCUMENTS, st.sampled_from([None, None, "Memo", "Colour"])), st.booleans()
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_EXPORTS, min_size=1, max_size=4))
def test_any_exports_come_to_the_same_whether_they_are_large_or_not(office: Office, exports: list[Export]) -> None:
    office.same(*exports)
