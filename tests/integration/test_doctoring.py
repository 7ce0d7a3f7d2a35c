"""Doctor's facts are true, it comes back whatever hangs, and it leaves no trace."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from other_user import another_user, answer_as

from qbwatch.config import Config, load
from qbwatch.core.checkup import Finding, Verdict, ok
from qbwatch.core.checkup_database import DatabaseFacts
from qbwatch.core.model import Failure
from qbwatch.doctoring import Doctor, _all
from qbwatch.edges.checkup_database import database_facts
from qbwatch.edges.checkup_folders import folder_facts, vault_facts
from qbwatch.edges.checkup_machine import dbt_facts
from qbwatch.edges.notify import services_of
from qbwatch.edges.notify_reach import reach
from qbwatch.edges.shipped import shipped
from qbwatch.edges.vault import Kept, Vault


def test_a_migrated_database_is_ours_and_at_the_newest_revision(database_url: str) -> None:
    facts = database_facts(database_url)

    assert isinstance(facts, DatabaseFacts)
    assert (facts.encoding, facts.may_create, facts.is_read_only, facts.schemas) == ("UTF8", True, False, [])
    assert facts.revision == facts.wanted_revision
    assert not facts.has_newer
    assert abs(facts.skew) < 1
    assert 0 < facts.connections_used < facts.connections_allowed


def test_a_role_without_rights_is_seen_as_such(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE doctor_guest")
    try:
        facts = database_facts(f"{database_url}&options=-c%20role%3Ddoctor_guest")
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("DROP ROLE doctor_guest")

    assert isinstance(facts, DatabaseFacts)
    assert not facts.may_create
    assert facts.schemas == ["qbwatch", "raw"]
    assert facts.revision is None


def test_a_revision_that_is_not_ours_is_a_newer_one(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE qbwatch.alembic_version SET version_num = '9999'")

    facts = database_facts(database_url)

    assert isinstance(facts, DatabaseFacts)
    assert facts.has_newer


def test_a_server_that_takes_the_call_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        began = time.monotonic()
        facts = database_facts(f"postgresql://x@127.0.0.1:{mute.getsockname()[1]}/x")

    assert isinstance(facts, Failure)
    assert time.monotonic() - began < 8


def test_files_of_another_user_are_named_with_owner_and_mode(state_directory: Path) -> None:
    user = another_user("nobody")
    folder = state_directory / "input"
    (folder / "sub").mkdir(parents=True)
    (folder / "open.csv").write_text("x")
    (folder / "sub" / "closed.csv").write_text("x")
    (folder / "sub" / "closed.csv").chmod(0o600)
    state_directory.chmod(0o755)

    said = answer_as(user, lambda: repr(folder_facts(folder, (), "nobody")))

    assert "files=2" in said
    assert "folders=2" in said
    assert f"unreadable='{folder}/sub/closed.csv (owner root, mode 0600)', unreadable_count=1" in said


def test_the_folder_that_bars_the_way_is_named(state_directory: Path) -> None:
    user = another_user("nobody")
    (state_directory / "closed" / "input").mkdir(parents=True)
    (state_directory / "closed").chmod(0o700)
    state_directory.chmod(0o755)

    said = answer_as(user, lambda: folder_facts(state_directory / "closed" / "input", (), "nobody").trouble or "")

    assert said == f"{state_directory}/closed (owner root, mode 0700) is closed to this user"


def test_a_damaged_copy_in_the_vault_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"some content" * 50)
    kept = Vault(tmp_path / "vault").take(os.fsencode(tmp_path / "a.csv"))
    assert isinstance(kept, Kept)
    assert vault_facts(tmp_path, "x").damaged is None
    (copy,) = (tmp_path / "vault").glob("??/??/*.zst")
    copy.write_bytes(copy.read_bytes()[:-4])

    assert "in the vault" in (vault_facts(tmp_path, "x").damaged or "")


def test_the_installed_dbt_fits_and_the_shipped_project_has_models(tmp_path: Path) -> None:
    facts = dbt_facts(shipped("dbt"))

    assert facts.fits
    assert facts.models is not None
    assert facts.models > 10
    assert "dbt_project.yml" in (dbt_facts(tmp_path).trouble or "")


def test_services_are_reached_without_sending_anything() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port, closed = server.getsockname()[1], unused.getsockname()[1]
        urls = [f"json://127.0.0.1:{port}", f"json://127.0.0.1:{closed}", "nonsense://x"]
        there, refused, unknown = reach(services_of(urls), 30)
        server.settimeout(5)
        with server.accept()[0] as caller:
            sent = caller.recv(1)

    assert sent == b""
    assert (there.place, there.trouble) == (f"127.0.0.1:{port}", None)
    assert refused.trouble == "connection refused"
    assert unknown.is_unknown


def test_what_hangs_or_breaks_is_a_finding_and_hides_no_other() -> None:
    def hang() -> list[Finding]:
        time.sleep(3)
        return []

    def burst() -> list[Finding]:
        raise ValueError("no")

    began = time.monotonic()
    found = _all({"slow": hang, "broken": burst, "good": lambda: [ok("good", "fine")]}, 0.3)

    assert time.monotonic() - began < 2
    assert [(each.check, each.verdict) for each in found] == [
        ("slow", Verdict.FAIL), ("broken", Verdict.FAIL), ("good", Verdict.OK),
    ]  # fmt: skip


@pytest.fixture
def config(state_directory: Path, database_url: str) -> Callable[[str], Config]:
    """A configuration over real folders."""

    def make(extra: str) -> Config:
        for name in ("input", "state"):
            (state_directory / name).mkdir(exist_ok=True)
        file = state_directory / "qbwatch.toml"
        file.write_text(
            f'[input]\ndirectory = "{state_directory}/input"\n[state]\ndirectory = "{state_directory}/state"\n'
            f'[database]\nurl = "{database_url}"\n[control]\nsocket = "{state_directory}/c.sock"\n{extra}'
        )
        return load(file, {})

    return make


def test_the_whole_doctor_finds_a_good_house_good_and_writes_nothing(
    config: Callable[[str], Config], state_directory: Path
) -> None:
    made = config("")
    before = sorted(state_directory.rglob("*"))

    found = Doctor(made, "root", None).findings(is_quick=False)

    assert [each for each in found if each.verdict is Verdict.FAIL] == []
    names = {each.check for each in found}
    assert {"input", "inotify", "state", "disk of the state", "database", "database rights", "migrations", "dbt",
            "vault", "sync client", "clock", "time zone", "alerts", "unit", "daemon"} <= names  # fmt: skip
    assert sorted(state_directory.rglob("*")) == before


def test_a_secret_that_comes_from_elsewhere_is_not_held_against_the_file(
    config: Callable[[str], Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QBWATCH_ALERTS__URLS", "json://127.0.0.1:1")
    made = load(config("").file, os.environ)
    assert made.secrets()
    assert made.file is not None
    made.file.chmod(0o644)
    [ours] = [each for each in Doctor(made, "root", None).findings(is_quick=True) if each.check == "configuration"]
    assert ours.verdict is Verdict.OK


def test_the_quick_form_asks_no_service_and_no_daemon(config: Callable[[str], Config]) -> None:
    found = Doctor(config('[alerts]\nurls = ["nonsense://x"]\n'), "root", None).findings(is_quick=True)

    assert not {"alerts", "daemon", "unit", "clock"} & {each.check for each in found}
