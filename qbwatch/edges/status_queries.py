"""The questions of `qbwatch status`, as psycopg takes them.

They are asked each second while somebody looks on, and their work must not grow with the ledger. So none of them reads
a table from end to end: what is open, newest or of late is found through an index, and what there is one of for each
dataset, node or day is looked up one by one (`migrations`, 0013).
"""

from __future__ import annotations

# The newest word of dbt on each of its nodes: by skipping from one node to the next, as there are hundreds of nodes and
# thousands of words on each.
NEWEST_WORDS = """word AS (
    (SELECT * FROM qbwatch.dbt_results ORDER BY unique_id, id DESC LIMIT 1)
    UNION ALL
    SELECT next.* FROM word CROSS JOIN LATERAL (
        SELECT * FROM qbwatch.dbt_results WHERE unique_id > word.unique_id ORDER BY unique_id, id DESC LIMIT 1) AS next)
"""

SHOWN = 50  # entries of a list in the status; the counts are complete

WAITING_COUNT = """
SELECT count(*) AS count, min(file.first_seen_at) AS oldest
FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.state IN ('pending', 'loading', 'retrying')"""

WAITING = f"""
SELECT file.name, item.sheet, item.dataset, item.state, item.next_attempt_at
FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.state IN ('pending', 'loading', 'retrying') ORDER BY item.id LIMIT {SHOWN}"""

QUARANTINED = f"""
SELECT file.name, item.sheet, item.dataset, item.failure_class AS class, item.reason, item.hint,
       item.changed_at AS since
FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.state = 'quarantined' ORDER BY item.changed_at DESC LIMIT {SHOWN}"""

HELD_UP = """
SELECT failure_code AS code, count(*) AS files, min(changed_at) AS since, max(reason) AS reason, max(hint) AS hint
FROM qbwatch.work_items
WHERE state = 'retrying' OR (state = 'loading' AND failure_code IS NOT NULL) -- while it is tried again it isn't over
GROUP BY failure_code ORDER BY 1"""

CURRENT_RUN = """
SELECT id, mode, step, dataset, file, done, total, started_at,
       (SELECT coalesce(sum(rows_read), 0)::bigint FROM qbwatch.work_items AS item
        WHERE item.run_id = runs.id AND item.state = 'loaded') AS rows
FROM qbwatch.runs WHERE status = 'running'"""

LAST_RUN = """
SELECT run.id, run.mode, run.status, run.started_at, run.finished_at, run.error, count(item.id) AS files,
       coalesce(sum(item.rows_read), 0) AS read, coalesce(sum(item.rows_inserted), 0) AS inserted,
       coalesce(sum(item.rows_updated), 0) AS updated, coalesce(sum(item.rows_unchanged), 0) AS unchanged,
       coalesce(sum(item.rows_removed), 0) AS removed, coalesce(sum(item.rows_rejected), 0) AS rejected
FROM qbwatch.runs AS run
LEFT JOIN qbwatch.work_items AS item ON item.run_id = run.id AND item.state = 'loaded'
WHERE run.id = (SELECT max(id) FROM qbwatch.runs WHERE status <> 'running')
GROUP BY run.id"""

LAST_SUCCESS = "SELECT max(finished_at) FROM qbwatch.runs WHERE status = 'success'"

# From the newest back, a day at a time. Where clocks go back over midnight that stands for two moments, the later of
# which may come after the one it is to lie before: then a day is met twice, hence `least` and the grouping.
ARRIVALS = """
WITH RECURSIVE newest (at) AS (
    SELECT max(first_seen_at) FROM qbwatch.files WHERE root = 'input'
    UNION ALL
    SELECT (SELECT max(first_seen_at) FROM qbwatch.files
            WHERE root = 'input'
                  AND first_seen_at < least(newest.at, date_trunc('day', newest.at AT TIME ZONE %(zone)s)
                                                       AT TIME ZONE %(zone)s))
    FROM newest WHERE newest.at > CAST(%(at)s AS timestamptz) - interval '400 days')
SELECT max(at) FROM newest
WHERE at > CAST(%(at)s AS timestamptz) - interval '400 days'
GROUP BY (at AT TIME ZONE %(zone)s)::date ORDER BY 1"""

