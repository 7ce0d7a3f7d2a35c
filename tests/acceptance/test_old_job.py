"""Beside the old cron job, and then in its place: nothing of its own is touched, and nothing is missing afterwards."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from installation import COMMAND, Installation
from small_exports import invoices

from qbwatch.demo.drop import drop
from qbwatch.demo.story import story

DAY = date(2025, 4, 18)
SHADOW = {"QBWATCH_DATABASE__RAW_SCHEMA": "raw_qbwatch", "QBWATCH_TRANSFORM__TARGET_SCHEMA": "shadow"}

OLD = """
CREATE SCHEMA raw;
CREATE TABLE raw.quickbooks_invoices (invoice_no text, customer text, amount numeric);
INSERT INTO raw.quickbooks_invoices VALUES ('1', 'Acme', 10), ('2', 'Beta', 20);
CREATE TABLE raw.processed_files (source_name text, filename text, row_count int);
CREATE SCHEMA analytics_staging;
CREATE VIEW analytics_staging.stg_quickbooks__invoices AS SELECT * FROM raw.quickbooks_invoices;
CREATE SCHEMA analytics_intermediate;
CREATE SCHEMA analytics_mart;
CREATE TABLE analytics_mart.fct_orders AS SELECT invoice_no AS order_key, amount AS total_amount
FROM raw.quickbooks_invoices;
"""

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
(SWITCH,) = re.findall(r"^```sql\n(BEGIN;.*?)^```$", README, re.DOTALL | re.MULTILINE)


def execute(installation: Installation, statements: str) -> None:
    with psycopg.connect(installation.url, autocommit=True) as connection:
        connection.execute(statements.encode())


def relations(installation: Installation, *schemas: str) -> dict[str, Any]:
    """Every relation of these schemas: its number, its columns, and its rows with the transaction that wrote them."""
    found: dict[str, Any] = {}
    with psycopg.connect(installation.url) as connection:
        listed = connection.execute(
            """SELECT namespace.nspname, relation.relname, relation.oid, relation.relkind::text,
                      (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
                       WHERE attrelid = relation.oid AND attnum > 0)
               FROM pg_class AS relation JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
               WHERE namespace.nspname = ANY(%s) AND relation.relkind IN ('r', 'v')""",
            [list(schemas)],
        )
        for schema, name, oid, kind, columns in listed.fetchall():
            marks = "t::text, xmin::text" if kind == "r" else "t::text"
            rows = connection.execute(f'SELECT {marks} FROM "{schema}"."{name}" AS t ORDER BY 1').fetchall()  # type: ignore[call-overload]
            found[f"{schema}.{name}"] = (oid, columns, rows)
    return found


def schemas(installation: Installation) -> set[str]:
    query = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public)'"
    return {name for (name,) in installation.query(query)}


def exports(installation: Installation) -> list[str]:
    """The history and the first night's exports, by name."""
    told = story(DAY)
    return [path.name for path in drop([*told.seed, *told.waves[0].files], installation.input.parent)]


@pytest.fixture
def beside(install: Callable[..., Installation]) -> Iterator[Installation]:
    """An installation in shadow mode, over the database of the old job."""
    installation = install()
    installation.environ.update(SHADOW)
    execute(installation, OLD)
    return installation


def test_without_a_schema_of_its_own_qbwatch_refuses_to_start(install: Callable[..., Installation]) -> None:
    installation = install()
    execute(installation, OLD)
    exports(installation)
    before = relations(installation, "raw", "analytics_staging", "analytics_mart")

    done = installation.run("once")
    daemon = subprocess.run(
        [*COMMAND, "run", "--config", str(installation.config)], capture_output=True, text=True, timeout=60, check=False
    )

    told = {each["check"]: each for each in installation.json("doctor", "--quick")["checks"]}

    assert (done.returncode, daemon.returncode) == (2, 2)
    assert told["raw tables"]["verdict"] == "fail"
    assert "raw.quickbooks_invoices exists" in told["raw tables"]["summary"]
    assert told["marts"]["verdict"] == "warn"
    assert "analytics_mart.fct_orders and 1 more" in told["marts"]["summary"]
    assert "raw.quickbooks_invoices exists and isn't qbwatch's" in done.stderr
    assert 'raw_schema in [database] to a name of its own, such as "raw_qbwatch"' in " ".join(done.stderr.split())
    assert relations(installation, "raw", "analytics_staging", "analytics_mart") == before


