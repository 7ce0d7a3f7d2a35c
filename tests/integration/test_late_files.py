"""Late files that wait together: one fold takes them in, and each has an outcome of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_exports import Office, customers, invoices, receipts

from qbwatch.core.model import RunStatus
from qbwatch.datasets import dataset_named
from qbwatch.edges import fold, refolding
from qbwatch.rebuilding import verify

DAMAGED = invoices(x=["1.00"], y=["2.00"]).replace(b"1.00", b"lots").replace(b"2.00", b"more")


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    return Office(tmp_path, database_url)


@pytest.fixture(autouse=True, params=["single documents", "everything"])
def share(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small books are folded as a whole, where large ones are folded by single documents: both must end alike."""
    monkeypatch.setattr(refolding, "LARGEST_SHARE", 0 if request.param == "single documents" else 1_000_000)


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The datasets that were folded from nothing, one by one."""
    seen: list[str] = []
    open_scratch = fold.open_scratch

    def noted(cursor: fold.Cursor, dataset: object) -> None:
        seen.append(dataset.full_name)  # type: ignore[attr-defined]
        open_scratch(cursor, dataset)  # type: ignore[arg-type]

    monkeypatch.setattr(fold, "open_scratch", noted)
    return seen


def day(number: int) -> str:
    return f"Invoice_04_{number:02}_2025_2_00_00.csv"


def outcomes(office: Office) -> dict[str, tuple[object, ...]]:
    """State and accounting by file."""
    rows = office.query(
        """SELECT DISTINCT ON (file.name) file.name, item.state, item.rows_inserted, item.rows_updated,
                  item.rows_unchanged, item.rows_removed
           FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
           ORDER BY file.name, item.id DESC"""
    )
    return {str(name): rest for name, *rest in ((row[0], *row[1:]) for row in rows)}  # type: ignore[misc]


def lines(office: Office) -> list[tuple[object, ...]]:
    return office.query(
        """SELECT _key, product_service_amount::text, file.name FROM raw.quickbooks_invoices AS line
           JOIN qbwatch.files AS file ON file.id = line._file_id ORDER BY _key, _line"""
    )


def assert_is_the_fold(office: Office, dataset: str = "invoices") -> None:
    with office.engine.connect() as connection:
        found = verify(connection, office.pipeline.loader, dataset_named(dataset), office.at)
    assert found["equal"], found["first_difference"]
    assert office.query("SELECT count(*) FROM qbwatch.work_items WHERE is_folded <> (state = 'loaded')") == [(0,)]


def test_late_files_are_taken_in_by_one_fold(office: Office, folds: list[str]) -> None:
    office.drop(day(28), invoices(a=["9.00"], z=["1.00"]))
    office.work()
    for number in range(1, 21):
        office.drop(day(number), invoices(a=[f"{number}.00"], **{f"k{number:02}": ["5.00"]}))

    outcome = office.work()

    assert folds == ["quickbooks.invoices"]
    assert outcome is not None
    assert (outcome.status, outcome.loaded, outcome.rows.read, outcome.rows.inserted) == (
        RunStatus.SUCCESS, 20, 40, 21
    )  # fmt: skip
    assert outcomes(office)[day(1)] == ["loaded", 2, 0, 0, 0]
    assert outcomes(office)[day(2)] == ["loaded", 1, 1, 0, 0]
    assert len(lines(office)) == 22
    assert lines(office)[0] == ("a", "9.00", day(28))
    assert_is_the_fold(office)


def test_the_accounting_is_that_of_files_that_came_one_by_one(office: Office, tmp_path: Path) -> None:
    office.drop(day(9), invoices(a=["9.00"]))
    office.work()
    late = {
        day(3): invoices(a=["1.00", "2.00"], b=["1.00"]),
        day(4): invoices(a=["1.00"]),
        day(5): invoices(b=["1.00"]),
    }
    for name, data in late.items():
        office.drop(name, data)
    office.work()
    assert [outcomes(office)[name] for name in late] == [
        ["loaded", 3, 0, 0, 0], ["loaded", 0, 0, 1, 1], ["loaded", 0, 0, 1, 0]
    ]  # fmt: skip
    assert [(key, name) for key, _, name in lines(office)] == [("a", day(9)), ("b", day(3))]
    assert_is_the_fold(office)


def test_a_refused_one_is_set_aside_alone(office: Office, folds: list[str]) -> None:
    office.drop(day(9), invoices(a=["9.00"]))
    office.work()
    office.drop(day(1), invoices(b=["1.00"]))
    office.drop(day(2), DAMAGED)
    office.drop(day(3), invoices(c=["1.00"]))

    outcome = office.work()

    assert folds == ["quickbooks.invoices"]
    assert outcome is not None
    assert (outcome.status, outcome.loaded, outcome.set_aside) == (RunStatus.PARTIAL_FAILURE, 2, 1)
    assert {name: state[0] for name, state in outcomes(office).items()} == {
        day(1): "loaded", day(2): "quarantined", day(3): "loaded", day(9): "loaded"
    }  # fmt: skip
    assert office.query("SELECT count(*) FROM qbwatch.rejected_rows") == [(2,)]
    assert [key for key, _, _ in lines(office)] == ["a", "b", "c"]
    assert_is_the_fold(office)


def test_a_refused_rewrite_leaves_the_version_before_and_the_others_go_on(office: Office) -> None:
    office.drop(day(1), invoices(b=["1.00"]))
    office.drop(day(9), invoices(a=["9.00"]))
    office.work()
    office.drop(day(1), DAMAGED)
    office.drop(day(2), invoices(c=["1.00"]))
    office.drop(day(3), invoices(d=["1.00"]))

    office.work()

    states = office.query("SELECT state FROM qbwatch.work_items ORDER BY id")
    assert [state for (state,) in states] == ["loaded", "loaded", "quarantined", "loaded", "loaded"]
    assert [(key, name) for key, _, name in lines(office)] == [
        ("a", day(9)), ("b", day(1)), ("c", day(2)), ("d", day(3))
    ]  # fmt: skip
    assert_is_the_fold(office)


def test_many_rewritten_files_are_one_fold_and_their_former_documents_are_gone(
    office: Office, folds: list[str]
) -> None:
    for number in range(1, 6):
        office.drop(day(number), invoices(**{f"old{number}": ["1.00"], "same": ["1.00"]}))
    office.work()
    assert folds == []
    for number in range(1, 6):
        office.drop(day(number), invoices(**{f"new{number}": ["1.00"], "same": ["1.00"]}))

    office.work()

    assert folds == ["quickbooks.invoices"]
    assert [key for key, _, _ in lines(office)] == [*(f"new{number}" for number in range(1, 6)), "same"]
    assert lines(office)[-1][-1] == day(1)
    assert_is_the_fold(office)


def test_two_versions_of_one_file_that_wait_together_count_once(office: Office) -> None:
    office.drop(day(9), invoices(a=["9.00"]))
    office.work()
    for amount in ("1.00", "2.00", "3.00"):
        office.drop(day(1), invoices(b=[amount]))
    office.drop(day(2), invoices(c=["1.00"]))
    office.work()
    assert [(key, amount) for key, amount, _ in lines(office)] == [("a", "9.00"), ("b", "3.00"), ("c", "1.00")]
    assert_is_the_fold(office)


def test_full_exports_and_windows_that_come_late_together(office: Office) -> None:
    office.drop(day(20), invoices(a=["9.00"], c=["1.00"]))
    office.work()
    office.drop("01_BACKUP_Invoice_04_05_2025.csv", invoices(a=["1.00"], b=["1.00"]))
    office.drop(day(4), invoices(gone=["1.00"]))
    office.drop(day(6), invoices(d=["1.00"]))
    office.work()
    assert [key for key, _, _ in lines(office)] == ["a", "b", "c", "d"]
    assert_is_the_fold(office)


def test_each_dataset_has_a_fold_of_its_own(office: Office, folds: list[str]) -> None:
    office.drop(day(9), invoices(a=["9.00"]))
    office.drop("Customer_04_09_2025_1_00_00.csv", customers(c="Acme"))
    office.work()
    for number in (1, 2):
        office.drop(day(number), invoices(a=["1.00"], **{f"b{number}": ["1.00"]}))
        office.drop(f"Customer_04_0{number}_2025_1_00_00.csv", customers(**{f"c{number}": "Beta"}))
        office.drop(f"Sales_Receipt_04_0{number}_2025_2_00_00.csv", receipts(r=[f"{number}.00"]))
    office.work()
    assert sorted(folds) == ["quickbooks.customers", "quickbooks.invoices"]
    assert_is_the_fold(office)
    assert_is_the_fold(office, "customers")


def test_a_file_in_whose_company_the_process_died_is_loaded_by_itself(office: Office, folds: list[str]) -> None:
    office.drop(day(9), invoices(a=["9.00"]))
    office.work()
    for number in (1, 2, 3, 4):
        office.drop(day(number), invoices(**{f"b{number}": ["1.00"]}))
    office.execute("UPDATE qbwatch.work_items SET crashes = 1 WHERE id IN (2, 3)")

    office.work()

    assert folds == ["quickbooks.invoices"] * 3
    assert len(lines(office)) == 5


def test_a_stop_in_the_middle_puts_all_of_them_back(office: Office) -> None:
    office.drop(day(9), invoices(a=["9.00"]))
    office.work()
    for number in (1, 2, 3):
        office.drop(day(number), invoices(**{f"b{number}": ["1.00"]}))
    looks = iter(range(100))
    office.stopping = lambda: next(looks) > 3
    outcome = office.work()
    assert outcome is not None
    assert outcome.status is RunStatus.CANCELLED
    assert office.query("SELECT DISTINCT state, attempt FROM qbwatch.work_items WHERE id > 1") == [("pending", 0)]
    office.stopping = lambda: False
    office.work()
    assert len(lines(office)) == 4


def test_what_fails_as_a_whole_is_tried_one_by_one(office: Office, folds: list[str]) -> None:
    """A number that Postgres can't take is found out by the database, in the middle of it all."""
    office.drop(day(9), invoices(a=["9.00"]))
    office.work()
    office.execute("ALTER TABLE raw.quickbooks_invoices ADD CONSTRAINT small CHECK (product_service_amount < 100)")
    office.drop(day(1), invoices(b=["1.00"]))
    office.drop(day(2), invoices(c=["1000.00"]))
    office.drop(day(3), invoices(d=["1.00"]))

    office.work()

    assert {name: state[0] for name, state in outcomes(office).items()} == {
        day(1): "loaded", day(2): "quarantined", day(3): "loaded", day(9): "loaded"
    }  # fmt: skip
    assert [key for key, _, _ in lines(office)] == ["a", "b", "d"]


