"""Whether bytes were seen before is asked for every file that comes, whatever became of them: in a burst of thousands
that must not read the whole work table each time."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("CREATE INDEX work_items_content ON qbwatch.work_items (content_hash)")