def test_in_shadow_mode_daemon_dbt_and_commands_leave_the_old_job_s_tables_alone(beside: Installation) -> None:
    before = relations(beside, "raw", "analytics_staging", "analytics_mart")
    names = exports(beside)

    beside.start()
    beside.wait_settled(len(names))
    loaded = next(name for name, state in beside.outcomes().items() if state == "loaded" and name.startswith("Inv"))
    commands = (
        "once --force-seed", "status", f"check {beside.input / loaded}", "transform", "test", "rebuild --verify",
        "rebuild --dataset items", f"revert {loaded}", f"retry {loaded}",
    )  # fmt: skip
    for words in commands:
        done = beside.run(*words.split())
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    assert beside.stop() == 0

    assert relations(beside, "raw", "analytics_staging", "analytics_mart") == before
    made = {"qbwatch", "raw_qbwatch", "shadow_staging", "shadow_intermediate", "shadow_mart"}
    old = {"raw", "analytics_staging", "analytics_intermediate", "analytics_mart"}
    assert schemas(beside) - {"shadow_quality"} == made | old
    assert beside.query("SELECT count(*) > 0 FROM shadow_mart.fct_orders") == [(True,)]


def test_in_shadow_mode_commands_without_a_daemon_leave_them_alone_too(beside: Installation) -> None:
    before = relations(beside, "raw", "analytics_staging", "analytics_mart")
    (beside.input / "Invoice_04_01_2025_2_00_00.csv").write_bytes(invoices(a=["10.00"]))
    commands = (
        "plan", "once", f"check {beside.input}/Invoice_04_01_2025_2_00_00.csv", "transform", "test",
        "rebuild --verify", "revert Invoice_04_01",
    )  # fmt: skip

    for words in commands:
        done = beside.run(*words.split())
        assert done.returncode == 0, (words, done.stdout, done.stderr)

    assert relations(beside, "raw", "analytics_staging", "analytics_mart") == before


def test_adopt_rehearses_on_the_old_job_s_state_without_writing(beside: Installation) -> None:
    del beside.environ["QBWATCH_DATABASE__RAW_SCHEMA"], beside.environ["QBWATCH_TRANSFORM__TARGET_SCHEMA"]
    names = exports(beside)
    state = beside.root / "processed_files.json"
    state.write_text(json.dumps({"quickbooks": dict.fromkeys([*names, "Invoice_01_02_2020_2_00_00.csv"], 12)}))
    before = schemas(beside)

    said = beside.json("adopt", "--from-json", str(state), "--dry-run")
    told = beside.run("adopt", "--from-json", str(state), "--dry-run")

    assert schemas(beside) == before
    assert (said["named"], said["dry_run"], said["foreign_tables"]) == (
        len(names) + 1,
        True,
        ["raw.quickbooks_invoices"],
    )
    assert said["marts_to_replace"] == ["analytics_mart.fct_orders", "analytics_staging.stg_quickbooks__invoices"]
    assert [each["name"] for each in said["gone"]] == ["Invoice_01_02_2020_2_00_00.csv"]
    assert len(said["loaded_anyway"]) == len(
        names
    )  # nothing that was exported in full is named with a window before it
    assert told.returncode == 0
    assert "in the way: raw.quickbooks_invoices" in told.stdout


def test_adopt_passes_over_what_the_full_export_states_and_the_run_loads_the_rest(beside: Installation) -> None:
    names = exports(beside)
    full = next(name for name in names if "BACKUP_Invoice" in name)
    early = "Invoice_01_02_2020_2_00_00.csv"
    content = next(beside.input.glob("Invoice_*")).read_bytes()
    (beside.input / early).write_bytes(content)
    execute(beside, f"INSERT INTO raw.processed_files VALUES ('quickbooks', '{early}', 3), ('quickbooks', '{full}', 9)")

    told = beside.run("adopt", "--from-schema", "raw/processed_files")
    assert told.returncode == 0, told.stderr
    assert "1 passed over" in told.stdout
    said = beside.json("once")

    assert said["run"]["status"] == "success", said
    assert beside.outcomes() == dict.fromkeys(names, "loaded") | {early: "skipped"}
    why = beside.json("why", early)
    assert "adopted: loaded by the old pipeline" in json.dumps(why)
    assert beside.json("rebuild", "--verify")["equal"]


