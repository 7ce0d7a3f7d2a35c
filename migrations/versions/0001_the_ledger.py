"""The ledger: files, work items, runs, rejects, owed transformations, dbt results, and the views for people."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE qbwatch.files (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    root          text NOT NULL CHECK (root IN ('input', 'seed', 'picked')),
    path          bytea NOT NULL,
    name          text NOT NULL,
    size_bytes    bigint NOT NULL,
    mtime_ns      bigint NOT NULL,
    inode         numeric NOT NULL,
    device        numeric NOT NULL,
    content_hash  text NOT NULL,
    as_of         timestamptz NOT NULL,
    as_of_basis   text NOT NULL CHECK (as_of_basis IN ('name', 'content', 'mtime')),
    is_full       boolean NOT NULL,
    first_seen_at timestamptz NOT NULL,
    settled_at    timestamptz NOT NULL,
    repeats       integer NOT NULL DEFAULT 0,
    repeated_at   timestamptz
);
COMMENT ON COLUMN qbwatch.files.repeats IS 'How often the same bytes came again under the same name.';
COMMENT ON TABLE qbwatch.files IS 'Every version of every file that settled, as it was seen.';
COMMENT ON COLUMN qbwatch.files.path IS 'Exact bytes below its root folder; name shows them escaped.';
CREATE INDEX files_path ON qbwatch.files (root, path, id DESC);

CREATE TABLE qbwatch.runs (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mode        text NOT NULL CHECK (mode IN ('seed', 'incremental', 'repair')),
    status      text NOT NULL CHECK (status IN ('running', 'success', 'partial_failure', 'error', 'cancelled')),
    why         text NOT NULL,
    step        text NOT NULL CHECK (step IN ('load', 'transform', 'announce')),
    dataset     text,
    file        text,
    done        integer NOT NULL DEFAULT 0,
    total       integer NOT NULL DEFAULT 0,
    error       text,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE UNIQUE INDEX runs_one_running ON qbwatch.runs ((true)) WHERE status = 'running';

CREATE TABLE qbwatch.work_items (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_id         bigint NOT NULL REFERENCES qbwatch.files,
    sheet           text,
    dataset         text,
    content_hash    text NOT NULL,
    as_of           timestamptz NOT NULL,
    is_full         boolean NOT NULL,
    state           text NOT NULL
                    CHECK (state IN ('pending', 'loading', 'loaded', 'retrying', 'quarantined', 'skipped')),
    attempt         integer NOT NULL DEFAULT 0,
    crashes         integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    failure_class   text,
    failure_code    text,
    reason          text,
    hint            text,
    run_id          bigint REFERENCES qbwatch.runs,
    is_folded       boolean NOT NULL DEFAULT false,
    loaded_at       timestamptz,
    changed_at      timestamptz NOT NULL,
    rows_read       bigint,
    rows_structural bigint,
    rows_inserted   bigint,
    rows_updated    bigint,
    rows_unchanged  bigint,
    rows_removed    bigint,
    rows_rejected   bigint,
    sums            jsonb NOT NULL DEFAULT '{}',
    notes           jsonb NOT NULL DEFAULT '[]'
);
COMMENT ON TABLE qbwatch.work_items IS 'The work table: one part of a file waiting to be loaded, being loaded, or done.';
COMMENT ON COLUMN qbwatch.work_items.is_folded IS 'Its rows are part of what the raw table holds now.';
CREATE UNIQUE INDEX work_items_once ON qbwatch.work_items (content_hash, as_of, coalesce(sheet, ''))
    WHERE state <> 'skipped';
CREATE INDEX work_items_open ON qbwatch.work_items (state) WHERE state NOT IN ('loaded', 'skipped');
CREATE INDEX work_items_fold ON qbwatch.work_items (dataset, as_of) WHERE is_folded OR state = 'loaded';
CREATE INDEX work_items_file ON qbwatch.work_items (file_id);
CREATE INDEX work_items_run ON qbwatch.work_items (run_id);

CREATE TABLE qbwatch.rejected_rows (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    work_item_id bigint NOT NULL REFERENCES qbwatch.work_items,
    line         bigint NOT NULL,
    column_name  text,
    text         text NOT NULL,
    reason       text NOT NULL
);
CREATE INDEX rejected_rows_item ON qbwatch.rejected_rows (work_item_id, line);

CREATE TABLE qbwatch.transform_debt (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset         text NOT NULL,
    work_item_id    bigint REFERENCES qbwatch.work_items,
    full_refresh    boolean NOT NULL DEFAULT false,
    owed_since      timestamptz NOT NULL,
    attempt         integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    reason          text
);
COMMENT ON TABLE qbwatch.transform_debt IS 'dbt work that committed data still owes; cleared by the build that did it.';

CREATE TABLE qbwatch.dbt_results (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id        bigint REFERENCES qbwatch.runs,
    invocation_id text,
    unique_id     text NOT NULL,
    name          text NOT NULL,
    resource_type text NOT NULL,
    status        text NOT NULL,
    seconds       double precision NOT NULL,
    rows          bigint,
    message       text,
    finished_at   timestamptz NOT NULL
);
CREATE INDEX dbt_results_run ON qbwatch.dbt_results (run_id);
CREATE INDEX dbt_results_latest ON qbwatch.dbt_results (unique_id, id DESC);
"""

