"""What a raw table holds and shouldn't, or should and doesn't: nearly always nothing, and asked with every load."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX work_items_to_be_folded ON qbwatch.work_items (dataset) WHERE is_folded <> (state = 'loaded')"
    )
