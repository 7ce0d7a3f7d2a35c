"""New marts beside old ones, in a real Postgres: what differs is told to the row, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from qbwatch.core.model import QbwatchError
from qbwatch.edges.dbt_keys import unique_columns
from qbwatch.edges.postgres import engine_for
from qbwatch.edges.shipped import shipped
from qbwatch.mart_comparison import Asked, compare_marts

NEW = """
CREATE SCHEMA new_mart;
CREATE TABLE new_mart.fct_orders (order_key text, document_number text, order_date date, total_amount numeric);
INSERT INTO new_mart.fct_orders VALUES
    ('a', 'N-1', '2025-04-01', 10.50), ('b', 'N-2', '2025-04-02', 20.00), ('c', 'N-3', '2025-04-03', 30.00),
    ('d', 'N-4', '2025-04-04', NULL);
"""


@pytest.fixture
def database(empty_database_url: str) -> str:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(NEW)
    return empty_database_url


def compare(url: str, old: str, **asked: Any) -> Any:
    """The answer, after ``old`` was made beside the new marts."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS old_mart")
        if old:
            connection.execute(old.encode())
    with engine_for(url).connect() as connection:
        return compare_marts(connection, shipped("dbt"), Asked("new_mart", "old_mart", **asked))


def orders(
    rows: str, columns: str = "order_key text, document_number text, order_date date, total_amount numeric"
) -> str:
    return f"CREATE TABLE old_mart.fct_orders ({columns}); INSERT INTO old_mart.fct_orders VALUES {rows}"


SAME = (
    "('a', 'N-1', '2025-04-01', 10.5), ('b', 'N-2', '2025-04-02', 20), ('c', 'N-3', '2025-04-03', 30),"
    "('d', 'N-4', '2025-04-04', NULL)"
)


def only(said: Any) -> Any:
    (table,) = said["tables"]
    return table


def test_the_same_rows_are_equal_whatever_the_types(database: str) -> None:
    columns = "document_number varchar(20), total_amount double precision, order_date timestamp, order_key text"
    rows = (
        "('N-1', 10.5, '2025-04-01', 'a'), ('N-2', 20, '2025-04-02', 'b'), ('N-3', 30, '2025-04-03', 'c'),"
        "('N-4', NULL, '2025-04-04', 'd')"
    )

    said = compare(database, orders(rows, columns))

    assert said["equal"], said
    assert only(said)["key"] == ["order_key"]
    assert only(said)["totals"] == [{"column": "total_amount", "new": "60.5", "old": "60.5", "equal": True}]


def test_rows_are_told_apart_by_the_column_that_the_project_tests_as_unique(database: str) -> None:
    rows = "('a', 'N-1', '2025-04-01', 10.50), ('b', 'N-2', '2025-04-09', 20.01), ('x', 'N-9', '2025-04-03', 30.00)"

    said = compare(database, orders(rows))
    table = only(said)

    assert not said["equal"]
    assert (table["rows_only_new"], table["rows_only_old"], table["rows_differing"]) == (2, 1, 1)
    assert table["rows"] == {"new": 4, "old": 3}
    assert table["totals"] == [{"column": "total_amount", "new": "60.5", "old": "60.51", "equal": False}]
    assert table["columns_differing"] == {"order_date": 1, "total_amount": 1}
    assert [row["order_key"] for row in table["examples"]["only_new"]] == ["c", "d"]
    assert table["examples"]["only_old"][0]["document_number"] == "N-9"
    assert table["examples"]["differing"] == [
        {
            "key": {"order_key": "b"},
            "columns": {
                "order_date": {"new": "2025-04-02", "old": "2025-04-09"},
                "total_amount": {"new": "20", "old": "20.01"},
            },
        }
    ]


def test_keys_that_were_made_in_another_way_give_way_to_the_old_table_s_unique_index(database: str) -> None:
    rows = SAME.replace("'a'", "'1'").replace("'b'", "'2'").replace("'c'", "'3'").replace("'d'", "'4'")
    index = "; CREATE UNIQUE INDEX ON old_mart.fct_orders (document_number, order_date)"

    table = only(compare(database, orders(rows) + index, ignored=frozenset({"order_key"})))
    assert (table["key"], table["equal"]) == (["document_number", "order_date"], True)

    table = only(compare(database, ""))
    assert table["key"] == ["document_number", "order_date"]
    assert (table["rows_differing"], table["columns_differing"]) == (4, {"order_key": 4})


