"""A load is accepted only when every row and every cent is accounted for."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbwatch.core.accounting import check_rejects, check_rows, check_sums
from qbwatch.core.model import FailureClass, RowCounts

COUNT = st.integers(min_value=0, max_value=10_000)


def balanced(structural: int, inserted: int, updated: int, unchanged: int, rejected: int) -> RowCounts:
    read = structural + inserted + updated + unchanged + rejected
    return RowCounts(read, structural, inserted, updated, unchanged, 0, rejected)


@given(COUNT, COUNT, COUNT, COUNT, COUNT, COUNT)
def test_rows_balance_when_every_one_has_a_fate_whatever_was_removed(
    structural: int, inserted: int, updated: int, unchanged: int, rejected: int, removed: int
) -> None:
    rows = replace(balanced(structural, inserted, updated, unchanged, rejected), removed=removed)
    assert check_rows(rows) is None
    assert rows.written == inserted + updated + removed


@given(st.integers(min_value=-50, max_value=50).filter(bool))
def test_a_row_too_many_or_too_few_is_a_failure(off: int) -> None:
    failure = check_rows(RowCounts(read=100 + off, inserted=100))
    assert failure is not None
    assert (failure.code, failure.failure_class) == ("rows_disagree", FailureClass.DATA)


def test_a_negative_count_is_no_balance() -> None:
    assert check_rows(RowCounts(read=1, updated=2, unchanged=-1)) is not None


def test_accountings_of_several_parts_add_up() -> None:
    total = balanced(1, 2, 3, 4, 5) + balanced(10, 20, 30, 40, 50)
    assert total == balanced(11, 22, 33, 44, 55)
    assert RowCounts() + total == total


def test_sums_agree_as_numbers_not_as_spellings() -> None:
    assert check_sums({"amount": Decimal("10.00")}, {"amount": Decimal("10.0000")}) is None
    assert check_sums({}, {"amount": Decimal(5)}) is None
    assert check_sums({"amount": Decimal(0)}, {}) is None


def test_a_cent_of_difference_is_a_failure_that_names_the_column_and_both_sums() -> None:
    failure = check_sums(
        {"amount": Decimal("10.01"), "quantity": Decimal(1)}, {"amount": Decimal("10.00"), "quantity": Decimal(1)}
    )
    assert failure is not None
    assert failure.code == "sums_disagree"
    assert "amount (10.01 in the file, 10.00 in the table)" in failure.reason
    assert "quantity" not in failure.reason


@pytest.mark.parametrize(
    ("read", "rejected", "accepted"),
    [(0, 0, True), (10, 0, True), (1000, 1, True), (1000, 100, True), (1000, 101, False), (10, 1, True), (9, 1, False)],
)
def test_single_bad_lines_are_listed_and_a_damaged_file_is_refused(read: int, rejected: int, accepted: bool) -> None:
    failure = check_rejects(read, rejected)
    assert (failure is None) is accepted
    assert failure is None or (failure.code, failure.is_transient) == ("too_many_rejects", False)
