"""The generated files, read with nothing but the csv module and replayed by the fold's rule, give what is expected."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal

import pytest

from qbwatch.demo.exports import ExportFile
from qbwatch.demo.history import Scale
from qbwatch.demo.story import Story, story

Row = dict[str, str]
NAME = re.compile(r"(?:01_BACKUP_)?([A-Za-z_]+?)_(\d\d)_(\d\d)_(\d{4})(?:_(\d+)_(\d\d)_(\d\d))?(?: \(1\))?\.csv")
LISTS = ("Customer", "Item")


@pytest.fixture(scope="module")
def told() -> Story:
    return story(date(2026, 11, 25))


def said_by(name: str) -> tuple[str, tuple[int, ...]]:
    """Dataset, and as_of as (year, month, day, hour, minute, second)."""
    matched = NAME.fullmatch(name)
    assert matched, name
    stem, month, day, year, *clock = matched.groups()
    return stem, tuple(int(part) for part in (year, month, day, *(clock if clock[0] else (23, 59, 59))))


def rows_of(file: ExportFile) -> list[Row]:
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = file.content.decode("cp1252")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@dataclass
class Database:
    """What a loader would hold: list rows by id, document lines by id."""

    lists: dict[str, dict[str, Row]] = field(default_factory=lambda: {"Customer": {}, "Item": {}})
    documents: dict[str, dict[str, list[Row]]] = field(default_factory=lambda: {"Invoice": {}, "Sales_Receipt": {}})

    def load(self, stem: str, rows: list[Row]) -> None:
        if stem in LISTS:
            for row in rows:
                self.lists[stem].setdefault(row["QuickBooks Internal Id"], {}).update(row)
            return
        fresh: dict[str, list[Row]] = {}
        for row in rows:
            fresh.setdefault(row["QuickBooks Internal Id"], []).append(row)
        self.documents[stem].update(fresh)


def replay(files: Iterable[ExportFile]) -> Database:
    database = Database()
    seen = set()
    for file in sorted(files, key=lambda file: (said_by(file.name)[1], said_by(file.name)[0] not in LISTS)):
        stem, as_of = said_by(file.name)
        if (file.content, as_of) not in seen:
            seen.add((file.content, as_of))
            database.load(stem, rows_of(file))
    return database


def money(text: str) -> Decimal:
    return Decimal(text or "0")


def amount(line: Row) -> Decimal:
    return money(line.get("Product/Service  Amount") or line.get("Product/Service Amount") or "")


def header(lines: list[Row], column: str) -> str:
    return next((line[column] for line in lines if line[column]), "")


def state(lines: list[Row]) -> str:
    if header(lines, "Memo").startswith("VOID") and not any(amount(line) for line in lines):
        return "void"
    return header(lines, "Status").lower().replace(" ", "_") if "Status" in lines[0] else "paid"


def facts(database: Database) -> dict[str, object]:
    customers = database.lists["Customer"].values()
    names = {row["Customer Name"] for row in customers}
    documents = [lines for kind in database.documents.values() for lines in kind.values()]
    return {
        "customers": len(customers),
        "active_customers": sum(row.get("Status") == "true" for row in customers),
        "items": len(database.lists["Item"]),
        "orphans": sum(lines[0]["Customer"] not in names for lines in documents),
        "invoices": tally(list(database.documents["Invoice"].values())),
        "receipts": tally(list(database.documents["Sales_Receipt"].values())),
    }


def tally(documents: list[list[Row]]) -> dict[str, object]:
    states = ("open", "partially_paid", "paid", "void")
    totals = [(state(lines), money(header(lines, "Total Amount"))) for lines in documents]
    every = [line for lines in documents for line in lines]
    return {
        "documents": len(documents),
        "lines": len(every),
        "total": sum(total for _, total in totals),
        "tax": sum(money(header(lines, "Total Tax")) for lines in documents),
        "balance": sum(money(lines[0].get("Balance Due", "")) for lines in documents),
        "line_amounts": sum(amount(line) for line in every),
        "total_on_every_line": sum(money(line["Total Amount"]) for line in every),
        "repeated_products": len(every)
        - len({(line["QuickBooks Internal Id"], line["Product/Service"]) for line in every}),
        "by_state": {name: sum(state == name for state, _ in totals) for name in states},
        "total_by_state": {name: sum(total for state, total in totals if state == name) for name in states},
    }


def test_the_full_exports_give_what_is_expected_after_the_seed(told: Story) -> None:
    assert facts(replay(told.seed)) == asdict(told.expected_after_seed)


def test_every_wave_gives_what_is_expected_after_it(told: Story) -> None:
    dropped = list(told.seed)
    for wave in told.waves:
        dropped += [file for file in wave.files if file is not told.damaged]
        assert facts(replay(dropped)) == asdict(wave.expected)
    assert facts(replay(dropped)) == asdict(told.expected)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_end_is_as_expected_whatever_the_seed_and_the_order_of_arrival(seed: int) -> None:
    told = story(date(2026, 3, 2 + seed), seed, Scale(customers=30, items=24, invoices=40, receipts=20, a_day=3))
    dropped = [*told.seed, *(file for wave in told.waves for file in wave.files if file is not told.damaged)]
    random.Random(seed).shuffle(dropped)
    assert facts(replay(dropped)) == asdict(told.expected)
    assert facts(replay([*dropped, told.mended])) == asdict(told.expected_mended)


def test_without_the_damaged_file_receipts_are_missing_until_it_is_mended(told: Story) -> None:
    without, mended = told.expected, told.expected_mended
    assert without.receipts.documents < mended.receipts.documents
    assert without.receipts.total < mended.receipts.total
    assert (without.invoices, without.customers, without.items) == (mended.invoices, mended.customers, mended.items)


def test_the_mended_file_holds_what_the_damaged_one_should_have_held(told: Story) -> None:
    damaged, mended = rows_of(told.damaged), rows_of(told.mended)
    dates = (
        "Sales Receipt Date",
        "Due Date",
        "Ship Date",
        "Product/Service Service Date",
        "Created Date",
        "Modified Date",
    )
    for row in damaged:
        for column in dates:
            day_first = row[column].split("-")
            row[column] = "-".join((day_first[1], day_first[0], day_first[2])) if row[column] else ""
    assert damaged == mended


def test_header_totals_equal_the_lines_that_count_in_every_file(told: Story) -> None:
    checked = 0
    for file in [*told.seed, *(file for wave in told.waves for file in wave.files), told.mended]:
        if said_by(file.name)[0] in LISTS:
            continue
        documents: dict[str, list[Row]] = {}
        for row in rows_of(file):
            documents.setdefault(row["QuickBooks Internal Id"], []).append(row)
        for lines in documents.values():
            counted = sum(amount(line) for line in lines if line["Product/Service"] != "Subtotal")
            tax = sum(amount(line) for line in lines if line["Product/Service"] == "NJ Sales Tax")
            assert counted == money(lines[0]["Total Amount"])
            assert tax == money(lines[0]["Total Tax"])
            assert len({(line["Total Amount"], line["Memo"], line["Customer"]) for line in lines}) == 1
            checked += 1
    assert checked > 400


def test_adding_up_the_headers_total_line_by_line_would_be_far_off(told: Story) -> None:
    assert told.expected.invoices.total_on_every_line > 3 * told.expected.invoices.total
    assert told.expected.invoices.line_amounts > told.expected.invoices.total
