"""The content of the raw tables in a form that can be compared between databases."""

from __future__ import annotations

import psycopg

from qbwatch.datasets import datasets


def raw_content(url: str) -> dict[str, list[str]]:
    """Every row of every raw table as text, in key order, with the file by name; without the moment of loading."""
    content = {}
    with psycopg.connect(url) as connection:
        for dataset in datasets().values():
            query = f"""SELECT ((to_jsonb(r) - '_file_id' - '_loaded_at') || jsonb_build_object('_file', f.name))::text
                        FROM raw.{dataset.table} AS r LEFT JOIN qbwatch.files AS f ON f.id = r._file_id
                        ORDER BY r._key, r._line"""
            content[dataset.table] = [row[0] for row in connection.execute(query)]  # type: ignore[call-overload]
        query = """SELECT ((to_jsonb(r) - '_file_id') || jsonb_build_object('_file', f.name))::text
                   FROM raw.quickbooks_item_prices AS r LEFT JOIN qbwatch.files AS f ON f.id = r._file_id
                   ORDER BY r._key, r._as_of"""
        content["quickbooks_item_prices"] = [row[0] for row in connection.execute(query)]
    return content
