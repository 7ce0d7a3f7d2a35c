"""Who took an alert about an incident (its recovery is told to them alone), and which messages were sent together: what
may have been taken without our knowing it is sent again exactly as it was."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE qbwatch.incidents ADD COLUMN reached jsonb NOT NULL DEFAULT '[]'")
    op.execute("""
UPDATE qbwatch.incidents AS incident SET reached = told.services
FROM (
    SELECT incident_id, jsonb_agg(DISTINCT service) AS services FROM qbwatch.deliveries
    WHERE delivered_at IS NOT NULL AND kind IN ('opened', 'reminder') GROUP BY incident_id
) AS told
WHERE told.incident_id = incident.id
""")
    op.execute("ALTER TABLE qbwatch.deliveries ADD COLUMN batch text, ADD COLUMN passed_on_at timestamptz")
    op.execute("""
COMMENT ON COLUMN qbwatch.incidents.reached IS 'Services that took an alert about it since it last opened.';
COMMENT ON COLUMN qbwatch.deliveries.batch IS 'Messages that were, or may have been, sent as one.';
COMMENT ON COLUMN qbwatch.deliveries.passed_on_at IS 'When the fallback services were given it instead.';
""")
