"""Runs over a real vault and a real Postgres; of dbt only its answer matters here."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from small_exports import FakeDbt, Office, customers, invoices, items, receipts

from qbwatch.core.model import Mode, RunStatus
from qbwatch.edges.dbt import NodeResult, Outcome, TransformResult
from qbwatch.pipeline import Scope

INVOICES = "source:quickbooks.invoices+"


def loaded_office(office: Office) -> Office:
    """An office that has loaded its first invoices and built everything."""
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    office.work()
    office.dbt.builds.clear()
    return office


# which mode


def test_the_first_load_is_a_seed_and_builds_everything(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))

    outcome = office.work()

    assert outcome is not None
    assert (outcome.mode, outcome.status, outcome.loaded) == (Mode.SEED, RunStatus.SUCCESS, 1)
    assert office.dbt.builds == [((), True)]
    assert office.query("SELECT mode, status, error FROM qbwatch.runs") == [("seed", "success", None)]


def test_new_files_are_an_incremental_run_that_selects_what_changed(office: Office) -> None:
    loaded_office(office)
    office.drop("Customer_04_02_2025_1_00_00.csv", customers(c="Acme"))
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))
    office.drop("Sales_Receipt_04_02_2025_2_00_00.csv", receipts())

    outcome = office.work()

    assert outcome is not None
    assert (outcome.mode, outcome.loaded, outcome.rows.inserted) == (Mode.INCREMENTAL, 3, 2)
    assert office.dbt.builds == [(("source:quickbooks.customers+", INVOICES), False)]


def test_nothing_new_is_no_run(office: Office) -> None:
    loaded_office(office)

    assert office.work() is None
    assert office.query("SELECT count(*) FROM qbwatch.runs") == [(1,)]


def test_an_unfinished_file_is_a_repair(office: Office) -> None:
    loaded_office(office)
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))
    office.execute("UPDATE qbwatch.work_items SET attempt = 1 WHERE state = 'pending'")

    outcome = office.work()

    assert outcome is not None
    assert (outcome.mode, outcome.status, outcome.loaded) == (Mode.REPAIR, RunStatus.SUCCESS, 1)


def test_a_seed_that_was_cut_short_still_builds_everything(office: Office) -> None:
    office.drop("Customer_04_01_2025_1_00_00.csv", customers(c="Acme"))
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    asked = iter([False] * 3)
    office.stopping = lambda: next(asked, True)
    cut = office.work()
    assert cut is not None
    assert cut.status is RunStatus.CANCELLED
    assert [state for _, state in office.states()].count("loaded") == 1
    office.stopping = lambda: False

    office.work()

    assert office.dbt.builds == [((), True)]


def test_a_full_export_without_a_row_owes_dbt_nothing(office: Office) -> None:
    loaded_office(office)
    office.drop("Item_04_02_2025_1_00_00.csv", items())

    outcome = office.work()

    assert outcome is not None
    assert (outcome.status, outcome.transform) == (RunStatus.SUCCESS, None)
    assert office.dbt.builds == []


def test_the_same_rows_once_more_owe_dbt_nothing(office: Office) -> None:
    loaded_office(office)
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(a=["10.00"]))

    outcome = office.work()

    assert outcome is not None
    assert (outcome.rows.unchanged, outcome.rows.written) == (1, 0)
    assert office.dbt.builds == []


def test_forced_to_be_incremental_the_first_build_is_still_a_whole_one(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    pipeline = office.pipeline
    with office.engine.connect() as connection:
        plan = pipeline.plan(connection, Mode.INCREMENTAL)
        assert plan is not None
        outcome = pipeline.run(connection, plan)

    assert outcome.mode is Mode.INCREMENTAL
    assert office.dbt.builds == [((), True)]


# in what order


def test_parents_come_first_and_inside_a_dataset_the_older(office: Office) -> None:
    office.drop("Invoice_04_03_2025_2_00_00.csv", invoices(c=["3.00"]))
    office.drop("Sales_Receipt_04_01_2025_2_00_00.csv", receipts(r=["1.00"]))
    office.drop("Invoice_04_02_2025_10_00_00.csv", invoices(b=["2.00"]))
    office.drop("Invoice_04_02_2025_9_00_00.csv", invoices(a=["1.00"]))
    office.drop("01_BACKUP_Invoice_04_02_2025.csv", invoices(a=["1.00"], b=["2.00"]))
    office.drop("Customer_04_05_2025_1_00_00.csv", customers(c="Acme"))
    office.drop("Item_04_05_2025_1_00_00.csv", items(i="Rope"))

    office.work()

    order = office.query(
        """SELECT file.name FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
           ORDER BY item.loaded_at, item.xmin::text::bigint"""
    )
    names = [str(name) for (name,) in order]
    assert {name.split("_")[0] for name in names[:2]} == {"Customer", "Item"}
    assert [name for name in names if "Invoice" in name] == [
        "Invoice_04_02_2025_9_00_00.csv",
        "Invoice_04_02_2025_10_00_00.csv",
        "01_BACKUP_Invoice_04_02_2025.csv",
        "Invoice_04_03_2025_2_00_00.csv",
    ]


# a person narrows it, or forces it


def test_a_forced_seed_folds_every_dataset_anew(office: Office) -> None:
    loaded_office(office)
    office.execute("UPDATE raw.quickbooks_invoices SET product_service_amount = 99, _row_hash = _row_hash # 1")
    pipeline = office.pipeline
    with office.engine.connect() as connection:
        plan = pipeline.plan(connection, Mode.SEED)
        assert plan is not None
        outcome = pipeline.run(connection, plan)

    assert (outcome.mode, outcome.status, outcome.loaded) == (Mode.SEED, RunStatus.SUCCESS, 0)
    assert office.lines() == [("a", "10.00")]
    assert office.dbt.builds == [((), True)]


def test_a_forced_seed_of_one_dataset_leaves_the_others(office: Office) -> None:
    loaded_office(office)
    office.execute("UPDATE raw.quickbooks_invoices SET product_service_amount = 99, _row_hash = _row_hash # 1")
    pipeline = office.pipeline
    with office.engine.connect() as connection:
        plan = pipeline.plan(connection, Mode.SEED, Scope("quickbooks.customers"))
        assert plan is not None
        pipeline.run(connection, plan)

    assert office.lines() == [("a", "99")]


def test_folding_anew_goes_on_past_a_dataset_whose_file_is_missing_in_the_vault(office: Office) -> None:
    office.drop("Customer_04_01_2025_1_00_00.csv", customers(c="Acme"))
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    office.work()
    lose_from_vault(office, "quickbooks.customers")
    office.execute("UPDATE raw.quickbooks_invoices SET product_service_amount = 99, _row_hash = _row_hash # 1")
    pipeline = office.pipeline
    with office.engine.connect() as connection:
        plan = pipeline.plan(connection, Mode.SEED)
        assert plan is not None
        outcome = pipeline.run(connection, plan)

    assert outcome.status is RunStatus.PARTIAL_FAILURE
    assert outcome.error is not None
    assert outcome.error.startswith("quickbooks.customers: ")
    assert office.query("SELECT count(*) FROM raw.quickbooks_customers") == [(1,)]
    assert office.lines() == [("a", "10.00")]


def lose_from_vault(office: Office, dataset: str) -> None:
    """The kept copies of a dataset's files disappear from the disk."""
    for (content_hash,) in office.query(f"SELECT content_hash FROM qbwatch.work_items WHERE dataset = '{dataset}'"):
        name = str(content_hash)
        (office.root / "vault" / name[:2] / name[2:4] / f"{name}.zst").unlink()


