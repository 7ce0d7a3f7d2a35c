"""A watchman elsewhere hears that we begin, that all is well, that something is wrong; and nothing that is secret."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alert_services import Endpoint, endpoint, mute_server
from telling import TROUBLE
from waiting import wait_until

from qbwatch.config import Config, load
from qbwatch.core.trouble import Trouble
from qbwatch.edges.ping import ping
from qbwatch.heartbeat import start_heartbeat, words

WELL = Trouble([], True, datetime(2026, 11, 25, 7, 5, tzinfo=UTC), date(2026, 11, 24))


def configuration(tmp_path: Path, url: str) -> Config:
    file = tmp_path / "qbwatch.toml"
    file.write_text(f'[input]\ndirectory = "/in"\n[alerts]\nheartbeat = "{url}"\nheartbeat_every = "1s"\n')
    return load(file, {})


def address(hook: Endpoint) -> str:
    return f"http://127.0.0.1:{hook.port}/MARKER-uuid"


def test_it_says_start_then_how_things_stand(tmp_path: Path) -> None:
    stop, now = threading.Event(), [WELL]
    with endpoint() as hook:
        thread = start_heartbeat(configuration(tmp_path, address(hook)), lambda: now[0], stop)
        wait_until(lambda: "/MARKER-uuid" in hook.paths, 30, "a good word")
        now[0] = Trouble([TROUBLE], True, WELL.last_success_at, WELL.through)
        wait_until(lambda: "/MARKER-uuid/fail" in hook.paths, 30, "a bad word")
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    assert hook.paths[0] == "/MARKER-uuid/start"
    assert "data through: 2026-11-24" in hook.bodies[hook.paths.index("/MARKER-uuid")]
    assert "wrong: watch_dead" in hook.bodies[hook.paths.index("/MARKER-uuid/fail")]


def test_the_words_hold_codes_and_dates_alone() -> None:
    told = words(Trouble([TROUBLE], True, WELL.last_success_at, WELL.through))
    assert told.splitlines()[1:] == [
        "last good run: 2026-11-25T07:05:00+00:00",
        "data through: 2026-11-24",
        "wrong: watch_dead",
    ]


@pytest.mark.parametrize(("code", "said"), [(200, None), (404, "HTTP 404"), (500, "HTTP 500"), (302, "HTTP 302")])
def test_only_a_good_answer_counts_as_heard(code: int, said: str | None) -> None:
    with endpoint() as hook:
        hook.code, hook.location = code, f"http://127.0.0.1:{hook.port}/login" if code == 302 else None
        assert ping(address(hook), "", "words") == said


def test_nobody_there_is_no_error_and_tells_nothing_of_the_address() -> None:
    assert ping("http://127.0.0.1:1/MARKER", "/start", "words") == "it can't be reached"


def test_a_mute_watchman_costs_a_few_seconds_in_a_thread_of_its_own() -> None:
    with mute_server() as port:
        said = ping(f"http://127.0.0.1:{port}/MARKER", "", "words")
    assert said is not None
    assert "MARKER" not in said


def test_the_address_is_a_secret_of_the_configuration(tmp_path: Path) -> None:
    config = configuration(tmp_path, "https://hc.example/MARKER-uuid")
    assert "https://hc.example/MARKER-uuid" in config.secrets()
    assert "MARKER" not in str(config.public())