def test_only_the_documents_that_a_late_file_states_are_looked_at(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that was changed by hand shows it: it stays as it is, unless the late file states its document."""
    monkeypatch.setattr(refolding, "LARGEST_SHARE", 0)
    office.drop(day(8), invoices(a=["8.00"], b=["8.00"]))
    office.drop("01_BACKUP_Invoice_04_09_2025.csv", invoices(a=["9.00"], b=["8.00"]))
    office.work()
    office.execute("UPDATE raw.quickbooks_invoices SET product_service_amount = 5")
    office.drop(day(1), invoices(a=["1.00"], gone=["1.00"]))
    office.work()
    assert lines(office) == [("a", "9.00", "01_BACKUP_Invoice_04_09_2025.csv"), ("b", "5", day(8))]
    assert outcomes(office)[day(1)] == ["loaded", 2, 0, 0, 0]


def test_a_large_share_of_all_files_is_folded_as_a_whole(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refolding, "LARGEST_SHARE", 2)
    office.drop(day(9), invoices(a=["9.00"], b=["8.00"]))
    office.work()
    office.execute("UPDATE raw.quickbooks_invoices SET product_service_amount = 5")
    office.drop(day(1), invoices(c=["1.00"], d=["1.00"], e=["1.00"], f=["1.00"]))
    office.work()
    assert_is_the_fold(office)