def test_folding_anew_can_be_stopped(office: Office) -> None:
    loaded_office(office)
    asked = iter([False, False])
    office.stopping = lambda: next(asked, True)
    pipeline = office.pipeline
    with office.engine.connect() as connection:
        plan = pipeline.plan(connection, Mode.SEED)
        assert plan is not None
        outcome = pipeline.run(connection, plan)

    assert outcome.status is RunStatus.CANCELLED
    assert office.dbt.builds == []
    assert office.lines() == [("a", "10.00")]


def test_only_the_dataset_that_was_asked_for(office: Office) -> None:
    office.drop("Customer_04_01_2025_1_00_00.csv", customers(c="Acme"))
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))

    outcome = office.work(Scope("quickbooks.customers"))

    assert outcome is not None
    assert outcome.loaded == 1
    assert dict(office.states()) == {
        "Customer_04_01_2025_1_00_00.csv": "loaded",
        "Invoice_04_01_2025_2_00_00.csv": "pending",
    }


def test_only_the_files_that_were_named(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))
    (named,) = office.query("SELECT max(id) FROM qbwatch.files")

    office.work(Scope(file_ids=frozenset({int(str(named[0]))})))

    assert dict(office.states()) == {
        "Invoice_04_01_2025_2_00_00.csv": "pending",
        "Invoice_04_02_2025_2_00_00.csv": "loaded",
    }