def test_compare_tells_to_the_row_where_the_old_marts_differ(beside: Installation) -> None:
    exports(beside)
    assert beside.run("once").returncode == 0
    execute(
        beside,
        """DROP TABLE analytics_mart.fct_orders;
           CREATE TABLE analytics_mart.fct_orders AS SELECT * FROM shadow_mart.fct_orders;
           CREATE TABLE analytics_mart.fct_customers AS SELECT * FROM shadow_mart.fct_customers""",
    )
    same = beside.run("compare", "analytics_mart")
    assert same.returncode == 0, same.stdout + same.stderr

    ((key, _total),) = beside.query("SELECT min(order_key), sum(total_amount) FROM analytics_mart.fct_orders")
    execute(
        beside,
        f"""UPDATE analytics_mart.fct_orders SET total_amount = total_amount + 1000 WHERE order_key = '{key}';
            DELETE FROM analytics_mart.fct_customers""",
    )
    said = beside.json("compare", "analytics_mart")
    told = beside.run("compare", "analytics_mart", "--table", "fct_orders", "--limit", "1")

    tables = {table["table"]: table for table in said["tables"]}
    assert not said["equal"]
    assert tables["fct_orders"]["columns_differing"] == {"total_amount": 1}
    (example,) = tables["fct_orders"]["examples"]["differing"]
    assert example["key"] == {"order_key": key}
    (sums,) = [each for each in tables["fct_orders"]["totals"] if each["column"] == "total_amount"]
    assert (float(sums["old"]) - float(sums["new"]), sums["equal"]) == (1000.0, False)
    assert tables["fct_customers"]["rows_only_new"] == tables["fct_customers"]["rows"]["new"]
    assert told.returncode == 1
    assert f"order_key '{key}': total_amount" in " ".join(told.stdout.split())
    assert max(map(len, told.stdout.splitlines())) <= 80


def test_the_switch_renames_the_schemas_and_the_daemon_goes_on_with_them(beside: Installation) -> None:
    exports(beside)
    assert beside.run("once").returncode == 0
    beside.run("test")
    orders = beside.query("SELECT order_key, total_amount FROM shadow_mart.fct_orders ORDER BY 1")
    execute(beside, SWITCH)
    beside.environ.clear()
    assert beside.query("SELECT order_key, total_amount FROM analytics_mart.fct_orders ORDER BY 1") == orders
    assert beside.json("once")["run"] is None
    drop(story(DAY).waves[1].files, beside.input.parent)
    assert beside.json("once")["run"]["loaded"] > 0

    assert beside.json("rebuild", "--verify")["equal"]
    assert beside.query("SELECT count(*) FROM analytics_mart.fct_orders")[0][0] > len(orders)
    assert {name for name in schemas(beside) if name.startswith("shadow")} <= {"shadow_quality"}


def test_another_raw_schema_is_filled_from_the_vault_by_the_next_run(beside: Installation) -> None:
    names = exports(beside)
    assert beside.run("once").returncode == 0
    tables = ("quickbooks_invoices", "quickbooks_customers", "quickbooks_items", "quickbooks_item_prices")
    query = "SELECT to_jsonb(t) - '_loaded_at' FROM {}.{} AS t ORDER BY t._key, t::text"
    before = {table: beside.query(query.format("raw_qbwatch", table)) for table in tables}
    for path in Path(beside.input).glob("*"):
        path.unlink()  # it comes from the vault

    beside.environ["QBWATCH_DATABASE__RAW_SCHEMA"] = "raw_second"
    said = beside.json("once")

    assert (said["run"]["mode"], said["run"]["status"]) == ("repair", "success")
    assert {table: beside.query(query.format("raw_second", table)) for table in tables} == before
    assert beside.json("once")["run"] is None
    assert len(names) == beside.query("SELECT count(*) FROM qbwatch.work_items WHERE is_folded")[0][0]
    stands_on = """SELECT DISTINCT source.relnamespace::regnamespace::text
                   FROM pg_depend AS link JOIN pg_rewrite AS rule ON rule.oid = link.objid
                   JOIN pg_class AS view ON view.oid = rule.ev_class AND view.relname = 'stg_quickbooks__invoices'
                   JOIN pg_class AS source ON source.oid = link.refobjid AND source.relkind = 'r'
                   WHERE view.relnamespace = 'shadow_staging'::regnamespace"""
    assert beside.query(stands_on) == [("raw_second",)]
