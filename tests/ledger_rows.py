"""Rows of the ledger as if files had been seen and judged, for what only reads it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, text

AT = datetime(2026, 11, 25, 3, 30, tzinfo=UTC)  # the evening before in New York


def file_seen(connection: Connection, name: str, at: datetime = AT, root: str = "input") -> int:
    """A file version; its id."""
    query = """INSERT INTO qbwatch.files (root, path, name, size_bytes, mtime_ns, inode, device, content_hash, as_of,
                                          as_of_basis, is_full, first_seen_at, settled_at)
               VALUES (:root, :path, :name, 1, 1, 1, 1, :name, :at, 'name', false, :at, :at) RETURNING id"""
    values = {"root": root, "path": name.encode(), "name": name, "at": at}
    return int(connection.execute(text(query), values).scalar_one())


def item_of(connection: Connection, file: int, state: str, dataset: str | None, **more: object) -> None:
    """A work item of a file, in a state."""
    values = {"sheet": None, "code": None, "reason": None, "loaded_at": None, "inserted": None, "at": AT, **more}
    query = """INSERT INTO qbwatch.work_items (file_id, sheet, dataset, content_hash, as_of, is_full, state,
                   failure_code, reason, changed_at, loaded_at, rows_read, rows_inserted, rows_updated, rows_removed)
               VALUES (:file, :sheet, :dataset, CAST(:file AS text), :at, false, :state, :code, :reason, :at,
                       :loaded_at, :inserted, :inserted, 1, 2)"""
    connection.execute(text(query), {**values, "file": file, "state": state, "dataset": dataset})


def years_of_exports(files: int) -> str:
    """Statements that fill a ledger with four years of an office's exports, up to yesterday: so many files, each loaded
    into one of eight datasets by one of 2,000 runs, and so many words of dbt on fifty models; an early one was asked
    for by a person."""
    return _YEARS.format(files=files, pause=4 * 365 * 24 * 60 / files, words=files // 2000)


_YEARS = """
INSERT INTO qbwatch.runs (mode, status, why, step, total, started_at, finished_at)
SELECT 'incremental', 'success', 'new files', 'announce', 50, at, at + interval '20 s'
FROM generate_series(now() - interval '4 years', now() - interval '1 day', interval '17 h 31 min') AS at;
INSERT INTO qbwatch.files (root, path, name, size_bytes, mtime_ns, inode, device, content_hash, as_of, as_of_basis,
                           is_full, first_seen_at, settled_at)
SELECT 'input', convert_to('Export_' || n || '.csv', 'UTF8'), 'Export_' || n || '.csv', 10000, n, n, 1, md5(n::text),
       at, 'name', false, at, at
FROM (SELECT n, now() - interval '4 years' + n * interval '{pause} min' AS at
      FROM generate_series(1, {files}) AS n) AS seen;
INSERT INTO qbwatch.work_items (file_id, dataset, content_hash, as_of, is_full, state, is_folded, changed_at, loaded_at,
                                run_id, rows_read, rows_inserted, rows_updated, rows_unchanged, rows_removed,
                                rows_rejected)
SELECT id, (ARRAY['quickbooks.invoices', 'quickbooks.customers', 'quickbooks.items', 'quickbooks.bills',
                  'quickbooks.payments', 'quickbooks.sales_receipts', 'quickbooks.vendors', 'quickbooks.accounts'])
           [1 + id % 8], content_hash, as_of, false, 'loaded', true, as_of, as_of,
       1 + id % (SELECT count(*) FROM qbwatch.runs), 100, 90, 10, 0, 0, 0
FROM qbwatch.files WHERE name LIKE 'Export\\__%.csv';
INSERT INTO qbwatch.dbt_results (run_id, invocation_id, unique_id, name, resource_type, status, seconds, rows,
                                 finished_at)
SELECT CASE WHEN run.id = 9 THEN NULL ELSE run.id END, 'x', 'model.qb.' || model, model, 'model', 'success', 0.1, 100,
       run.finished_at
FROM qbwatch.runs AS run, generate_series(1, {words}) AS n,
     LATERAL (SELECT CASE n WHEN 1 THEN 'fct_orders' WHEN 2 THEN 'fct_products' ELSE 'model_' || n END) AS named (model)
WHERE run.mode = 'incremental' ORDER BY run.id, n;
"""
