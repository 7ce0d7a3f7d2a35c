"""Which Postgres? The one place that knows whether it is ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def reachable(config: Config) -> Iterator[str]:
    """The libpq URL for one command; a private Postgres that was down runs for as long as the command does.

    One that runs already is somebody else's, who also ends it.
    """
    server = embedded_of(config) if config.database.is_embedded else None
    is_ours = server is not None and not server.is_running
    url = database_url(config, start=True)
    assert url is not None
    try:
        yield url
    finally:
        if is_ours and server is not None:
            server.stop()


def is_new(config: Config) -> bool:
    """Whether the private Postgres was never made yet, so that there is nothing to read in it."""
    return config.database.is_embedded and not embedded_of(config).data.exists()