# What came again is no news, nor is what the history's folder holds. A file that waits for a person did come. Of the
# exports of one dataset that speak for the same day, as of the office that sends one each hour, two tell all that is
# asked of them: the last that counts, and the one that came first on the wall clock among those that came in time.
EXPORTS = """
WITH lately AS MATERIALIZED (
    SELECT dataset, as_of, file_id FROM qbwatch.work_items
    WHERE dataset IS NOT NULL AND as_of > CAST(%(at)s AS timestamptz) - interval '120 days'
          AND NOT (state = 'skipped' AND failure_code = 'duplicate')),
export AS MATERIALIZED (
    SELECT dataset, as_of, min(file.first_seen_at) AS arrived_at,
           (as_of AT TIME ZONE %(zone)s)::date AS day, min(file.first_seen_at) AT TIME ZONE %(zone)s AS came
    FROM (SELECT id, root, first_seen_at FROM qbwatch.files
          WHERE id >= (SELECT min(file_id) FROM lately)) AS file -- they came lately too, as a rule
    JOIN lately ON lately.file_id = file.id
    WHERE file.root <> 'seed'
    GROUP BY dataset, as_of),
told AS (
    SELECT dataset, day,
           max(as_of) FILTER (WHERE as_of <= CAST(%(at)s AS timestamptz) + %(ahead)s) AS last,
           min(came) FILTER (WHERE arrived_at BETWEEN as_of - %(fresh)s AND as_of + %(fresh)s) AS first
    FROM export GROUP BY dataset, day)
SELECT dataset, export.as_of, export.arrived_at FROM export JOIN told USING (dataset, day)
WHERE export.as_of = told.last OR export.came = told.first ORDER BY export.as_of"""

KNOWN_SINCE = "SELECT first_seen_at FROM qbwatch.files ORDER BY id LIMIT 1"

DEBT = """
SELECT DISTINCT ON (dataset) dataset, reason, failure_class, hint FROM qbwatch.transform_debt
ORDER BY dataset, reason IS NULL, id DESC"""

LAST_BUILD = "SELECT max(finished_at) FROM qbwatch.dbt_results WHERE status IN ('success', 'pass', 'warn')"

# The newest word on each node; a node that left the project stops speaking after twenty runs. What a person had tested
# speaks until it is built or tested again: not every build has it in hand.
NODES = f"""
WITH RECURSIVE {NEWEST_WORDS}
SELECT name, resource_type, status, message FROM word
WHERE run_id IS NULL OR id >= (SELECT id FROM qbwatch.dbt_results
                               WHERE run_id >= (SELECT max(run_id) - 20 FROM qbwatch.dbt_results)
                               ORDER BY run_id, id LIMIT 1)
ORDER BY unique_id"""

# In the next two, the first entry from a name on, and not the one of that name: else Postgres, which takes every name
# for a frequent one, may look for it from the table's end, and reads all of it for a name that isn't there.
BUILT = """
SELECT built.name, built.rows
FROM unnest(CAST(%(marts)s AS text[])) AS mart (name) CROSS JOIN LATERAL (
    SELECT name, rows FROM qbwatch.dbt_results
    WHERE name >= mart.name AND resource_type = 'model' AND status = 'success'
    ORDER BY name, id DESC LIMIT 1) AS built
WHERE built.name = mart.name"""

THROUGH = """
SELECT loaded.dataset, loaded.as_of
FROM unnest(CAST(%(datasets)s AS text[])) AS dataset (name) CROSS JOIN LATERAL (
    SELECT dataset, as_of FROM qbwatch.work_items WHERE dataset <= dataset.name AND state = 'loaded'
    ORDER BY dataset DESC, as_of DESC LIMIT 1) AS loaded
WHERE loaded.dataset = dataset.name"""

UNFOLDED = "SELECT DISTINCT dataset FROM qbwatch.work_items WHERE state = 'loaded' AND NOT is_folded ORDER BY 1"

ALERTS = """
SELECT (SELECT count(*) FROM qbwatch.incidents WHERE recovered_at IS NULL) AS open_incidents,
       (SELECT count(*) FROM qbwatch.deliveries WHERE delivered_at IS NULL) AS undelivered"""

BROKEN_CHANNELS = """
SELECT service, min(refused_at) AS since, max(error) AS error FROM qbwatch.deliveries
WHERE delivered_at IS NULL AND refused_at IS NOT NULL GROUP BY service ORDER BY service"""
