"""Every incident reaches a person once: whatever the service does, and wherever the process is killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alert_services import Endpoint, MailServer, endpoint, mail_server, mute_server
from telling import TROUBLE, World

from qbwatch import announcing
from qbwatch.announcing import Announcer
from qbwatch.edges.answers import alert_counts
from qbwatch.edges.notify import Sent, send
from qbwatch.edges.postgres import driver

FIRST = TROUBLE
SECOND = replace(TROUBLE, code="folder_missing", summary="the input folder is missing")
THIRD = replace(TROUBLE, code="disk_full", summary="the disk is full")


@pytest.fixture
def hook() -> Iterator[Endpoint]:
    with endpoint() as found:
        yield found


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as found:
        yield found


def undelivered(world: World) -> int:
    with world.engine.begin() as connection:
        return int(alert_counts(driver(connection))["undelivered"])


def is_told_in_order(texts: list[str]) -> bool:
    """Each of the three is told once, and in the order in which they began."""
    text = "\n".join(texts)
    once = all(text.count(f"\n{each.summary}\n") == 1 for each in (FIRST, SECOND, THIRD))
    order = [text.find(f"\n{each.summary}\n") for each in (FIRST, SECOND, THIRD)]
    return once and order == sorted(order)


def three_incidents(world: World) -> None:
    """One after the other, each long enough to be told."""
    world.looks(45, FIRST)
    world.looks(45, FIRST, SECOND)
    world.looks(45, FIRST, SECOND, THIRD)


def and_then(world: World) -> None:
    """Hours later, by another process."""
    world.at += timedelta(hours=3)
    world.restart()
    world.looks(90, FIRST, SECOND, THIRD)


@pytest.mark.parametrize("code", [302, 400, 404, 429, 500])
def test_a_hook_that_was_unwell_gets_each_incident_once_and_in_order(
    database_url: str, tmp_path: Path, hook: Endpoint, code: int
) -> None:
    world = World(database_url, tmp_path, hook.url)
    hook.code = code
    hook.location = f"http://127.0.0.1:{hook.port}/login" if code == 302 else None
    three_incidents(world)
    assert hook.taken == []
    assert undelivered(world) == 3
    hook.code, hook.location = 200, None
    and_then(world)
    assert is_told_in_order(hook.taken)
    assert undelivered(world) == 0


@pytest.mark.parametrize("reply", ["451 try again later", "550 no such user here"])
def test_a_mail_server_that_refused_gets_each_incident_once_and_in_order(
    database_url: str, tmp_path: Path, mail: MailServer, reply: str
) -> None:
    world = World(database_url, tmp_path, mail.url)
    mail.reply = reply
    three_incidents(world)
    assert mail.mails == []
    mail.reply = "250 OK"
    and_then(world)
    assert is_told_in_order([plain(mail, number) for number in range(len(mail.mails))])


def plain(mail: MailServer, number: int) -> str:
    """A mail's text, as a reader without HTML sees it."""
    parts = {part.get_content_type(): part for part in mail.mails[number].walk()}
    text = parts["text/plain"].get_payload(decode=True)
    assert isinstance(text, bytes)
    return "\n" + text.decode().replace("\r\n", "\n")


def test_a_port_that_refused_and_was_mute_loses_nothing(database_url: str, tmp_path: Path) -> None:
    with mail_server() as server:
        pass
    world = World(database_url, tmp_path, server.url)
    world.looks(30, FIRST)
    usual, world.settings = world.settings, replace(world.settings, deadline=1.0)
    world.restart()
    with mute_server(server.port):
        began = time.monotonic()
        world.looks(60, FIRST, SECOND)
        assert time.monotonic() - began < 30
    assert undelivered(world) == 2
    world.settings = usual
    world.restart()
    with mail_server(server.port) as well:
        world.looks(45, FIRST, SECOND, THIRD)
        and_then(world)
        assert is_told_in_order([plain(well, number) for number in range(len(well.mails))])