# what one failure does, and doesn't do


def test_a_bad_file_stops_neither_other_files_nor_other_datasets(office: Office) -> None:
    office.drop("Customer_04_01_2025_1_00_00.csv", customers(c="Acme").replace(b"Acme", b'"Acme'), patience_over=True)
    office.drop("Customer_04_02_2025_1_00_00.csv", customers(d="Brine"))
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))

    outcome = office.work()

    assert outcome is not None
    assert (outcome.status, outcome.loaded, outcome.set_aside) == (RunStatus.PARTIAL_FAILURE, 2, 1)
    assert outcome.error is not None
    assert outcome.error.startswith("Customer_04_01_2025_1_00_00.csv: ")
    assert [state for _, state in office.states()] == ["quarantined", "loaded", "loaded"]
    assert len(office.dbt.builds) == 1


def test_a_file_that_was_refused_when_it_came_is_a_failure_of_the_next_run_alone(office: Office) -> None:
    loaded_office(office)
    office.drop("notes.csv", b"a,b\r\n1,2\r\n")
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))

    first = office.work()
    second = office.work()

    assert first is not None
    assert (first.status, first.loaded, first.set_aside) == (RunStatus.PARTIAL_FAILURE, 1, 1)
    assert first.error is not None
    assert first.error.startswith("notes.csv: ")
    assert second is None


def test_a_run_with_nothing_but_a_refused_file_is_an_error(office: Office) -> None:
    loaded_office(office)
    office.drop("notes.csv", b"a,b\r\n1,2\r\n")

    outcome = office.work()

    assert outcome is not None
    assert (outcome.mode, outcome.status, outcome.loaded) == (Mode.INCREMENTAL, RunStatus.ERROR, 0)
    assert office.query("SELECT why FROM qbwatch.runs ORDER BY id DESC LIMIT 1") == [("1 file refused",)]
    assert office.dbt.builds == []


@pytest.mark.parametrize("name", ["Invoice_04_01_2025_2_00_00.csv", "Invoice_04_01_2025_2_00_00 (1).csv"])
def test_a_copy_that_is_lost_waits_for_the_same_bytes_and_is_then_loaded_by_itself(office: Office, name: str) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    lose_from_vault(office, "quickbooks.invoices")

    outcome = office.work()

    assert outcome is not None
    assert (outcome.status, outcome.set_aside) == (RunStatus.ERROR, 1)
    query = "SELECT state, failure_code, failure_class, hint FROM qbwatch.work_items"
    [(state, code, whose, hint)] = office.query(query)
    assert (state, code, whose) == ("quarantined", "vault_copy_gone", "missing_files")
    assert "drop the same file" in str(hint)
    office.at += timedelta(days=1)
    assert office.work() is None, "trying again can't help"

    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))
    assert [state for _, state in office.states()] == ["quarantined", "pending"], "other bytes release nothing"
    office.work()
    assert office.lines() == [("b", "20.00")]
    office.drop(name, invoices(a=["10.00"]))
    office.work()

    assert office.lines() == [("a", "10.00"), ("b", "20.00")]
    assert office.query("SELECT count(*) FROM qbwatch.work_items WHERE state = 'quarantined'") == [(0,)]


def test_a_late_file_waits_for_the_lost_copy_of_another(office: Office) -> None:
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))
    office.work()
    lose_from_vault(office, "quickbooks.invoices")
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    office.work()
    assert office.lines() == [("b", "20.00")]
    assert office.query("SELECT reason FROM qbwatch.work_items WHERE state = 'quarantined'") == [
        ("Invoice_04_02_2025_2_00_00.csv: its copy in the vault is gone",)
    ]

    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))
    office.work()

    assert office.lines() == [("a", "10.00"), ("b", "20.00")]


def test_a_copy_with_other_bytes_is_the_vaults_fault_and_not_the_files(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(a=["x"] * 10))
    kept = dict(office.query("SELECT file.name, file.content_hash FROM qbwatch.files AS file"))
    paths = {name: next((office.root / "vault").rglob(f"{content}.zst")) for name, content in kept.items()}
    shutil.copyfile(paths["Invoice_04_02_2025_2_00_00.csv"], paths["Invoice_04_01_2025_2_00_00.csv"])

    office.work()

    assert office.query("SELECT failure_code FROM qbwatch.work_items ORDER BY id") == [
        ("vault_copy_damaged",),
        ("too_many_rejects",),
    ]


