"""Why dbt work is still owed: whose fault it was and what helps, so that the status and an alert can say so.

What dbt said of each node is kept for a while only; finding what may go, and the newest word on each node, goes by the
time it was said.
"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE qbwatch.transform_debt ADD COLUMN failure_class text, ADD COLUMN hint text")
    op.execute("ALTER TABLE qbwatch.dbt_results ADD COLUMN found_in text")
    op.execute("CREATE INDEX dbt_results_finished ON qbwatch.dbt_results (finished_at)")
