"""Sessions of qbwatch's on a real server."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from qbwatch.edges.postgres import engine_for

ASKED = "-c lock_timeout=7s -c timezone=Asia/Tokyo -c search_path=pg_catalog"


def shown(url: str, *names: str) -> list[str]:
    engine = engine_for(url)
    with engine.connect() as connection:
        return [str(connection.scalar(text(f"SHOW {name}"))) for name in names]


def test_a_session_has_our_settings(empty_database_url: str) -> None:
    assert shown(empty_database_url, "lock_timeout", "timezone") == ["1min", "UTC"]


def test_options_of_the_url_count_but_never_change_what_rows_mean(empty_database_url: str) -> None:
    url = f"{empty_database_url}&options={ASKED.replace(' ', '%20').replace('=', '%3D').replace('/', '%2F')}"
    assert shown(url, "lock_timeout", "timezone", "search_path") == ["7s", "UTC", "pg_catalog"]


def test_options_of_the_environment_count_too(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", ASKED)
    assert shown(empty_database_url, "lock_timeout", "timezone") == ["7s", "UTC"]