def test_a_vault_whose_disk_is_away_is_waited_for_without_an_attempt(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    (office.root / "vault").rename(office.root / "unmounted")
    query = "SELECT state, attempt, deferrals, failure_class, next_attempt_at FROM qbwatch.work_items"
    for tries, seconds in ((1, 5), (2, 10)):
        office.work()
        next_at = office.at + timedelta(seconds=seconds)
        assert office.query(query) == [("retrying", 0, tries, "infrastructure", next_at)]
        assert office.work() is None, "it waits for its time"
        office.at = next_at
    (office.root / "unmounted").rename(office.root / "vault")

    outcome = office.work()

    assert outcome is not None
    assert (outcome.mode, outcome.status) == (Mode.SEED, RunStatus.SUCCESS)
    assert office.query(query) == [("loaded", 1, 0, None, None)]


def test_a_pause_ends_although_the_clock_is_set_back_by_hours(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    (office.root / "vault").rename(office.root / "unmounted")
    office.work()
    (office.root / "unmounted").rename(office.root / "vault")
    office.at -= timedelta(hours=5)

    assert office.work() is not None

    assert office.lines() == [("a", "10.00")]


def test_a_person_need_not_wait_for_the_next_try(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    (office.root / "vault").rename(office.root / "unmounted")
    office.work()
    (office.root / "unmounted").rename(office.root / "vault")

    outcome = office.work(Scope(asked=True))

    assert outcome is not None
    assert outcome.status is RunStatus.SUCCESS


def test_a_table_that_somebody_locks_is_waited_for(office: Office) -> None:
    office.drop("Customer_04_01_2025_1_00_00.csv", customers(c="Acme"))
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    pipeline = office.pipeline
    with psycopg.connect(office.url) as person, office.engine.connect() as connection:
        person.execute("LOCK TABLE raw.quickbooks_customers IN SHARE MODE")
        connection.exec_driver_sql("SET lock_timeout = '100ms'")
        connection.commit()
        plan = pipeline.plan(connection)
        assert plan is not None
        outcome = pipeline.run(connection, plan)

    assert (outcome.status, outcome.loaded, outcome.set_aside) == (RunStatus.PARTIAL_FAILURE, 1, 1)
    waiting = office.query("SELECT dataset, failure_code FROM qbwatch.work_items WHERE state = 'retrying'")
    assert waiting == [("quickbooks.customers", "database_locked")]


def test_a_stop_in_the_middle_of_a_file_rolls_it_back_and_counts_no_attempt(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    asked = iter([False])  # between the items; the next question comes from within COPY
    office.stopping = lambda: next(asked, True)

    outcome = office.work()

    assert outcome is not None
    assert (outcome.status, outcome.loaded, outcome.set_aside) == (RunStatus.CANCELLED, 0, 0)
    assert office.query("SELECT state, attempt FROM qbwatch.work_items") == [("pending", 0)]
    assert office.lines() == []
    assert office.dbt.builds == []


def test_a_version_that_is_overtaken_during_the_run_is_no_failure(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    pipeline = office.pipeline
    with office.engine.connect() as connection:
        plan = pipeline.plan(connection)
        office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["11.00"]))
        assert plan is not None
        outcome = pipeline.run(connection, plan)

    assert (outcome.status, outcome.loaded, outcome.set_aside) == (RunStatus.SUCCESS, 0, 0)
    office.work()
    assert office.lines() == [("a", "11.00")]


def test_a_file_that_no_dataset_fitted_is_recognised_anew_when_it_is_tried_again(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    office.execute(
        "UPDATE qbwatch.work_items SET dataset = NULL, state = 'quarantined', reason = 'fitted nothing', run_id = NULL"
    )
    office.work()
    office.execute("UPDATE qbwatch.work_items SET state = 'pending'")

    outcome = office.work()

    assert outcome is not None
    assert outcome.status is RunStatus.SUCCESS
    assert office.query("SELECT dataset, state, reason FROM qbwatch.work_items") == [
        ("quickbooks.invoices", "loaded", None)
    ]
    assert office.lines() == [("a", "10.00")]


# what dbt is owed


def failing(outcome: Outcome) -> FakeDbt:
    """A dbt that fails in this way."""
    dbt = FakeDbt()
    node = NodeResult("model.fct_orders", "fct_orders", "model", "error", 0.1, None, "broken")
    dbt.answer = TransformResult(outcome, (node,), "broken", "mend it")
    return dbt


def test_a_failed_build_is_owed_until_there_is_new_data_or_a_person(office: Office) -> None:
    loaded_office(office)
    office.dbt = failing(Outcome.MODEL_ERROR)
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))

    outcome = office.work()

    assert outcome is not None
    assert (outcome.status, outcome.loaded, outcome.error) == (RunStatus.PARTIAL_FAILURE, 1, "dbt: broken")
    debt = "SELECT dataset, attempt, next_attempt_at, reason, full_refresh FROM qbwatch.transform_debt"
    assert office.query(debt) == [("quickbooks.invoices", 1, None, "broken", False)]
    office.at += timedelta(days=1)
    assert office.work() is None

    again = office.work(Scope(asked=True))

    assert again is not None
    assert (again.mode, again.status, again.error) == (Mode.REPAIR, RunStatus.ERROR, "dbt: broken")
    office.dbt = FakeDbt()
    office.drop("Customer_04_03_2025_1_00_00.csv", customers(c="Acme"))
    office.work()
    assert office.dbt.builds == [(("source:quickbooks.customers+", INVOICES), False)]
    assert office.query(debt) == []


def test_a_build_that_failed_for_want_of_a_database_is_tried_again_by_itself(office: Office) -> None:
    loaded_office(office)
    office.dbt = failing(Outcome.INFRASTRUCTURE)
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))
    office.work()
    due_at = office.at + timedelta(seconds=5)
    assert office.query("SELECT attempt, next_attempt_at FROM qbwatch.transform_debt") == [(1, due_at)]
    assert office.work() is None
    office.at, office.dbt = due_at, FakeDbt()

    outcome = office.work()

    assert outcome is not None
    assert (outcome.mode, outcome.status, outcome.loaded) == (Mode.REPAIR, RunStatus.SUCCESS, 0)
    assert office.dbt.builds == [((INVOICES,), False)]
    assert office.query("SELECT count(*) FROM qbwatch.transform_debt") == [(0,)]


