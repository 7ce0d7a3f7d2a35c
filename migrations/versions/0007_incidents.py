"""Incidents, from first sight to recovery, and what is to be sent about them to each service."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
CREATE TABLE qbwatch.incidents (
    id              text PRIMARY KEY,
    cause           text NOT NULL,
    class           text NOT NULL CHECK (class IN ('data', 'infrastructure', 'configuration', 'missing_files')),
    code            text NOT NULL,
    severity        text NOT NULL CHECK (severity IN ('warning', 'error')),
    summary         text NOT NULL,
    hint            text NOT NULL,
    names           jsonb NOT NULL,
    count           integer NOT NULL,
    opened_at       timestamptz NOT NULL,
    seen_since      timestamptz NOT NULL,
    absent_since    timestamptz,
    told_at         timestamptz,
    acknowledged_at timestamptz,
    recovered_at    timestamptz,
    returns         integer NOT NULL DEFAULT 0
);
CREATE INDEX incidents_cause ON qbwatch.incidents (cause, opened_at DESC);
CREATE UNIQUE INDEX incidents_one_open ON qbwatch.incidents (cause) WHERE recovered_at IS NULL;
COMMENT ON TABLE qbwatch.incidents IS 'One row per cause of trouble, from first sight to recovery.';
COMMENT ON COLUMN qbwatch.incidents.returns IS 'How often it came back shortly after it had gone.';
""")
    op.execute("""
CREATE TABLE qbwatch.deliveries (
    id              text PRIMARY KEY,
    incident_id     text,
    service         text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('opened', 'reminder', 'recovered', 'success')),
    subject         text NOT NULL,
    body            text NOT NULL,
    queued_at       timestamptz NOT NULL,
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    delivered_at    timestamptz,
    refused_at      timestamptz,
    error           text
);
CREATE INDEX deliveries_open ON qbwatch.deliveries (service, queued_at) WHERE delivered_at IS NULL;
COMMENT ON TABLE qbwatch.deliveries IS 'What is, or was, to be sent to each service; the address itself is not kept.';
COMMENT ON COLUMN qbwatch.deliveries.refused_at IS 'Since when the service refuses for good (a revoked hook, say).';
""")