def test_a_hook_too_slow_to_answer_gets_the_same_message_again_under_the_same_key(
    database_url: str, tmp_path: Path, hook: Endpoint
) -> None:
    world = World(database_url, tmp_path, hook.url, deadline=3.0)
    hook.may_answer.clear()
    world.looks(30, FIRST)
    hook.may_answer.set()
    world.looks(30, FIRST, SECOND)
    and_then(world)
    assert len(set(hook.keys)) == len(set(hook.taken))
    assert sum(f"\n{FIRST.summary}\n" in text for text in set(hook.taken)) == 1
    assert sum(f"\n{SECOND.summary}\n" in text for text in set(hook.taken)) == 1


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


def kill_at(number: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """From the ``number``-th step on nothing is done any more, until `revive`. Gives the steps that were begun."""
    steps: list[str] = []
    keep = Announcer._keep

    def step(name: str) -> None:
        steps.append(name)
        if len(steps) == number:
            raise Killed

    def kept(announcer: Announcer) -> None:
        if announcer.book != announcer.kept:
            step("before it is kept")
            keep(announcer)
            step("after it is kept")

    def sent(*arguments: object, **named: object) -> Sent:
        step("before it is sent")
        answer = send(*arguments, **named)  # type: ignore[arg-type]
        step("after it is sent")
        return answer

    monkeypatch.setattr(Announcer, "_keep", kept)
    monkeypatch.setattr(announcing, "send", sent)
    return steps


@pytest.mark.parametrize("number", range(1, 15))
def test_killed_at_any_step_nothing_is_lost_and_nothing_is_a_second_message(
    database_url: str, tmp_path: Path, mail: MailServer, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    world = World(database_url, tmp_path, mail.url)
    with monkeypatch.context() as patched:
        steps = kill_at(number, patched)
        was_killed = False
        try:
            world.looks(30, FIRST)
            world.looks(120)
        except Killed:
            was_killed = True
    world.restart()
    is_between = "after it is sent" in (steps[-1], *steps[-2:-1] * (steps[-1] == "before it is kept"))
    if was_killed and not is_over(world):
        world.looks(60, FIRST)
    world.at += timedelta(minutes=5)
    world.looks(150)
    ids = [each["Message-ID"] for each in mail.mails]
    subjects = {each["Message-ID"]: each["Subject"] for each in mail.mails}
    assert list(subjects.values()) == [f"qbwatch: {FIRST.summary}", f"qbwatch: recovered: {FIRST.summary}"]
    repeated = len(ids) - len(set(ids))
    # Between the service's word and ours there is a moment that nobody can close; the reader's program sees the id.
    assert repeated == (was_killed and is_between)


def is_over(world: World) -> bool:
    """Whether the trouble of the test had been told before."""
    with world.engine.begin() as connection:
        found = connection.exec_driver_sql("SELECT count(*) FROM qbwatch.incidents WHERE told_at IS NOT NULL")
        return bool(found.scalar_one())


def test_a_recovery_is_told_to_those_alone_who_were_told_of_the_trouble(
    database_url: str, tmp_path: Path, hook: Endpoint
) -> None:
    with endpoint() as other:
        world = World(database_url, tmp_path, hook.url, other.url)
        other.code = 500
        world.looks(45, FIRST)
        world.looks(120)
        other.code = 200
        and_later(world)
    assert [text.partition("\n")[0] for text in hook.taken] == [
        f"qbwatch: {FIRST.summary}",
        f"qbwatch: recovered: {FIRST.summary}",
    ]
    assert [text.partition("\n")[0] for text in other.taken] == [f"qbwatch: over by now: {FIRST.summary}"]
    assert "could not be told in time" in other.taken[0]


def and_later(world: World) -> None:
    world.at += timedelta(hours=2)
    world.looks(60)


def test_nobody_is_told_of_the_end_of_what_nobody_was_told_of(
    database_url: str, tmp_path: Path, hook: Endpoint
) -> None:
    world = World(database_url, tmp_path)
    world.looks(60, FIRST)
    world.settings = World(database_url, tmp_path, hook.url).settings
    world.restart()
    world.looks(120)
    assert hook.taken == []


def test_a_service_that_is_configured_during_the_trouble_is_told_of_it(
    database_url: str, tmp_path: Path, hook: Endpoint
) -> None:
    world = World(database_url, tmp_path)
    world.looks(60, FIRST)
    world.settings = World(database_url, tmp_path, hook.url).settings
    world.restart()
    world.looks(30, FIRST)
    assert len(hook.taken) == 1


def test_the_fallback_gets_once_what_no_other_service_takes(database_url: str, tmp_path: Path, hook: Endpoint) -> None:
    with endpoint() as spare:
        spares = World(database_url, tmp_path, spare.url).settings.services
        world = World(database_url, tmp_path, hook.url, fallback=spares)
        world.looks(45, FIRST)
        assert (len(hook.taken), len(spare.taken)) == (1, 0)
        hook.code = 404
        world.looks(90, FIRST, SECOND)
        world.restart()
        world.looks(60, FIRST, SECOND)
        subjects = [text.partition("\n")[0] for text in spare.taken]
        assert sum(SECOND.summary in subject for subject in subjects) == 1
        assert sum("broken since" in subject for subject in subjects) == 1


def test_mails_to_several_people_have_an_id_each(mail: MailServer, database_url: str, tmp_path: Path) -> None:
    world = World(database_url, tmp_path, mail.url.replace("to=o@example.org", "to=o@example.org,p@example.org"))
    world.looks(45, FIRST)
    assert sorted(each["To"] for each in mail.mails) == ["o@example.org", "p@example.org"]
    assert len({each["Message-ID"] for each in mail.mails}) == 2


def test_five_hundred_bad_files_are_one_mail(world_of_files: World, mail: MailServer) -> None:
    world_of_files.looks(45)
    world_of_files.restart()
    world_of_files.looks(45)
    (only,) = mail.mails
    assert only["Subject"].startswith("qbwatch: 500 files: Invoice_1.csv is quarantined")
    assert "… and 495 more" in plain(mail, 0)


@pytest.fixture
def world_of_files(database_url: str, tmp_path: Path, mail: MailServer) -> World:
    """500 files that wait for a person, for the same reason."""
    world = World(database_url, tmp_path, mail.url)
    with world.engine.begin() as connection:
        connection.exec_driver_sql(
            """INSERT INTO qbwatch.files (root, path, name, size_bytes, mtime_ns, inode, device, content_hash, as_of,
                   as_of_basis, is_full, first_seen_at, settled_at)
               SELECT 'input', convert_to('Invoice_' || n, 'UTF8'), 'Invoice_' || n || '.csv', 1, 1, n, 1, 'hash' || n,
                      now(), 'mtime', false, now(), now() FROM generate_series(1, 500) AS n"""
        )
        connection.exec_driver_sql(
            """INSERT INTO qbwatch.work_items (file_id, dataset, content_hash, as_of, is_full, state, failure_class,
                   failure_code, reason, hint, changed_at)
               SELECT id, 'quickbooks.invoices', content_hash, as_of, false, 'quarantined', 'data', 'truncated',
                      'the file stops in the middle of row 212', 'export it again', now() FROM qbwatch.files"""
        )
    return world


@pytest.mark.parametrize("begin", ["thread", "loop"])
def test_telling_works_from_a_thread_and_beside_an_event_loop(
    database_url: str, tmp_path: Path, hook: Endpoint, begin: str
) -> None:
    world = World(database_url, tmp_path, hook.url)
    look: Callable[[], None] = lambda: world.looks(45, FIRST)  # noqa: E731
    if begin == "thread":
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    else:
        import asyncio

        async def main() -> None:
            look()

        asyncio.run(main())
    assert len(hook.taken) == 1