def test_a_full_build_that_failed_stays_a_full_one(office: Office) -> None:
    office.dbt = failing(Outcome.MODEL_ERROR)
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    office.work()
    office.dbt = FakeDbt()
    office.drop("Customer_04_03_2025_1_00_00.csv", customers(c="Acme"))

    office.work()

    assert office.dbt.builds == [((), True)]


def test_a_build_that_was_stopped_is_owed_as_before(office: Office) -> None:
    loaded_office(office)
    office.dbt = failing(Outcome.CANCELLED)
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))

    outcome = office.work()

    assert outcome is not None
    assert (outcome.status, outcome.loaded) == (RunStatus.CANCELLED, 1)
    assert office.query("SELECT attempt, next_attempt_at, reason FROM qbwatch.transform_debt") == [(0, None, None)]
    office.dbt = FakeDbt()
    office.work()
    assert office.dbt.builds == [((INVOICES,), False)]


@pytest.mark.parametrize("outcome", [Outcome.BUILT, Outcome.WARNINGS])
def test_a_build_that_succeeded_pays_the_debt(office: Office, outcome: Outcome) -> None:
    loaded_office(office)
    office.dbt.answer = TransformResult(outcome)
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))

    done = office.work()

    assert done is not None
    assert done.status is RunStatus.SUCCESS
    assert office.query("SELECT count(*) FROM qbwatch.transform_debt") == [(0,)]


READERS = {
    "quickbooks.invoices": frozenset({"model.fct_orders"}),
    "quickbooks.items": frozenset({"model.fct_products"}),
}
DEBT = "SELECT dataset, attempt, reason, full_refresh FROM qbwatch.transform_debt ORDER BY id"


def node(name: str, status: str) -> NodeResult:
    return NodeResult(f"model.{name}", name, "model", status, 0.1, 1, None)


def test_a_build_tells_in_a_line_what_is_current_and_from_which_files(office: Office) -> None:
    office.execute("CREATE SCHEMA analytics_mart")
    office.execute("CREATE TABLE analytics_mart.fct_orders AS SELECT date '2025-04-01' AS order_date")
    loaded_office(office)
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))
    office.drop("Customer_04_02_2025_1_00_00.csv", customers(c="Acme"))

    outcome = office.work()

    assert outcome is not None
    assert outcome.impact == (
        "fct_orders current through 2025-04-01, built from these 2 files: "
        "Customer_04_02_2025_1_00_00.csv, Invoice_04_02_2025_2_00_00.csv"
    )


