"""What qbwatch knows of each dataset, read from the declarations in this folder."""

from __future__ import annotations

from qbwatch.datasets.dataset import SQL_TYPES, SUMMED, ColumnType, Dataset, Form, Kind, percent_twin
from qbwatch.datasets.declared import (
    dataset_named,
    datasets,
    never_loaded,
    people,
    ranks_of,
    reports_not_loaded,
    spelled_by_hand,
)

__all__ = [
    "SQL_TYPES",
    "SUMMED",
    "ColumnType",
    "Dataset",
    "Form",
    "Kind",
    "dataset_named",
    "datasets",
    "never_loaded",
    "people",
    "percent_twin",
    "ranks_of",
    "reports_not_loaded",
    "spelled_by_hand",
]
