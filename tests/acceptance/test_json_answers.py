"""Every `--json` answer is as its JSON Schema says, which the package carries; and no key in it goes undescribed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
import psycopg
import pytest
from guarding import temporary_folder
from installation import Installation
from jsonschema import Draft202012Validator, FormatChecker
from waiting import wait_until

import qbwatch
from qbwatch.cli.group import cli
from qbwatch.demo.drop import drop
from qbwatch.demo.story import story
from qbwatch.edges.embedded import DATABASE, EmbeddedPostgres

FOLDER = Path(qbwatch.__file__).parent / "schemas"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
DAMAGED = "Sales_Receipt_04_17_2025_3_00_02.csv"


def schema(name: str, *, is_closed: bool = False) -> dict[str, Any]:
    """A schema; closed, it allows no key that it doesn't describe."""
    read: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return closed(read) if is_closed else read


def closed(node: Any) -> Any:
    """The same schema without room for undescribed keys."""
    if isinstance(node, list):
        return [closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {key: closed(value) for key, value in node.items()}
    return {**made, "additionalProperties": False} if "properties" in made else made


def check(name: str, answer: Any) -> None:
    """Fails with every fault and its place."""
    validator = Draft202012Validator(schema(name, is_closed=True), format_checker=FormatChecker())
    faults = [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in validator.iter_errors(answer)]
    assert not faults, "\n".join(faults)


@pytest.fixture(scope="module")
def site(postgres_server: EmbeddedPostgres) -> Iterator[Installation]:
    """A daemon that loaded some files and set one aside, with an alert service that takes nothing."""
    url = postgres_server.url_if_running()
    assert url is not None
    with psycopg.connect(url.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE answers")
    with temporary_folder("qbwatch-acceptance-") as root:
        extra = '\n[alerts]\nurls = ["json://127.0.0.1:9/x"]\n'
        made = Installation(root, url.replace(f"/{DATABASE}?", "/answers?"), extra=extra)
        drop(story(date(2025, 4, 18)).waves[0].files[:3], made.input.parent)
        (made.input / DAMAGED).write_bytes(b'"Sales Receipt No\r\n')
        (made.input / "notes.docx").write_bytes(b"x")
        made.start()
        try:
            made.wait_settled(4)
            yield made
        finally:
            made.close()
    with psycopg.connect(url.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as connection:
        connection.execute("DROP DATABASE answers WITH (FORCE)")


@pytest.mark.parametrize("name", NAMES)
def test_each_schema_is_one_and_names_its_command(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["title"].startswith(f"qbwatch {name.replace('alerts-', 'alerts ')} ")


def test_each_command_with_json_has_a_schema() -> None:
    context = click.Context(cli)
    with_json = set()
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        if any("--json" in each.opts for each in command.params):
            with_json.add(name)

    assert with_json == {name for name in NAMES if not name.startswith("alerts-")}


ASKED = [
    ("status", "status"),
    ("files", "files"),
    ("files", "files --state ignored"),
    ("why", f"why {DAMAGED}"),
    ("plan", "plan"),
    ("once", "once"),
    ("transform", "transform --select stg_quickbooks__customers"),
    ("rebuild", "rebuild --verify --dataset customers"),
    ("rebuild", "rebuild --dataset customers"),
    ("doctor", "doctor"),
    ("doctor", "doctor --quick"),
    ("runs", "runs"),
    ("runs", "runs 1"),
    ("test", "test --select fct_customers"),
    ("test", "test --select no_such_model"),
    ("alerts", "alerts"),
    ("alerts-test", "alerts test"),
    ("retry", "retry --all"),
    ("pause", "pause"),
    ("resume", "resume"),
    ("reload", "reload"),
]


@pytest.mark.parametrize(("name", "words"), ASKED, ids=[words for _, words in ASKED])
def test_the_answers_of_a_running_daemon(site: Installation, name: str, words: str) -> None:
    check(name, site.json(*words.split()))


def test_the_answers_about_one_file(site: Installation) -> None:
    loaded = next(name for name, state in site.outcomes().items() if state == "loaded")

    check("check", site.json("check", str(site.input / loaded)))
    check("check", site.json("check", str(site.input / DAMAGED)))
    check("why", site.json("why", loaded))
    check("revert", site.json("revert", "--dry-run", loaded))
    check("once", site.json("once", str(site.input / loaded)))
    check("skip", site.json("skip", DAMAGED))


def test_an_incident_is_acknowledged(site: Installation) -> None:
    found = wait_until(lambda: site.json("alerts")["incidents"], 90, "the incident of the damaged file")

    check("alerts", site.json("alerts", "list"))
    check("alerts-ack", site.json("alerts", "ack", found[0]["id"]))


def test_the_answers_without_a_daemon(site: Installation) -> None:
    site.stop()

    check("status", site.json("status"))
    check("plan", site.json("plan"))
