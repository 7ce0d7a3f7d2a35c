"""What the status asks for, each second while somebody looks on: what came of late, which exports, the newest success.
Found by these indexes it takes as long in the fourth year as on the first day."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("CREATE INDEX files_arrived ON qbwatch.files (first_seen_at) WHERE root = 'input'")
    # With the file's id behind, so that the table itself needn't be looked into.
    op.execute(
        "CREATE INDEX work_items_exports ON qbwatch.work_items (as_of, dataset, file_id) "
        "WHERE dataset IS NOT NULL AND NOT (state = 'skipped' AND failure_code = 'duplicate')"
    )
    op.execute("CREATE INDEX work_items_loaded ON qbwatch.work_items (loaded_at) WHERE state = 'loaded'")
    # Nearly always empty. Of the condition of `work_items_to_be_folded` Postgres can't know how seldom it holds.
    op.execute("CREATE INDEX work_items_unfolded ON qbwatch.work_items (dataset) WHERE state = 'loaded' AND NOT is_folded")
    op.execute("CREATE INDEX dbt_results_asked ON qbwatch.dbt_results (id) WHERE run_id IS NULL")
    op.execute(
        "CREATE INDEX dbt_results_built ON qbwatch.dbt_results (name, id DESC) "
        "WHERE resource_type = 'model' AND status = 'success'"
    )
    op.execute("CREATE INDEX runs_success ON qbwatch.runs (finished_at) WHERE status = 'success'")