def test_a_dataset_is_paid_by_its_own_models_whatever_becomes_of_the_others(office: Office) -> None:
    loaded_office(office)
    nodes = (node("fct_orders", "success"), node("fct_products", "error"))
    office.dbt.answer = TransformResult(Outcome.MODEL_ERROR, nodes, "broken", readers=READERS)
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))
    office.drop("Item_04_02_2025_1_00_00.csv", items(i="Hook"))

    outcome = office.work()

    assert outcome is not None
    assert outcome.status is RunStatus.PARTIAL_FAILURE
    assert office.query(DEBT) == [("quickbooks.items", 1, "broken", False)]


def test_models_that_came_with_an_upgrade_are_built_with_all_they_stand_on(office: Office) -> None:
    loaded_office(office)
    readers = {name: frozenset({"model.fct_orders"}) for name in ("quickbooks.invoices", "quickbooks.customers")}
    office.dbt.answer = TransformResult(Outcome.BUILT, (node("fct_orders", "success"),), readers=readers)
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))
    office.work()
    assert office.dbt.builds == [((INVOICES,), False)]
    office.dbt.builds.clear()
    upgraded = readers | {"quickbooks.customers": frozenset({"model.fct_orders", "model.fct_companies"})}
    office.dbt.answer = replace(office.dbt.answer, readers=upgraded)
    office.drop("Invoice_04_03_2025_2_00_00.csv", invoices(c=["20.00"]))

    office.work()

    assert office.dbt.builds == [((INVOICES,), False), ((), False)]


def test_a_dataset_is_not_paid_by_a_success_that_left_its_models_out(office: Office) -> None:
    loaded_office(office)
    nodes = (node("fct_orders", "skipped"), node("fct_products", "success"))
    office.dbt.answer = TransformResult(Outcome.BUILT, nodes, readers=READERS)
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))

    outcome = office.work()

    assert outcome is not None
    reason = "dbt reported success and left out models that stand on quickbooks.invoices"
    assert outcome.error == f"dbt: {reason}"
    assert office.query(DEBT) == [("quickbooks.invoices", 1, reason, False)]


def test_a_dataset_that_no_model_reads_owes_nothing(office: Office) -> None:
    loaded_office(office)
    office.dbt.answer = TransformResult(Outcome.CONFIGURATION, message="nothing to do", readers=READERS)
    office.drop("Customer_04_02_2025_1_00_00.csv", customers(c="Acme"))

    outcome = office.work()

    assert outcome is not None
    assert outcome.transform is not None
    assert (outcome.status, outcome.transform.outcome) == (RunStatus.SUCCESS, Outcome.BUILT)
    assert outcome.transform.message == "no model reads quickbooks.customers"
    assert office.query(DEBT) == []


def test_a_project_that_does_not_know_the_source_is_a_mistake(office: Office) -> None:
    loaded_office(office)
    readers = {"elsewhere.invoices": frozenset({"model.fct_orders"})}
    office.dbt.answer = TransformResult(Outcome.CONFIGURATION, message="nothing to do", readers=readers)
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))

    outcome = office.work()

    assert outcome is not None
    assert outcome.error == "dbt: nothing to do"
    assert office.query(DEBT) == [("quickbooks.invoices", 1, "nothing to do", False)]


def test_what_a_node_said_is_in_the_ledger(office: Office) -> None:
    office.dbt = failing(Outcome.MODEL_ERROR)
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))

    outcome = office.work()

    assert outcome is not None
    assert office.query("SELECT run_id, name, status, message FROM qbwatch.dbt_results") == [
        (outcome.run_id, "fct_orders", "error", "broken")
    ]


# one thing a late file must not do


def test_a_fold_that_fails_for_another_file_names_that_file(office: Office) -> None:
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))
    office.work()
    damaged = invoices(b=["20.00"]).replace(b"20.00", b"x")
    (kept,) = office.query("SELECT content_hash FROM qbwatch.work_items")
    name = str(kept[0])
    (office.root / "vault" / name[:2] / name[2:4] / f"{name}.zst").write_bytes(damaged)
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))

    outcome = office.work()

    assert outcome is not None
    assert outcome.error is not None
    assert "Invoice_04_02_2025_2_00_00.csv" in outcome.error
    assert office.lines() == [("b", "20.00")]
