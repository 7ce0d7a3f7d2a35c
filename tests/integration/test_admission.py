"""What becomes of settled files, on a real vault and a real Postgres."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from small_exports import NOON, Office, customers, invoices

from qbwatch.core.arrival import Admission
from qbwatch.core.model import RunStatus

A, B = invoices(a=["10.00"]), invoices(a=["11.00", "1.00"])
NAME = "Invoice_04_01_2025_2_00_00.csv"
A_LINES = [("a", "10.00")]
B_LINES = [("a", "11.00"), ("a", "1.00")]


def as_of(office: Office) -> list[tuple[object, ...]]:
    """Moment and basis of every file."""
    return office.query("SELECT as_of, as_of_basis FROM qbwatch.files ORDER BY id")


# duplicates, versions, statements


def test_the_same_bytes_for_the_same_moment_under_another_name_are_skipped(office: Office) -> None:
    office.drop(NAME, A)
    office.drop("Invoice_04_01_2025_2_00_00 (1).csv", A)
    office.drop("copies/Invoice_04_01_2025_2_00_00.csv", A)

    assert [state for _, state in office.states()] == ["pending", "skipped", "skipped"]
    reasons = office.query("SELECT DISTINCT failure_code, reason, dataset FROM qbwatch.work_items WHERE id > 1")
    assert reasons == [("duplicate", f"the same bytes for the same moment as {NAME}", "quickbooks.invoices")]


def test_a_touched_file_is_no_new_version(office: Office) -> None:
    office.drop(NAME, A)
    office.drop(NAME, A, mtime=NOON + timedelta(hours=1))
    office.drop("notes/customers.csv", customers(c="Acme"))
    office.drop("notes/customers.csv", customers(c="Acme"), mtime=NOON + timedelta(hours=1))

    assert [state for _, state in office.states()] == ["pending", "pending"]
    mtimes = office.query("SELECT to_timestamp(mtime_ns / 1e9) FROM qbwatch.files ORDER BY id")
    assert mtimes == [(NOON + timedelta(hours=1),)] * 2
    assert as_of(office)[1] == (NOON, "mtime")


def test_new_bytes_under_a_name_replace_what_the_old_ones_did(office: Office) -> None:
    office.drop(NAME, invoices(a=["10.00"], gone=["5.00"]))
    office.work()
    office.drop(NAME, B)
    assert [state for _, state in office.states()] == ["loaded", "pending"]
    assert len(office.lines()) == 2, "until its successor is loaded, the old version stands"

    office.work()

    assert [state for _, state in office.states()] == ["skipped", "loaded"]
    assert office.lines() == B_LINES


def test_a_version_that_waits_is_overtaken_at_once(office: Office) -> None:
    office.drop(NAME, A)
    office.drop(NAME, B)

    assert [state for _, state in office.states()] == ["skipped", "pending"]
    assert office.query("SELECT failure_code FROM qbwatch.work_items ORDER BY id") == [("superseded",), (None,)]


def nothing(office: Office) -> None:
    """The pipeline doesn't get to it."""


def load(office: Office) -> None:
    """The pipeline loads what waits."""
    office.work()


def hold_loading(office: Office) -> None:
    """The pipeline is in the middle of loading what waits."""
    office.execute("UPDATE qbwatch.work_items SET state = 'loading', attempt = 1 WHERE state = 'pending'")


def end_loading(office: Office) -> None:
    """What was being loaded goes back into the queue and is loaded."""
    office.execute("UPDATE qbwatch.work_items SET state = 'pending' WHERE state = 'loading'")
    office.work()


@pytest.mark.parametrize("after_a", [nothing, load, hold_loading])
@pytest.mark.parametrize("after_b", [nothing, load, hold_loading])
def test_back_to_the_first_bytes_under_one_name_ends_in_them(
    office: Office, after_a: Callable[[Office], None], after_b: Callable[[Office], None]
) -> None:
    office.drop(NAME, A)
    after_a(office)
    office.drop(NAME, B)
    if after_a is not hold_loading:  # one item is loaded at a time
        after_b(office)
    office.drop(NAME, A)
    end_loading(office)

    assert office.lines() == A_LINES
    open_states = [state for _, state in office.states() if state != "skipped"]
    assert open_states == ["loaded"]
    assert office.work() is None


