"""The names of customers, which messages leave out."""

from __future__ import annotations

from psycopg import sql
from sqlalchemy import Connection

from qbwatch.datasets import datasets
from qbwatch.edges.postgres import driver
from qbwatch.edges.raw_names import raw_table

_NAMES = "SELECT DISTINCT unnest(ARRAY[customer_name, company_name]) FROM {}"


def customer_names(connection: Connection, raw_schema: str) -> list[str]:
    """Every customer's and company's name, and the parts of names with a path (``Parent:Job``)."""
    table = raw_table(datasets()["quickbooks.customers"], raw_schema)
    cursor = driver(connection).cursor()
    if cursor.execute("SELECT to_regclass(%s)", [table.as_string()]).fetchall() == [(None,)]:
        return []
    names = (name for (name,) in cursor.execute(sql.SQL(_NAMES).format(table)) if name)
    return list(dict.fromkeys(part for name in names for part in (name, *name.split(":"))))
