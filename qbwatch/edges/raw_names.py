"""What the raw tables are called."""

from __future__ import annotations

from psycopg import sql

from qbwatch.datasets import Dataset

RAW_SCHEMA = "raw"
"""Where the raw tables lie unless `database.raw_schema` says otherwise."""


def raw_table(dataset: Dataset, schema: str) -> sql.Identifier:
    """The qualified, quoted name of a dataset's raw table."""
    return sql.Identifier(schema, dataset.table)
