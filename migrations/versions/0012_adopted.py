"""Parts that an old pipeline loaded, and that needn't be loaded again: nearly always none, and asked before each plan."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("CREATE INDEX work_items_adopted ON qbwatch.work_items (dataset) WHERE failure_code = 'adopted'")
