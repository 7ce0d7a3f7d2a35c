"""What each command says, as text and as JSON, is what was approved: `tests/approved` holds it, one file per command.

A change that is meant is approved by running this with QBWATCH_APPROVE=1 and reading the difference.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from guarding import temporary_folder
from installation import Installation

from qbwatch.demo.drop import drop
from qbwatch.demo.exports import ExportFile
from qbwatch.demo.story import story
from qbwatch.edges.embedded import DATABASE, EmbeddedPostgres

APPROVED = Path(__file__).resolve().parents[1] / "approved"
DAMAGED = "Sales_Receipt_04_17_2025_3_00_02.csv"
NIGHT = date(2025, 4, 18)
SETTINGS = '\n[freshness]\ndefault = "off"\n[expect]\n'

# In this order: first without a daemon, then with one. A name stands for its file; what a command leaves is the next
# one's start.
BY_ITSELF = {
    "once": ["once"],
    "status": ["status", "status --check"],
    "files": ["files", "files --state quarantined", "files --state ignored"],
    "why": [f"why {DAMAGED}", "why {invoices}", "why no_such_file"],
    "check": ["check {input}/{invoices}", f"check {{input}}/{DAMAGED}"],
    "plan": ["plan"],
    "runs": ["runs", "runs 1", "runs 99"],
    "alerts": ["alerts", "alerts test", "alerts ack 99"],
    "test": ["test --select fct_customers", "test --select no_such_model"],
    "transform": ["transform --select stg_quickbooks__customers", "transform --select no_such_model"],
    "rebuild": ["rebuild --verify", "rebuild --dataset customers"],
    "revert": ["revert --dry-run {invoices}"],
    "retry": [f"retry {DAMAGED}", "retry --all"],
    "accept": ["accept {invoices}"],
    "skip": [f"skip {DAMAGED}"],
    "pause": ["pause"],
    "mistakes": ["statsu", "once --dataset nonsense", "once --nonsense"],
}
BESIDE_AN_OLD_PIPELINE = {
    "adopt": ["adopt --from-json {root}/processed_files.json --dry-run", "adopt"],
    "compare": ["compare old_mart", "compare analytics_mart --table fct_customers", "compare no_such_schema"],
    "doctor": ["doctor --roles"],
    "init": ["init --input {input} --untested"],
    "systemd-unit": ["systemd-unit --user"],
}
WITH_DAEMON = {
    "daemon-status": ["status", "status --check"],
    "daemon-once": ["once"],
    "daemon-pause": ["pause", "status", "resume"],
    "daemon-reload": ["reload"],
    "daemon-stop-run": ["stop-run"],
}
EVERYTHING = [*BY_ITSELF, *BESIDE_AN_OLD_PIPELINE, *WITH_DAEMON]
NO_JSON = ("mistakes", "init", "systemd-unit")


@pytest.fixture(scope="module")
def transcript(postgres_server: EmbeddedPostgres) -> Iterator[dict[str, str]]:
    """Everything that was said, by the name of its file."""
    url = postgres_server.url_if_running()
    assert url is not None
    with psycopg.connect(url.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE transcript")
    with temporary_folder("qbwatch-acceptance-") as root:
        made = Installation(root, url.replace(f"/{DATABASE}?", "/transcript?"), extra=SETTINGS)
        night = story(NIGHT).waves[0].files[:4]
        drop(night, made.input.parent)
        (made.input / DAMAGED).write_bytes(b'"Sales Receipt No\r\n')
        (made.input / "notes.docx").write_bytes(b"x")
        said = {name: _said(made, lines, night, name) for name, lines in BY_ITSELF.items()}
        _leave_an_old_pipeline(made, night)
        said |= {name: _said(made, lines, night, name) for name, lines in BESIDE_AN_OLD_PIPELINE.items()}
        try:
            made.start()
            made.wait_settled(len(night) + 1)
            said |= {name: _said(made, lines, night, name) for name, lines in WITH_DAEMON.items()}
        finally:
            made.close()
        yield said
    with psycopg.connect(url.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as connection:
        connection.execute("DROP DATABASE transcript WITH (FORCE)")


def _leave_an_old_pipeline(made: Installation, night: list[ExportFile]) -> None:
    """The list of what it loaded, and one of its marts, in which one customer is missing and another differs."""
    (made.root / "processed_files.json").write_text(json.dumps([file.name for file in night]))
    with psycopg.connect(made.url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA old_mart")
        connection.execute("CREATE TABLE old_mart.fct_customers AS TABLE analytics_mart.fct_customers")
        connection.execute("""
            DELETE FROM old_mart.fct_customers
            WHERE customer_name = (SELECT min(customer_name) FROM old_mart.fct_customers)""")
        connection.execute("""
            UPDATE old_mart.fct_customers SET main_email = 'other@example.com'
            WHERE customer_name = (SELECT min(customer_name) FROM old_mart.fct_customers)""")


def _said(made: Installation, lines: list[str], night: list[ExportFile], name: str) -> str:
    invoices = next(file.name for file in night if file.name.startswith("Invoice"))
    told = []
    for line in lines:
        words = line.format(invoices=invoices, input=made.input, root=made.root).split()
        for more in ([], ["--json"]) if name not in NO_JSON else ([],):
            done = made.run(*words, *more)
            out = (_sorted_nodes if done.stdout.startswith("{") else _sorted_node_lines)(done.stdout)
            told.append(_masked(f"$ qbwatch {' '.join([*words, *more])}\n{out}{done.stderr}", made))
            told.append(f"exit {done.returncode}\n\n")
    return "".join(told)


def _sorted_nodes(text: str) -> str:
    """dbt builds several models at a time, so that their order is chance."""
    answer: Any = json.loads(text)
    for nodes in (answer.get("run") or {}).get("nodes", []), answer.get("tests", []):
        nodes.sort(key=lambda node: node["name"])
    return json.dumps(answer, indent=2) + "\n"


def _sorted_node_lines(text: str) -> str:
    head, mark, rest = text.partition("  node\n")
    return head + mark + "".join(sorted(rest.splitlines(keepends=True), key=lambda line: line.split()[-1:]))


MASKS = [
    (r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)", "MOMENT"),
    (r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+[+-]\d\d)?( [A-Z]{3})?", "MOMENT"),
    (r"^[0-9a-f]{8}  ", "INCIDENT  "),
    (r'"(id|incident_id)": "[0-9a-f]{8,}"', r'"\1": "INCIDENT"'),
    (r"\b\d+ s ago", "N s ago"),
    (r"\b\d+ min ago", "N s ago"),
    (r'"(seconds|pid|age_business_days)": [\d.]+', r'"\1": N'),
    (r"\(\d+\.?\d* s\)", "(N s)"),
    (r", \d[\d,]*\.\d s\b", ", N s"),
    (r" +\d[\d,]*\.\d\n", " N\n"),
    (r"^(    (?:success|pass|warn|fail|error|skipped) +)\d+\.\d\d +", r"\1N "),
    (r"\b[\w-]+ \(uid \d+\)", "USER (uid N)"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
    (r"\bprocess \d+", "process N"),
    (r"(?<=-\d\d  )\d+ +(?=fresh)", "N  "),
]


def _masked(text: str, made: Installation) -> str:
    """Without what differs from one time to the next; moments that the files speak for stay."""
    text = text.replace(str(made.root), "ROOT").replace(sys.prefix, "VENV")
    for pattern, mask in MASKS:
        text = re.sub(
            pattern,
            lambda found, mask=mask: found[0] if found[0].startswith("2025-") else found.expand(mask),
            text,
            flags=re.MULTILINE,
        )
    return text


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", EVERYTHING)
def test_what_is_said_is_what_was_approved(transcript: dict[str, str], name: str) -> None:
    approved = APPROVED / f"{name}.txt"
    if os.environ.get("QBWATCH_APPROVE"):
        APPROVED.mkdir(exist_ok=True)
        approved.write_text(transcript[name], "utf-8")

    assert transcript[name].splitlines() == approved.read_text("utf-8").splitlines()


def test_no_file_is_approved_that_nothing_says() -> None:
    assert {path.stem for path in APPROVED.iterdir()} == set(EVERYTHING)
