"""The names of customers, which messages leave out."""

from __future__ import annotations

from sqlalchemy import Connection, text

_TABLE = "raw.quickbooks_customers"
_NAMES = f"SELECT DISTINCT unnest(ARRAY[customer_name, company_name]) AS name FROM {_TABLE}"


def customer_names(connection: Connection) -> list[str]:
    """Every customer's and company's name, and the parts of names with a path (``Parent:Job``)."""
    if connection.scalar(text("SELECT to_regclass(:name)"), {"name": _TABLE}) is None:
        return []
    names = (row.name for row in connection.execute(text(_NAMES)) if row.name)
    return list(dict.fromkeys(part for name in names for part in (name, *name.split(":"))))