VIEWS = """
CREATE VIEW qbwatch.processed_files AS
SELECT split_part(item.dataset, '.', 1) AS source_name,
       file.name AS filename,
       (file.as_of)::date AS file_date,
       item.loaded_at AS processed_timestamp,
       item.rows_read AS row_count
FROM qbwatch.work_items AS item
JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.state = 'loaded';

CREATE VIEW qbwatch.pipeline_status AS
SELECT run.started_at AS run_timestamp,
       run.status AS overall_status,
       coalesce(loads.datasets, '[]') AS sources_processed,
       extract(epoch FROM coalesce(run.finished_at, now()) - run.started_at)::numeric(12, 3) AS execution_time_seconds,
       coalesce(loads.files, '[]') AS files_processed,
       run.error AS error_summary
FROM qbwatch.runs AS run
LEFT JOIN LATERAL (
    SELECT jsonb_agg(DISTINCT item.dataset) AS datasets,
           jsonb_agg(file.name ORDER BY item.loaded_at) AS files
    FROM qbwatch.work_items AS item
    JOIN qbwatch.files AS file ON file.id = item.file_id
    WHERE item.run_id = run.id AND item.state = 'loaded'
) AS loads ON true;

CREATE VIEW qbwatch.pipeline_metadata AS
SELECT split_part(latest.dataset, '.', 1) AS source,
       latest.dataset AS source_name,
       latest.name AS last_file,
       latest.as_of AS last_processed_date,
       latest.loaded_at AS last_run_timestamp,
       latest.status AS last_run_status,
       totals.files AS files_processed,
       totals.stats AS execution_stats
FROM (
    SELECT DISTINCT ON (item.dataset) item.dataset, file.name, item.as_of, item.loaded_at, run.status
    FROM qbwatch.work_items AS item
    JOIN qbwatch.files AS file ON file.id = item.file_id
    LEFT JOIN qbwatch.runs AS run ON run.id = item.run_id
    WHERE item.state = 'loaded'
    ORDER BY item.dataset, item.as_of DESC, item.id DESC
) AS latest
JOIN (
    SELECT item.dataset,
           jsonb_agg(file.name ORDER BY item.as_of) AS files,
           jsonb_build_object('files', count(*), 'rows_read', sum(item.rows_read),
                              'rows_inserted', sum(item.rows_inserted), 'rows_updated', sum(item.rows_updated),
                              'rows_removed', sum(item.rows_removed), 'rows_rejected', sum(item.rows_rejected)) AS stats
    FROM qbwatch.work_items AS item
    JOIN qbwatch.files AS file ON file.id = item.file_id
    WHERE item.state = 'loaded'
    GROUP BY item.dataset
) AS totals ON totals.dataset = latest.dataset;

CREATE VIEW qbwatch.pending_files_view AS
SELECT split_part(item.dataset, '.', 1) AS source,
       item.dataset,
       file.name AS filename,
       item.state,
       file.first_seen_at,
       file.size_bytes,
       item.next_attempt_at,
       item.reason
FROM qbwatch.work_items AS item
JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.state NOT IN ('loaded', 'skipped');
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(VIEWS)
