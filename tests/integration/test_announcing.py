"""Alerts reach a real service once: through refusals, silence, restarts and while Postgres is down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from alert_services import Endpoint, endpoint, mail_server, mute_server
from small_disks import read_only
from telling import DOWN, NOWHERE, START, TROUBLE, World

from qbwatch.core.message import Message
from qbwatch.edges.answers import alert_counts
from qbwatch.edges.incidents import acknowledge, read_spool
from qbwatch.edges.notify import Sent, UnknownService, check_services, send, services_of
from qbwatch.edges.postgres import driver


@pytest.fixture
def hook() -> Iterator[Endpoint]:
    with endpoint() as found:
        yield found


@pytest.fixture
def world(database_url: str, tmp_path: Path, hook: Endpoint) -> World:
    return World(database_url, tmp_path, hook.url)


def _subjects(hook: Endpoint) -> list[str]:
    return [text.partition("\n")[0] for text in hook.taken]


def test_trouble_and_recovery_are_told_once_also_over_restarts(world: World, hook: Endpoint) -> None:
    for _ in range(3):
        world.looks(60, TROUBLE)
        world.restart()
    world.looks(120)
    world.restart()
    world.looks(60)
    assert _subjects(hook) == ["qbwatch: the folder watch is dead", "qbwatch: recovered: the folder watch is dead"]
    with world.engine.begin() as connection:
        assert alert_counts(driver(connection)) == {"open_incidents": 0, "undelivered": 0}


@pytest.mark.parametrize("code", [400, 403, 404, 429, 500])
def test_a_service_that_refuses_and_is_well_again_gets_everything_once_and_in_order(
    world: World, hook: Endpoint, code: int
) -> None:
    hook.code = code
    world.looks(60, TROUBLE)
    world.looks(120)
    assert hook.asked >= 1
    with world.engine.begin() as connection:
        assert alert_counts(driver(connection))["undelivered"] == 1
        refused = connection.exec_driver_sql("SELECT count(refused_at) FROM qbwatch.deliveries").scalar_one()
    assert (refused > 0) is (code in (400, 403, 404))
    hook.code = 200
    world.at += timedelta(hours=2)
    world.restart()
    world.looks(60)
    text = "\n".join(hook.taken)
    assert "qbwatch: over by now: the folder watch is dead" in text
    assert text.count("Open since") == 1, "nobody is told of a recovery who wasn't told of the trouble"
    world.looks(60)
    assert len(hook.taken) == 1


def test_a_broken_channel_is_told_through_the_other(database_url: str, tmp_path: Path, hook: Endpoint) -> None:
    with endpoint() as broken:
        broken.code = 403
        world = World(database_url, tmp_path, broken.url, hook.url)
        world.looks(90, TROUBLE)
    assert _subjects(hook)[0] == "qbwatch: the folder watch is dead"
    assert "broken since" in _subjects(hook)[1]


def test_postgres_down_and_up_is_one_message_each_through_the_state_folder(
    world: World, hook: Endpoint, database_url: str, tmp_path: Path
) -> None:
    world.looks(60, TROUBLE)
    world.url = NOWHERE
    world.looks(60, DOWN)
    assert (tmp_path / "alerts.json").stat().st_mode & 0o777 == 0o600
    world.restart()
    world.looks(60, DOWN, TROUBLE)
    world.url = database_url
    world.looks(120, TROUBLE)
    assert _subjects(hook) == [
        "qbwatch: the folder watch is dead",
        "qbwatch: Postgres can't be asked: connection refused",
        "qbwatch: recovered: Postgres can't be asked: connection refused",
    ]
    assert read_spool(tmp_path) is None


@pytest.mark.parametrize("moment", ["before it is told", "while it is told", "and the process ends"])
def test_recovery_is_told_when_postgres_is_back_in_the_middle_of_a_look(
    world: World, hook: Endpoint, database_url: str, tmp_path: Path, moment: str
) -> None:
    """What the state folder held at an earlier step doesn't undo what Postgres was told since."""

    def back() -> datetime:
        world.url = database_url
        return world.at

    world.url = NOWHERE
    world.looks(15, DOWN)
    assert read_spool(tmp_path) is not None
    if moment == "before it is told":
        world.announcer.now = back
    else:
        world.announcer.beat = back  # right after the service took it
    world.looks(15, DOWN)
    assert _subjects(hook) == ["qbwatch: Postgres can't be asked: connection refused"]
    if moment == "and the process ends":
        world.restart()
    world.looks(120)
    assert _subjects(hook) == [
        "qbwatch: Postgres can't be asked: connection refused",
        "qbwatch: recovered: Postgres can't be asked: connection refused",
    ]
    assert read_spool(tmp_path) is None


