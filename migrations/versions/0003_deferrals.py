"""Tries that failed by a fault of the surroundings are counted by themselves: they make pauses longer, and are no
attempts of the file."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE qbwatch.work_items ADD COLUMN deferrals integer NOT NULL DEFAULT 0")
    op.execute(
        "COMMENT ON COLUMN qbwatch.work_items.deferrals IS"
        " 'Tries in a row that a fault of the surroundings cut short; they are no attempts.'"
    )
