"""The declarations: consistent, in dependency order, and found by name."""

from __future__ import annotations

import pytest

from qbwatch.core.model import QbwatchError
from qbwatch.core.naming import column_name
from qbwatch.datasets import SUMMED, ColumnType, Dataset, Kind, dataset_named, datasets, percent_twin, ranks_of

ALL = list(datasets().values())


@pytest.mark.parametrize("dataset", ALL, ids=lambda dataset: dataset.name)
def test_a_declaration_is_consistent_in_itself(dataset: Dataset) -> None:
    known = set(dataset.columns)
    assert all(set(key) <= known for key in dataset.keys)
    assert all(any(signature.issuperset(key) for key in dataset.keys) for signature in dataset.signatures)
    assert not dataset.ignored & known
    assert all(signature <= known for signature in dataset.signatures)
    assert set(dataset.summed_columns) == {name for name, kind in dataset.columns.items() if kind in SUMMED}
    assert all(column_name(name) == name for name in known)
    assert all(f"quickbooks.{parent}" in datasets() for parent in dataset.needs)


@pytest.mark.parametrize("dataset", ALL, ids=lambda dataset: dataset.name)
def test_a_header_with_all_columns_of_a_dataset_fits_no_other(dataset: Dataset) -> None:
    assert [other for other in ALL if any(each <= set(dataset.columns) for each in other.signatures)] == [dataset]


def test_parents_come_before_their_children() -> None:
    order = list(datasets())
    for dataset in ALL:
        for parent in dataset.needs:
            assert order.index(f"quickbooks.{parent}") < order.index(dataset.full_name)
    assert dataset_named("invoices").rank > dataset_named("customers").rank


def test_datasets_that_need_each_other_in_a_circle_are_refused() -> None:
    with pytest.raises(QbwatchError, match="a → b → a"):
        ranks_of({"a": ("b",), "b": ("a",)})


def test_a_rate_is_stored_with_a_twin_for_percentages() -> None:
    invoices = dataset_named("invoices")
    assert invoices.columns["product_service_rate"] is ColumnType.RATE
    assert invoices.stored["product_service_rate"] == invoices.stored[percent_twin("product_service_rate")] == "numeric"


def test_a_dataset_is_found_by_its_short_and_its_full_name() -> None:
    found = dataset_named("sales_receipts")
    assert found is dataset_named("quickbooks.sales_receipts")
    assert (found.full_name, found.table, found.kind) == (
        "quickbooks.sales_receipts",
        "quickbooks_sales_receipts",
        Kind.DOCUMENT,
    )


def test_an_unknown_dataset_is_named_with_the_known_ones() -> None:
    with pytest.raises(QbwatchError, match="unknown dataset 'nonsense'") as caught:
        dataset_named("nonsense")
    assert "quickbooks.invoices" in caught.value.hint