def test_a_state_folder_that_is_read_only_neither_ends_the_alerts_nor_undoes_what_was_told(
    database_url: str, hook: Endpoint, tmp_path: Path
) -> None:
    world = World(database_url, tmp_path, hook.url)
    world.url = NOWHERE
    world.looks(30, DOWN)
    assert read_spool(tmp_path) is not None
    world.url = database_url
    told = [
        "qbwatch: Postgres can't be asked: connection refused",
        "qbwatch: recovered: Postgres can't be asked: connection refused",
    ]
    more = ["qbwatch: the folder watch is dead", "qbwatch: recovered: the folder watch is dead"]
    with read_only(tmp_path):
        world.looks(120)
        assert _subjects(hook) == told
        world.looks(60, TROUBLE)
        world.looks(120)
        assert _subjects(hook) == told + more
        assert read_spool(tmp_path) is not None, "it could not be removed"
    world.looks(30)
    assert read_spool(tmp_path) is None
    assert _subjects(hook) == told + more


def test_a_read_only_state_folder_without_a_spool_is_no_trouble(
    database_url: str, hook: Endpoint, tmp_path: Path
) -> None:
    with read_only(tmp_path):
        world = World(database_url, tmp_path, hook.url)
        world.looks(60, TROUBLE)
        world.looks(120)
    assert _subjects(hook) == ["qbwatch: the folder watch is dead", "qbwatch: recovered: the folder watch is dead"]


def test_what_was_queued_is_sent_by_the_next_process(world: World, hook: Endpoint) -> None:
    hook.code = 500
    world.looks(45, TROUBLE)
    hook.code = 200
    world.restart()
    world.at += timedelta(minutes=5)
    world.looks(60, TROUBLE)
    assert _subjects(hook) == ["qbwatch: the folder watch is dead"]


def test_an_acknowledged_incident_is_not_reminded(world: World, hook: Endpoint) -> None:
    world.looks(45, TROUBLE)
    with world.engine.begin() as connection:
        found = connection.exec_driver_sql("SELECT id FROM qbwatch.incidents").scalar_one()
        assert acknowledge(connection, found, world.at) == 1
        assert acknowledge(connection, "nothing", world.at) == 0
    world.at += timedelta(days=2)
    world.looks(45, TROUBLE)
    assert len(hook.taken) == 1


@pytest.mark.parametrize(("wanted", "told"), [("never", 0), ("every_run", 2), ("daily", 1)])
def test_a_run_that_went_well_is_told_as_often_as_wished(
    database_url: str, tmp_path: Path, hook: Endpoint, wanted: str, told: int
) -> None:
    world = World(database_url, tmp_path, hook.url, on_success=wanted)
    rows = dict.fromkeys(("inserted", "updated", "unchanged", "removed", "rejected"), 0)
    for number in (1, 2):
        world.run = {"id": number, "status": "success", "files": 3, "rows": rows, "finished_at": START.isoformat()}
        world.looks(30)
        world.restart()
        world.looks(30)
    assert len(hook.taken) == told


def test_a_mail_arrives_as_text_and_html() -> None:
    with mail_server() as server:
        (service,) = services_of([server.url])
        assert send(service, Message("qbwatch: test", "first <line>\n\nsee `qbwatch status`")) == Sent()
    assert server.mails[0]["Subject"] == "qbwatch: test"
    kinds = {part.get_content_type(): part.get_payload(decode=True) for part in server.mails[0].walk()}
    assert b"&lt;line&gt;" in kinds["text/html"]
    assert b"<code>qbwatch status</code>" in kinds["text/html"]
    assert b"first <line>" in kinds["text/plain"]


def test_a_mute_mail_server_costs_no_more_than_the_deadline() -> None:
    with mute_server() as port:
        (service,) = services_of([f"mailto://127.0.0.1:{port}?from=q@example.org&to=o@example.org&mode=insecure"])
        began = time.monotonic()
        sent = send(service, Message("s", "b"), deadline=2.0)
    assert time.monotonic() - began < 4
    assert sent.error == "no answer within 2 s"


def test_a_service_that_is_not_there_is_tried_again_later() -> None:
    sent = send(services_of(["json://127.0.0.1:1/"])[0], Message("s", "b"))
    assert sent.error
    assert not sent.for_good


def test_an_unknown_service_is_named_by_its_place_and_not_shown() -> None:
    with pytest.raises(UnknownService) as told:
        check_services(["json://127.0.0.1/", "slak://MARKER-a/MARKER-b"])
    assert "entry 2 (slak://***)" in told.value.message
    assert "MARKER" not in told.value.message + told.value.hint


def test_no_secret_is_kept(world: World, hook: Endpoint, database_url: str, tmp_path: Path) -> None:
    hook.code = 403
    world.looks(60, TROUBLE)
    with psycopg.connect(database_url) as connection:
        kept = connection.execute("SELECT d::text FROM qbwatch.deliveries d").fetchall()
        kept += connection.execute("SELECT i::text FROM qbwatch.incidents i").fetchall()
    assert kept
    assert "MARKER" not in str(kept)
    world.url = NOWHERE
    world.looks(30, DOWN)
    assert "MARKER" not in (tmp_path / "alerts.json").read_text()


def test_a_long_list_is_cut_to_what_the_service_takes(hook: Endpoint) -> None:
    (service,) = services_of([hook.url])
    assert send(service, Message("s", "essential\n" + "x" * 100_000)).error is None
    assert "essential" in hook.taken[0]
    assert "more characters" in hook.taken[0]
