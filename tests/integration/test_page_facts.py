"""What the page asks the ledger and the marts, with real rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from ledger_rows import AT, file_seen, item_of
from sqlalchemy import Connection, text

from qbwatch.edges.page_facts import LastFacts, page_facts, sales_by_day
from qbwatch.edges.postgres import engine_for
from qbwatch.page.facts import Sales

ZONE = ZoneInfo("America/New_York")
TODAY = date(2026, 11, 24)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with engine_for(database_url).connect() as found, found.begin():
        yield found


def _mart(connection: Connection, *orders: tuple[date, str, str], schema: str = "analytics_mart") -> None:
    connection.execute(text(f"CREATE SCHEMA {schema}"))
    connection.execute(
        text(f"""CREATE TABLE {schema}.fct_orders (order_date date, total_amount numeric, is_void boolean,
                                                   is_pending boolean, currency text)""")
    )
    for day, amount, currency in orders:
        values = {"day": day, "amount": Decimal(amount), "currency": currency}
        query = f"INSERT INTO {schema}.fct_orders VALUES (:day, :amount, false, false, :currency)"
        connection.execute(text(query), values)


def test_an_empty_ledger_has_no_facts(connection: Connection) -> None:
    facts = page_facts(connection, ZONE, TODAY)
    assert (facts.refused, facts.refused_count, facts.recent, facts.sales) == ((), 0, (), None)
    assert (dict(facts.rows), dict(facts.arrivals)) == ({}, {})


def test_refused_parts_come_with_their_code_and_dataset(connection: Connection) -> None:
    book = file_seen(connection, "All Lists.xlsx")
    item_of(connection, book, "quarantined", "quickbooks.terms", sheet="Terms", code="few_rows", reason="why")
    item_of(connection, book, "loaded", "quickbooks.items", sheet="Items", loaded_at=AT, inserted=5)
    facts = page_facts(connection, ZONE, TODAY)
    (part,) = facts.refused
    assert (part.name, part.sheet, part.dataset, part.code) == (
        "All Lists.xlsx", "Terms", "quickbooks.terms", "few_rows",
    )  # fmt: skip
    assert (part.reason, part.since, facts.refused_count) == ("why", AT, 1)
    (recent,) = facts.recent
    assert (recent.name, recent.dataset, recent.state) == ("All Lists.xlsx", None, "quarantined")


def test_days_are_the_offices(connection: Connection) -> None:
    item_of(connection, file_seen(connection, "a.csv"), "loaded", "quickbooks.items", loaded_at=AT, inserted=7)
    facts = page_facts(connection, ZONE, TODAY)
    assert dict(facts.rows) == {TODAY: 10}
    assert facts.arrivals == {"quickbooks.items": {TODAY: "loaded"}}


def test_what_a_person_has_to_know_counts_for_the_day(connection: Connection) -> None:
    for name, state in (("a", "loaded"), ("b", "quarantined"), ("c", "skipped")):
        item_of(connection, file_seen(connection, name), state, "quickbooks.items", loaded_at=AT, inserted=1)
    item_of(connection, file_seen(connection, "d"), "skipped", "quickbooks.terms")
    item_of(connection, file_seen(connection, "e"), "retrying", "quickbooks.bills")
    assert page_facts(connection, ZONE, TODAY).arrivals == {
        "quickbooks.items": {TODAY: "refused"},
        "quickbooks.terms": {TODAY: "skipped"},
        "quickbooks.bills": {TODAY: "waiting"},
    }


def test_history_and_the_seed_folder_are_no_days(connection: Connection) -> None:
    old = AT - timedelta(days=40)
    item_of(connection, file_seen(connection, "old", old), "loaded", "quickbooks.items", loaded_at=old, inserted=1)
    item_of(connection, file_seen(connection, "s", root="seed"), "loaded", "quickbooks.items", loaded_at=AT, inserted=1)
    facts = page_facts(connection, ZONE, TODAY)
    assert (dict(facts.rows), dict(facts.arrivals)) == ({}, {})
    assert [each.name for each in facts.recent] == ["s", "old"]


def test_sales_are_summed_by_day_up_to_the_newest_order(connection: Connection) -> None:
    _mart(
        connection,
        (TODAY - timedelta(days=3), "10.25", "USD"),
        (TODAY - timedelta(days=3), "0.50", "USD"),
        (TODAY - timedelta(days=31), "99", "USD"),
        (TODAY + timedelta(days=300), "1", "USD"),
    )
    assert sales_by_day(connection, "analytics_mart", TODAY) == (Sales(TODAY - timedelta(days=3), Decimal("10.75"), 2),)


def test_amounts_in_several_currencies_are_not_summed(connection: Connection) -> None:
    _mart(connection, (TODAY, "10", "USD"), (TODAY, "10", "CAD"))
    assert sales_by_day(connection, "analytics_mart", TODAY) is None


def test_another_project_without_that_mart_has_no_sales(connection: Connection) -> None:
    assert sales_by_day(connection, "analytics_mart", TODAY) is None
    connection.execute(text("CREATE SCHEMA other_mart"))
    connection.execute(text("CREATE TABLE other_mart.fct_orders (order_date date)"))
    assert sales_by_day(connection, "other_mart", TODAY) is None


def test_what_was_known_is_kept_while_postgres_is_away(database_url: str) -> None:
    engine = engine_for(database_url)
    with engine.begin() as connection:
        item_of(connection, file_seen(connection, "a.csv"), "quarantined", None, code="empty_file")
        _mart(connection, (TODAY, "10", "USD"))
    last = LastFacts("analytics_mart", ZONE)
    known = last.ask(engine, "build 1", TODAY)
    assert known is not None
    assert known.sales == (Sales(TODAY, Decimal(10), 1),)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO analytics_mart.fct_orders VALUES (:day, 5, false, false)"), {"day": TODAY})
    again = last.ask(engine, "build 1", TODAY)
    assert again == known, "the sales are asked for after a build only"
    assert last.ask(engine_for("postgresql://nobody@/x?host=/nonexistent"), "build 2", TODAY) == known
    built = last.ask(engine, "build 2", TODAY)
    assert built is not None
    assert built.sales == (Sales(TODAY, Decimal(15), 2),)
