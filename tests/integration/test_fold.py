"""The raw tables are a pure function of the accepted files, whatever happened on the way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from books import Books, open_books
from exports import CUSTOMER, csv_bytes, customers, invoices

FULL = "01_BACKUP_{}_04_03_2025.csv"
ACME, BETA = ["8-1", "Acme", "a@acme.example", "100.00", "true"], ["8-2", "Beta", "", "", "true"]


@pytest.fixture
def books(database_url: str, tmp_path: Path) -> Iterator[Books]:
    with open_books(database_url, tmp_path) as opened:
        yield opened


def customer(day: int, hour: int = 1) -> str:
    return f"Customer_04_{day:02}_2025_{hour}_00_02.csv"


def invoice(day: int, hour: int = 2) -> str:
    return f"Invoice_04_{day:02}_2025_{hour}_00_03.csv"


# lists


def test_a_column_that_a_file_lacks_keeps_its_last_known_value(books: Books) -> None:
    books.load(customer(4), customers(ACME, BETA))
    without = csv_bytes(CUSTOMER[:2], ("8-1", "Acme Inc"))
    result = books.load(customer(5), without)
    assert books.rows("customers", "customer_name, main_email, credit_limit, status") == [
        ("Acme Inc", "a@acme.example", Decimal("100.00"), True),
        ("Beta", None, None, True),
    ]
    assert (result.rows.updated, result.rows.inserted, result.rows.unchanged) == (1, 0, 0)


def test_a_blank_cell_takes_an_earlier_value_back(books: Books) -> None:
    books.load(customer(4), customers(ACME))
    books.load(customer(5), customers(["8-1", "Acme"]))
    assert books.rows("customers", "main_email, credit_limit, status") == [(None, None, None)]


def test_a_new_column_is_kept_beside_and_can_be_taken_back(books: Books) -> None:
    header = (*CUSTOMER, "Preferred Language", "Region")
    books.load(customer(4), csv_bytes(header, (*ACME, "fr", "west")))
    assert books.rows("customers", "_extra") == [({"preferred_language": "fr", "region": "west"},)]
    books.load(customer(5), customers(ACME))
    assert books.rows("customers", "_extra") == [({"preferred_language": "fr", "region": "west"},)]
    books.load(customer(6), csv_bytes(header[:-1], (*ACME, "")))
    assert books.rows("customers", "_extra") == [({"region": "west"},)]


def test_a_window_removes_nothing_and_a_full_export_marks_what_is_gone(books: Books) -> None:
    books.load(customer(1), customers(ACME, BETA))
    books.load(customer(2), customers(ACME))
    assert books.rows("customers", "_key, _removed_at") == [("8-1", None), ("8-2", None)]
    result = books.load(FULL.format("Customer"), customers(ACME))
    gone_at = datetime(2025, 4, 4, 3, 59, 59, tzinfo=UTC)
    assert books.rows("customers", "_key, _removed_at") == [("8-1", None), ("8-2", gone_at)]
    assert (result.rows.removed, result.rows.unchanged) == (1, 1)


def test_a_later_window_brings_a_removed_row_back(books: Books) -> None:
    books.load(customer(1), customers(ACME, BETA))
    books.load(FULL.format("Customer"), customers(ACME))
    result = books.load(customer(4), customers(BETA))
    assert books.rows("customers", "_key, customer_name, _removed_at")[1] == ("8-2", "Beta", None)
    assert result.rows.updated == 1


def test_a_second_full_export_keeps_the_moment_of_the_first_removal(books: Books) -> None:
    books.load(customer(1), customers(ACME, BETA))
    books.load(FULL.format("Customer"), customers(ACME))
    before = books.content()
    result = books.load("01_BACKUP_Customer_04_09_2025.csv", customers(ACME))
    assert result.rows.removed == 0
    assert books.content() == before


def test_a_full_export_without_rows_or_with_an_unreadable_key_removes_nothing(books: Books) -> None:
    books.load(customer(1), customers(ACME, BETA))
    assert books.load(FULL.format("Customer"), customers()).rows.removed == 0
    many = [[f"9-{number}", "x"] for number in range(20)]
    result = books.load("01_BACKUP_Customer_04_09_2025.csv", customers(ACME, ["", "Beta"], *many))
    assert (result.rows.removed, result.rows.rejected) == (0, 1)
    assert any("nothing was removed" in note for note in result.notes)
    assert books.rows("customers", "count(*)", "1") == [(22,)]


def test_a_row_that_a_full_export_states_unreadably_stays_as_it_was(books: Books) -> None:
    books.load(customer(1), customers(ACME, BETA, ["8-3", "Gone"]))
    many = [[f"9-{number}", "x"] for number in range(20)]
    result = books.load(FULL.format("Customer"), customers(ACME, ["8-2", "Beta", "", "lots"], *many))
    assert result.rows.removed == 1
    assert books.rows("customers", "_key, customer_name", "_key LIMIT 3")[1] == ("8-2", "Beta")
    assert [key for key, at in books.rows("customers", "_key, _removed_at") if at] == ["8-3"]


# documents


def test_a_line_that_a_newer_statement_lacks_is_gone(books: Books) -> None:
    books.load(invoice(4), invoices({"A": [("x", "1.00"), ("y", "2.00"), ("z", "3.00")], "B": [("x", "9.00")]}))
    result = books.load(invoice(5), invoices({"A": [("x", "1.00"), ("z", "3.00")]}))
    assert books.lines() == {"A": [("x", "1.00"), ("z", "3.00")], "B": [("x", "9.00")]}
    assert (result.rows.unchanged, result.rows.updated, result.rows.removed) == (1, 1, 1)


def test_reordered_and_inserted_lines_stand_where_the_newest_statement_puts_them(books: Books) -> None:
    books.load(invoice(4), invoices({"A": [("x", "1.00"), ("y", "2.00")]}))
    books.load(invoice(5), invoices({"A": [("y", "2.00"), ("new", "5.00"), ("x", "1.00")]}))
    assert books.lines() == {"A": [("y", "2.00"), ("new", "5.00"), ("x", "1.00")]}


def test_identical_lines_stay_as_many_as_there_are(books: Books) -> None:
    rent = ("rent", "-20.00")
    first, second = invoices({"A": [rent, rent]}), invoices({"A": [rent, rent], "B": [("x", "5.00")]})
    books.load(invoice(4), first)
    assert books.lines() == {"A": [rent, rent]}
    assert books.load(invoice(5), first).rows.unchanged == 2
    assert books.lines() == {"A": [rent, rent]}
    books.load(invoice(6), second)
    assert books.lines() == {"A": [rent, rent], "B": [("x", "5.00")]}


def test_a_full_export_deletes_documents_that_it_lacks_and_a_window_none(books: Books) -> None:
    books.load(invoice(1), invoices({"A": [("x", "1.00")], "B": [("x", "2.00"), ("y", "3.00")]}))
    books.load(invoice(2), invoices({"A": [("x", "1.00")]}))
    assert set(books.lines()) == {"A", "B"}
    result = books.load(FULL.format("Invoice"), invoices({"A": [("x", "1.00")]}))
    assert books.lines() == {"A": [("x", "1.00")]}
    assert result.rows.removed == 2


def test_a_document_with_a_bad_line_stays_as_it_was_and_outlives_a_full_export(books: Books) -> None:
    old, many = {"A": [("x", "1.00"), ("y", "2.00")]}, {f"N{n:02}": [("p", "1.00")] for n in range(30)}
    books.load(invoice(1), invoices(old | {"GONE": [("x", "1.00")]}))
    bad = {"A": [("x", "7.00"), ("y", "two"), ("z", "9.00")]}
    for name in (invoice(2), FULL.format("Invoice")):
        result = books.load(name, invoices(bad | many))
        assert (result.rows.rejected, books.lines()["A"]) == (3, old["A"])
    assert "GONE" not in books.lines()


def test_a_value_that_a_document_no_longer_states_is_gone(books: Books) -> None:
    header = ("QuickBooks Internal Id", "Invoice No", "Invoice Date", "Product/Service", "Product/Service Amount")
    row = ("A", "1", "04-01-2025", "x", "1.00")
    books.load(invoice(4), csv_bytes((*header, "Memo", "Colour"), (*row, "old", "red")))
    books.load(invoice(5), csv_bytes(header, row))
    assert books.rows("invoices", "memo, _extra") == [(None, {})]


# writing no more than needed


def test_unchanged_rows_are_not_rewritten(books: Books) -> None:
    books.load(customer(4), customers(ACME, BETA))
    books.load(invoice(4), invoices({"A": [("x", "1.00"), ("y", "2.00")], "B": [("x", "3.00")]}))
    lists, documents = books.versions("customers"), books.versions("invoices")
    first = books.rows("invoices", "_file_id, _as_of, _loaded_at")
    again = books.load(customer(5), customers(BETA, ["8-1", "Acme", "a@acme.example", "100.0", "TRUE"]))
    assert (again.rows.unchanged, again.rows.written) == (2, 0)
    changed = books.load(invoice(5), invoices({"A": [("x", "1.0"), ("y", "2.50")], "B": [("x", "$3.00")]}))
    assert (changed.rows.unchanged, changed.rows.updated) == (2, 1)
    assert books.versions("customers") == lists
    assert [row for row in books.versions("invoices") if row[:2] != ("A", 2)] == [documents[0], documents[2]]
    assert books.rows("invoices", "_file_id, _as_of, _loaded_at", "_key, _line")[0] == first[0]


def test_folding_anew_what_is_right_already_touches_nothing(books: Books) -> None:
    books.load(customer(4), customers(ACME, BETA))
    books.load(customer(5), customers(["8-1", "Acme Inc"]))
    books.load(FULL.format("Customer"), customers(ACME))
    before = books.versions("customers")
    assert books.refold("customers") == 0
    assert books.versions("customers") == before


def test_folding_anew_mends_what_was_changed_by_hand(books: Books) -> None:
    books.load(invoice(4), invoices({"A": [("x", "1.00"), ("y", "2.00")], "B": [("x", "3.00")]}))
    before = books.content()
    books.execute("UPDATE raw.quickbooks_invoices SET product_service_amount = 99 WHERE _key = 'A' AND _line = 1")
    books.execute("DELETE FROM raw.quickbooks_invoices WHERE _key = 'B'")
    books.execute(
        'INSERT INTO raw.quickbooks_invoices SELECT (jsonb_populate_record(r, \'{"_key": "C"}\')).* '
        "FROM raw.quickbooks_invoices AS r WHERE _key = 'A' AND _line = 2"
    )
    assert books.refold("invoices") == 3
    assert books.content() == before


# the order of arrival


def test_a_change_that_was_taken_back_ends_as_it_began(books: Books) -> None:
    first, second = invoices({"A": [("x", "1.00")]}), invoices({"A": [("x", "2.00")]})
    books.load(invoice(17, 3), first)
    books.load(invoice(17, 11), second)
    assert books.load(invoice(17, 14), first).rows.updated == 1
    assert books.lines() == {"A": [("x", "1.00")]}


def test_a_late_older_file_does_not_make_a_paid_invoice_unpaid(books: Books) -> None:
    lines = {"A": [("x", "1.00")]}
    books.load(invoice(5), invoices(lines, status="Paid"))
    result = books.load(invoice(4), invoices(lines | {"B": [("y", "2.00")]}, status="Open"))
    assert books.rows("invoices", "_key, status") == [("A", "Paid"), ("B", "Open")]
    assert (result.rows.read, result.rows.inserted) == (2, 2)


def test_the_second_file_of_a_day_is_later_though_its_name_sorts_before_the_first(books: Books) -> None:
    lines = {"A": [("x", "1.00")]}
    for name, status in ((invoice(17, 10), "Paid"), (invoice(17, 2), "Open")):
        books.load(name, invoices(lines, status=status))
    assert books.rows("invoices", "status") == [("Paid",)]


def test_a_full_export_of_a_day_comes_after_the_windows_of_that_day(books: Books) -> None:
    books.load(FULL.format("Invoice"), invoices({"A": [("x", "1.00")]}))
    books.load(invoice(3, 23), invoices({"A": [("x", "0.50")], "B": [("y", "2.00")]}))
    assert books.lines() == {"A": [("x", "1.00")]}


def test_a_file_rewritten_under_its_name_replaces_its_former_self(books: Books) -> None:
    books.load(invoice(3), invoices({"Z": [("z", "1.00")]}))
    first = books.take(invoice(4), invoices({"A": [("x", "1.00")], "B": [("x", "2.00")]}))
    books.load_item(first)
    books.load(invoice(4), invoices({"A": [("x", "5.00")]}))
    assert books.lines() == {"A": [("x", "5.00")], "Z": [("z", "1.00")]}
    former = books.item(first)
    assert (former["state"], former["failure_code"], former["is_folded"]) == ("skipped", "superseded", False)


def _random_customers(chance: random.Random) -> bytes:
    columns = [0, 1, *sorted(chance.sample(range(2, 7), chance.randint(0, 5)))]
    header = [(*CUSTOMER, "Preferred Language", "Region")[place] for place in columns]
    rows = []
    for number in chance.sample(range(6), chance.randint(1, 5)):
        cells = [
            f"8-{number}",
            chance.choice(["Acme", "Beta", "Acme "]),
            chance.choice(["", "a@x.example"]),
            chance.choice(["", "1.5", "1.50", "2"]),
            chance.choice(["", "true", "FALSE"]),
            chance.choice(["", "fr"]),
            chance.choice(["", "west"]),
        ]
        rows.append([cells[place] for place in columns])
    return csv_bytes(header, *rows)


def _random_invoices(chance: random.Random) -> bytes:
    line = lambda: (chance.choice("xyz"), chance.choice(["1.00", "1.0", "2.50", ""]))  # noqa: E731
    chosen = chance.sample("ABCDEF", chance.randint(1, 5))
    return invoices(
        {key: [line() for _ in range(chance.randint(1, 4))] for key in chosen}, chance.choice(["Open", "Paid"])
    )


def _random_files(chance: random.Random) -> list[tuple[str, bytes]]:
    files = {}
    for _ in range(9):
        full = chance.random() < 0.25
        day, hour = chance.randint(1, 4), chance.randint(1, 12)
        for stem, write in (("Customer", _random_customers), ("Invoice", _random_invoices)):
            name = f"01_BACKUP_{stem}_04_{day:02}_2025.csv" if full else f"{stem}_04_{day:02}_2025_{hour}_00_00.csv"
            files[name] = write(chance)
    return list(files.items())


@pytest.mark.parametrize("seed", range(6))
def test_every_order_of_arrival_gives_the_same_tables(seed: int, books: Books, empty_copy: Books) -> None:
    chance = random.Random(seed)
    files = _random_files(chance)
    for name, data in chance.sample(files, len(files)):
        books.load(name, data)
    in_order = [empty_copy.take(name, data) for name, data in files]
    for item in sorted(in_order, key=lambda item: _place(empty_copy, item)):
        assert empty_copy.load_item(item).rows.balances
    assert books.content() == empty_copy.content()
    for dataset in ("customers", "invoices"):
        assert empty_copy.refold(dataset) == 0


def _place(books: Books, item_id: int) -> tuple[object, ...]:
    row = books.item(item_id)
    return (row["as_of"], row["is_full"], row["content_hash"])


@pytest.fixture
def empty_copy(other_database_url: str, tmp_path: Path) -> Iterator[Books]:
    with open_books(other_database_url, tmp_path / "second") as opened:
        yield opened