def test_back_and_forth_once_more_ends_in_the_last(office: Office) -> None:
    for content in (A, B, A, B):
        office.drop(NAME, content)
        office.work()

    assert office.lines() == B_LINES


def test_the_same_bytes_for_a_later_moment_are_a_new_statement(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", A)
    office.drop("Invoice_04_02_2025_2_00_00.csv", B)
    office.drop("Invoice_04_03_2025_2_00_00.csv", A)

    office.work()

    assert [state for _, state in office.states()] == ["loaded"] * 3
    assert office.lines() == A_LINES


def test_a_damaged_version_leaves_the_good_one_its_place(office: Office) -> None:
    office.drop(NAME, A)
    office.drop(NAME, b"a,b\r\n1,2\r\n")
    office.work()
    assert [state for _, state in office.states()] == ["loaded", "quarantined"]

    office.drop(NAME, b"a,b\r\n1,3\r\n")

    assert [state for _, state in office.states()] == ["loaded", "skipped", "quarantined"]
    assert office.lines() == A_LINES


def test_mended_under_its_name_it_is_loaded_and_the_question_is_settled(office: Office) -> None:
    office.drop(NAME, b"a,b\r\n1,2\r\n")
    office.work()
    office.drop(NAME, A)

    outcome = office.work()

    assert outcome is not None
    assert outcome.status is RunStatus.SUCCESS
    assert [state for _, state in office.states()] == ["skipped", "loaded"]


# which moment


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("Invoice_04_01_2025_2_00_00.csv", datetime(2025, 4, 1, 6, 0, 0, tzinfo=UTC)),
        ("Invoice_01_15_2025_14_05_09.csv", datetime(2025, 1, 15, 19, 5, 9, tzinfo=UTC)),
        ("Invoice_03_09_2025_1_59_59.csv", datetime(2025, 3, 9, 6, 59, 59, tzinfo=UTC)),  # summer time begins at 2:00
        ("Invoice_03_09_2025_3_00_00.csv", datetime(2025, 3, 9, 7, 0, 0, tzinfo=UTC)),
        ("Invoice_11_02_2025_3_00_00.csv", datetime(2025, 11, 2, 8, 0, 0, tzinfo=UTC)),  # and ends at 2:00
        ("01_BACKUP_Invoice_04_03_2025.csv", datetime(2025, 4, 4, 3, 59, 59, tzinfo=UTC)),
        ("2025-12-31_Invoice.csv", datetime(2026, 1, 1, 4, 59, 59, tzinfo=UTC)),
    ],
)
def test_the_moment_is_the_names_in_the_offices_zone(office: Office, name: str, moment: datetime) -> None:
    office.drop(name, A)

    assert as_of(office) == [(moment, "name")]


def test_a_name_without_a_date_speaks_for_the_moment_it_was_written(office: Office) -> None:
    office.drop("Invoice.csv", A, mtime=datetime(2025, 4, 2, 12, 30, tzinfo=UTC))

    assert as_of(office) == [(datetime(2025, 4, 2, 12, 30, tzinfo=UTC), "mtime")]


@pytest.mark.parametrize(
    ("name", "root", "is_full"),
    [
        ("Invoice_04_01_2025_2_00_00.csv", "input", False),
        ("Invoice_04_01_2025_2_00_00.csv", "seed", True),
        ("01_BACKUP_Invoice_04_03_2025.csv", "input", True),
    ],
)
def test_what_lies_in_the_seed_folder_is_a_full_export(office: Office, name: str, root: str, is_full: bool) -> None:
    office.drop(name, A, root)

    assert office.query("SELECT is_full FROM qbwatch.work_items") == [(is_full,)]


@pytest.mark.parametrize("name", ["Invoice_13_45_2025_2_00_00.csv", "Invoice_02_30_2025.csv", "Invoice_2025-02-30.csv"])
def test_an_impossible_date_in_the_name_is_a_question_for_a_person(office: Office, name: str) -> None:
    office.drop(name, A)

    ((state, code, reason, hint),) = office.query("SELECT state, failure_code, reason, hint FROM qbwatch.work_items")
    assert (state, code) == ("quarantined", "date_in_name")
    assert "MM_DD_YYYY" in str(reason)
    assert "rename" in str(hint)


