"""Which Postgres? The one place that knows whether it is ours."""

from __future__ import annotations

from qbwatch.config import Config
from qbwatch.edges.embedded import EmbeddedPostgres


def embedded_of(config: Config) -> EmbeddedPostgres:
    """The private Postgres of this configuration's state folder."""
    return EmbeddedPostgres(config.state.directory / "postgres")


def database_url(config: Config, *, start: bool) -> str | None:
    """The libpq URL to connect to. A private Postgres is started with ``start``; without, None when it is down."""
    if not config.database.is_embedded:
        return config.database.url.get_secret_value()
    server = embedded_of(config)
    return server.start() if start else server.url_if_running()
