"""The daemon tells people, and the command shows and proves it; no secret is seen anywhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from alert_services import Endpoint, endpoint, mute_server
from installation import Installation
from waiting import wait_until


@pytest.fixture
def hook() -> Iterator[Endpoint]:
    with endpoint() as found:
        yield found


def _arguments_of_all() -> str:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found.append((process / "cmdline").read_text("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(found)


def _alerts(urls: list[str]) -> str:
    return f"\n[alerts]\nurls = {json.dumps(urls)}\n"


def test_a_bad_file_is_told_once_over_a_kill_and_no_secret_is_seen(
    install: Callable[..., Installation], hook: Endpoint
) -> None:
    installation = install(extra=_alerts([hook.url]))
    (installation.input / "notes.csv").write_bytes(b"a,b\r\n1,2\r\n")
    hook.code = 500
    installation.start()
    wait_until(lambda: hook.asked, 90, "an attempt to tell")
    seen = _arguments_of_all()
    status = installation.run("status", "--json").stdout
    assert json.loads(status)["alerts"]["open_incidents"] >= 1
    installation.kill()
    hook.code = 200
    with psycopg.connect(installation.url) as connection:
        connection.execute("UPDATE qbwatch.deliveries SET next_attempt_at = now()")
    installation.start()
    wait_until(lambda: hook.taken, 60, "the alert")
    seen += _arguments_of_all()
    assert installation.stop() == 0
    assert sum("notes.csv is quarantined" in text for text in hook.taken) == 1
    listed = installation.run("alerts", "list")
    assert "notes.csv is quarantined" in listed.stdout, listed.stderr
    answer = installation.run("alerts", "list", "--json").stdout
    found = next(each for each in json.loads(answer)["incidents"] if each["class"] == "data")
    assert installation.run("alerts", "ack", found["id"]).returncode == 0
    assert "MARKER" not in "".join([seen, status, answer, listed.stdout, installation.log, *hook.taken])


def test_each_service_is_proven(install: Callable[..., Installation], hook: Endpoint) -> None:
    installation = install(extra=_alerts([hook.url, "json://127.0.0.1:1/MARKER-b"]))
    tried = installation.run("alerts", "test")
    assert tried.returncode == 1
    lines = tried.stdout.splitlines()
    assert [line.partition(": ")[2].startswith("delivered") for line in lines] == [True, False]
    assert "MARKER" not in tried.stdout + tried.stderr
    assert hook.taken


def test_an_address_no_service_understands_stops_the_start(install: Callable[..., Installation]) -> None:
    installation = install(extra=_alerts(["slak://MARKER-a/b"]))
    tried = installation.run("run")
    assert tried.returncode == 2
    assert "entry 1 (slak://***)" in tried.stderr
    assert "MARKER" not in tried.stderr


def test_an_unknown_incident_can_not_be_acknowledged(install: Callable[..., Installation]) -> None:
    installation = install()
    installation.run("once")
    tried = installation.run("alerts", "ack", "nothing")
    assert tried.returncode == 1
    assert "no open incident 'nothing'" in tried.stderr


def test_a_mute_mail_server_delays_neither_status_nor_the_stop(install: Callable[..., Installation]) -> None:
    with mute_server() as port:
        url = f"mailto://127.0.0.1:{port}?from=q@example.org&to=o@example.org&mode=insecure"
        installation = install(extra=_alerts([url]))
        (installation.input / "notes.csv").write_bytes(b"a,b\r\n1,2\r\n")
        installation.start()
        wait_until(lambda: "qbwatch.edges.notify_child" in _arguments_of_all(), 90, "an attempt to tell")
        began = time.monotonic()
        installation.run("status")
        assert time.monotonic() - began < 5
        assert installation.stop(within=15) == 0


def test_a_run_without_a_daemon_tells_people_too(install: Callable[..., Installation], hook: Endpoint) -> None:
    heartbeat = f'heartbeat = "http://127.0.0.1:{hook.port}/beat"\n'
    installation = install(extra=_alerts([hook.url]) + heartbeat)
    (installation.input / "notes.csv").write_bytes(b"a,b\r\n1,2\r\n")
    for _ in range(2):
        installation.run("once")
    assert [text.partition("\n")[0] for text in hook.taken] == [
        "qbwatch: notes.csv is quarantined: its columns fit no dataset that qbwatch knows"
    ]
    assert hook.paths.count("/beat/start") == hook.paths.count("/beat/fail") == 2
    installation.run("skip", "notes.csv")
    installation.run("once")
    assert "qbwatch: recovered: notes.csv is quarantined" in hook.taken[-1]
    assert len(hook.taken) == 2
    assert hook.paths.count("/beat") == 1


def test_a_run_that_can_not_reach_postgres_tells_that_once(
    install: Callable[..., Installation], hook: Endpoint
) -> None:
    installation = install(extra=_alerts([hook.url]))
    text = installation.config.read_text()
    installation.config.write_text(text.replace(installation.url, "postgresql://q:MARKER-db@127.0.0.1:1/none"))
    tried = [installation.run("once") for _ in range(2)]
    assert [each.returncode for each in tried] == [1, 1]
    assert len(hook.taken) == 1
    assert "Postgres can't be asked" in hook.taken[0]
    installation.config.write_text(text)
    installation.run("once")
    assert "qbwatch: recovered: Postgres can't be asked" in hook.taken[1]
    assert "MARKER" not in "".join([*hook.taken, *(each.stdout + each.stderr for each in tried)])


def test_no_secret_is_seen_anywhere(install: Callable[..., Installation], hook: Endpoint) -> None:
    extra = _alerts([hook.url, "json://127.0.0.1:1/MARKER-path"])
    extra += 'fallback = ["json://x:MARKER-fallback@127.0.0.1:1/"]\n'
    extra += f'heartbeat = "http://127.0.0.1:{hook.port}/MARKER-beat"\n'
    installation = install(extra=extra + 'heartbeat_every = "1s"\n')
    page = installation.root / "drop" / "status.html"
    with installation.config.open("a", encoding="utf-8") as config:
        config.write(f'[page]\nfile = "{page}"\nreceipts = true\n')
    text = installation.config.read_text()
    installation.config.write_text(text.replace("://qbwatch@", "://qbwatch:MARKER-database@"))
    (installation.input / "notes.csv").write_bytes(b"a,b\r\n1,2\r\n")
    installation.start()
    wait_until(lambda: hook.taken and "/MARKER-beat/fail" in hook.paths, 120, "an alert and a heartbeat")
    wait_until(lambda: page.is_file() and "notes.csv" in page.read_text("utf-8"), 120, "the page")
    seen = [_arguments_of_all(), installation.log, *(each.read_text("utf-8") for each in page.parent.glob("*.*"))]
    for command in ("status", "status --json", "status --check", "alerts", "alerts --json", "files", "once --verbose"):
        done = installation.run(*command.split())
        seen += [done.stdout, done.stderr]
    installation.kill()
    with psycopg.connect(installation.url) as connection:
        for table in ("incidents", "deliveries", "runs", "work_items"):
            seen += map(str, connection.execute(f"SELECT t::text FROM qbwatch.{table} AS t").fetchall())  # type: ignore[arg-type]
    installation.config.write_text(text.replace(installation.url, "postgresql://q:MARKER-db@127.0.0.1:1/none"))
    installation.launch()
    wait_until(lambda: "waiting for the database" in installation.log, 60, "the daemon to find no database")
    wait_until(lambda: (installation.root / "state" / "alerts.json").is_file(), 60, "the spool")
    seen += [_arguments_of_all(), installation.run("--debug", "status").stdout, installation.log]
    seen += [file.read_text("utf-8", "replace") for file in (installation.root / "state").glob("*.json")]
    assert installation.stop() == 0
    assert len("".join(seen)) > 2000
    assert "MARKER" not in "".join([*seen, *hook.taken, *hook.bodies])
