"""What holds and decisions need: a report's period, a person's answers, what replaced an item, and how files differ."""

from alembic import op

revision = "0002"
down_revision = "0001"

COLUMNS = """
ALTER TABLE qbwatch.work_items
    ADD COLUMN period_first  date,
    ADD COLUMN period_last   date,
    ADD COLUMN answers       jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN difference    jsonb,
    ADD COLUMN superseded_by bigint REFERENCES qbwatch.work_items;
COMMENT ON COLUMN qbwatch.work_items.period_first IS 'First day that a report speaks for; 0001-01-01 in "All Dates".';
COMMENT ON COLUMN qbwatch.work_items.answers IS 'What a person answered: accepted (codes of overridden holds), and more.';
COMMENT ON COLUMN qbwatch.work_items.difference IS 'Rows changed, new and gone against the earlier file that it replaces.';
COMMENT ON COLUMN qbwatch.work_items.superseded_by IS 'The newer version that took its place; to revert that restores it.';
CREATE INDEX work_items_superseded ON qbwatch.work_items (superseded_by) WHERE superseded_by IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(COLUMNS)