def test_without_a_key_whole_rows_count_as_often_as_they_occur(database: str) -> None:
    twice = "('a', 'N-1', '2025-04-01', 10.50), ('a', 'N-1', '2025-04-01', 10.50), ('b', 'N-2', '2025-04-02', 20.00)"

    table = only(compare(database, orders(twice)))

    assert table["key"] is None
    assert (table["rows_only_new"], table["rows_only_old"]) == (2, 1)
    assert table["examples"]["only_old"] == [
        {"order_key": "a", "document_number": "N-1", "order_date": "2025-04-01", "total_amount": "10.5"}
    ]


def test_what_the_old_schema_has_besides_is_a_difference_and_what_the_new_has_is_none(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE new_mart.fct_customers (customer_key text)")
    said = compare(database, orders(SAME))
    assert said["equal"]
    assert said["tables_only_new"] == ["fct_customers"]

    said = compare(
        database,
        "CREATE TABLE old_mart.fct_dso_metrics (n int); ALTER TABLE old_mart.fct_orders ADD COLUMN region text",
    )
    assert not said["equal"]
    assert said["tables_only_old"] == ["fct_dso_metrics"]
    assert only(said)["columns_only_old"] == ["region"]
    assert (only(said)["rows_differing"], only(said)["equal"]) == (0, False)


def test_no_more_examples_are_told_than_asked_for(database: str) -> None:
    table = only(compare(database, orders("('x', 'N-9', '2025-04-03', 30.00)"), limit=2))

    assert (table["rows_only_new"], len(table["examples"]["only_new"])) == (4, 2)


def test_one_table_by_a_key_of_one_s_own(database: str) -> None:
    old = orders(SAME.replace("'a'", "'z'")) + "; CREATE TABLE old_mart.other (n int)"

    said = compare(database, old, table="fct_orders", key=("document_number",))

    assert said["tables_only_old"] == []
    assert (only(said)["key"], only(said)["columns_differing"]) == (["document_number"], {"order_key": 1})


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"table": "fct_ordres"}, "has a table fct_ordres"),
        ({"table": "fct_orders", "key": ("nothing",)}, "has no column nothing"),
        ({"table": "fct_orders", "key": ("total_amount",)}, "doesn't tell the rows of fct_orders apart"),
    ],
)
def test_what_can_t_be_compared_is_said(database: str, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(QbwatchError, match=message):
        compare(database, orders(SAME), **asked)


def test_the_schema_that_dbt_builds_in_and_one_that_is_missing_are_refused(database: str) -> None:
    with engine_for(database).connect() as connection:
        with pytest.raises(QbwatchError, match="compared with itself"):
            compare_marts(connection, shipped("dbt"), Asked("new_mart", "new_mart"))
        with pytest.raises(QbwatchError, match="there is no schema gone") as missing:
            compare_marts(connection, shipped("dbt"), Asked("new_mart", "gone"))
        assert "new_mart" in missing.value.hint


def test_a_schema_that_may_not_be_read_is_named_with_what_grants_it(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA old_mart; CREATE TABLE old_mart.fct_orders (order_key text)")
        connection.execute("DROP ROLE IF EXISTS a_reader; CREATE ROLE a_reader")
        connection.execute(
            "GRANT USAGE ON SCHEMA new_mart TO a_reader; GRANT SELECT ON new_mart.fct_orders TO a_reader"
        )
    try:
        with (
            engine_for(database, opened=_as_reader).connect() as connection,
            pytest.raises(QbwatchError, match="may not read") as refused,
        ):
            compare_marts(connection, shipped("dbt"), Asked("new_mart", "old_mart"))
        assert 'GRANT USAGE ON SCHEMA "old_mart" TO "a_reader"' in refused.value.hint
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DROP OWNED BY a_reader; DROP ROLE a_reader")


def _as_reader(session: psycopg.Connection[Any]) -> None:
    session.execute("SET ROLE a_reader")
    session.commit()


def test_comparing_writes_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from qbwatch.edges import mart_difference

    seen: list[Sequence[Any]] = []
    compared = mart_difference.TableComparer.compare

    def noted(self: Any, keys: Any) -> Any:
        seen.append(self.cursor.execute("SHOW transaction_read_only").fetchone())
        return compared(self, keys)

    monkeypatch.setattr(mart_difference.TableComparer, "compare", noted)
    compare(database, orders(SAME))

    assert seen == [("on",)]


def test_the_shipped_marts_are_known_by_one_column_each(tmp_path: Path) -> None:
    found = unique_columns(shipped("dbt"))

    assert found["fct_orders"] == ["order_key"]
    assert {name for name in found if name.startswith(("fct", "bridge"))} == {
        path.stem for path in (shipped("dbt") / "models" / "marts").glob("*.sql")
    }
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "odd.yml").write_text("models: [{name: a, columns: [{name: k, tests: [{unique: {}}]}]}]")
    (tmp_path / "models" / "broken.yml").write_text("{")
    assert unique_columns(tmp_path) == {"a": ["k"]}