# questions for a person


def test_an_unknown_layout_is_quarantined_with_what_to_do(office: Office) -> None:
    office.drop("notes.csv", b"a,b\r\n1,2\r\n")
    office.drop("Invoice_04_02_2025_2_00_00.csv", customers(c="Acme"))
    office.drop("Customer_04_02_2025_1_00_00.csv", b"Customer Name\r\nAcme\r\n")
    office.drop("Item_04_02_2025_1_00_00.csv", b"", patience_over=True)

    found = office.query("SELECT state, failure_class, failure_code, hint <> '' FROM qbwatch.work_items ORDER BY id")
    codes = ("unknown_layout", "name_disagrees", "missing_columns", "empty_file")
    assert found == [("quarantined", "data", code, True) for code in codes]


# still being written?


@pytest.mark.parametrize("content", [A[:-4], A.replace(b"Acme", b'"Acme'), A.replace(b"\r\n", b"\n")[:-1] + b","])
def test_an_incomplete_end_is_doubted_and_nothing_is_written(office: Office, content: bytes) -> None:
    assert office.drop(NAME, content) is Admission.DOUBTED
    assert office.states() == []

    assert office.drop(NAME, A) is Admission.ADMITTED
    assert [state for _, state in office.states()] == ["pending"]


def test_after_the_longer_wait_it_is_judged_as_it_is(office: Office) -> None:
    content = A.replace(b"Acme", b'"Acme')
    assert office.drop(NAME, content, patience_over=True) is Admission.ADMITTED

    office.work()

    assert [state for _, state in office.states()] == ["quarantined"]


# names


@pytest.mark.parametrize(
    "name",
    [
        b"caf\xe9.csv",
        b"a\nb.csv",
        b"o'brien.csv",
        b"100%s.csv",
        b"{x}.csv",
        b"[/x].csv",
        b"-rf.csv",
        b"\x1b[31mred.csv",
        b"trailing .csv ",
        b"back\\slash.csv",
        "\u202efdp.csv".encode(),
        b"sub/folder/customers.csv",
        b"x" * 251 + b".csv",
    ],
)
def test_any_name_is_loaded_and_shown_harmlessly(office: Office, name: bytes) -> None:
    office.drop(name, customers(c="Acme"))

    outcome = office.work()

    assert outcome is not None
    assert outcome.status is RunStatus.SUCCESS, outcome.error
    ((path, shown),) = office.query("SELECT path, name FROM qbwatch.files")
    assert bytes(path) == name  # type: ignore[arg-type, call-overload]
    assert str(shown).isprintable()


# named by a person


def test_a_file_named_by_a_person_stands_for_itself_or_for_what_it_duplicates(office: Office) -> None:
    elsewhere = office.root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / NAME).write_bytes(A)
    (elsewhere / "Invoice_04_02_2025_2_00_00.csv").write_bytes(B)
    office.drop(NAME, A)

    duplicate = office.admitter.pick(elsewhere / NAME)
    new = office.admitter.pick(elsewhere / "Invoice_04_02_2025_2_00_00.csv")
    again = office.admitter.pick(elsewhere / "Invoice_04_02_2025_2_00_00.csv")

    assert office.query("SELECT id, root FROM qbwatch.files ORDER BY id") == [
        (1, "input"),
        (2, "picked"),
        (3, "picked"),
    ]
    assert (duplicate, new, again) == (1, 3, 3)


def test_of_files_that_come_together_each_is_judged_by_those_before_it(office: Office) -> None:
    office.drop("Customer_04_01_2025.csv", customers(a="Known"))
    contents = {
        "Customer_04_02_2025.csv": customers(b="New"),
        "Customer_04_02_2025 (1).csv": customers(b="New"),  # the bytes of the one before, in the same transaction
        "Copy of Customer_04_01_2025.csv": customers(a="Known"),
        "Customer_04_03_2025.csv": customers(c="New too"),
        "Customer_04_03_2025 (1).csv": customers(c="Another"),  # the moment of the one before, and other bytes
    }
    office.admitter.admit_all([office.arrival(name, content) for name, content in contents.items()])
    assert [state for _, state in office.states()] == [
        "pending",
        "pending",
        "skipped",
        "skipped",
        "pending",
        "quarantined",
    ]
