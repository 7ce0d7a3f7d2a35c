"""Which report an item is: two that list different things share a table, and one must not replace the other unasked."""

from alembic import op

revision = "0006"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE qbwatch.work_items ADD COLUMN report text")
    op.execute(
        "COMMENT ON COLUMN qbwatch.work_items.report IS"
        " 'Title of a report, where it has one; null for any other part.'"
    )
