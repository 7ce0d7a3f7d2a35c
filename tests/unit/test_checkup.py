"""What doctor makes of the facts: a verdict, a line, and the command that mends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qbwatch.core.checkup import Finding, Verdict, ok, warn, worst
from qbwatch.core.checkup_database import DatabaseFacts, judge_database, judge_unreachable
from qbwatch.core.checkup_machine import (
    ClockFacts,
    DbtFacts,
    ServiceFacts,
    UnitState,
    judge_account,
    judge_alerts,
    judge_clock,
    judge_config_file,
    judge_daemon,
    judge_dbt,
    judge_unit,
)
from qbwatch.core.checkup_places import (
    FolderFacts,
    StateFacts,
    VaultFacts,
    judge_folder,
    judge_page,
    judge_state,
    judge_sync_client,
    judge_vault,
    judge_watches,
)
from qbwatch.core.model import Failure, FailureClass

POSTGRES = DatabaseFacts(
    name="dashboard",
    role="qbwatch",
    version_num=150004,
    version="15.4",
    encoding="UTF8",
    may_create=True,
    is_read_only=False,
    schemas=(),
    connections_used=5,
    connections_allowed=97,
    skew=0.01,
    revision="0008",
    wanted_revision="0008",
)
FOLDER = FolderFacts("/srv/in", "qbwatch", folders=2, files=7)
STATE = StateFacts("/data/state", "qbwatch", exists=True, is_writable=True, free=5_000, reserve=1_000)
DBT = DbtFacts("/opt/dbt", {"dbt-core": "1.11.16", "dbt-postgres": "1.9.1"}, fits=True, models=23)


def only_bad(findings: list[Finding]) -> Finding:
    """The one finding that isn't ok."""
    (found,) = [each for each in findings if each.verdict is not Verdict.OK]
    return found


def test_the_gravest_finding_decides() -> None:
    assert worst([]) is Verdict.OK
    assert worst([ok("a", ""), warn("b", "", "x")]) is Verdict.WARN
    assert worst([warn("b", "", "x"), Finding("c", Verdict.FAIL, "")]) is Verdict.FAIL


def test_where_all_is_well_nothing_is_to_be_done() -> None:
    found = [
        *judge_database(POSTGRES),
        *judge_folder("input", FOLDER),
        *judge_state(STATE, "5 kB", "1 kB"),
        *judge_watches(2, 8192, 128),
        *judge_vault(VaultFacts("/v", "qbwatch", 3)),
        *judge_page("/srv/page", "qbwatch", exists=True, is_writable=True),
        *judge_sync_client("dropbox", True, "dropbox start"),
        *judge_dbt(DBT),
        *judge_clock(ClockFacts(True, "2026-11-25 09:30", "America/New_York")),
        *judge_alerts([ServiceFacts("mailto-1", "mail.example:25")]),
        *judge_unit(UnitState(True, "/etc/systemd/system/qbwatch.service", "enabled", alert_path="/etc/a@.service")),
        *judge_daemon(None, "1", "1", "systemctl"),
        *judge_account("qbwatch", "qbwatch"),
        *judge_config_file("/etc/q.toml", 0o640, "qbwatch", has_secret=True),
    ]

    assert {each.verdict for each in found} == {Verdict.OK}
    assert not [each for each in found if each.fix]


@pytest.mark.parametrize(
    ("facts", "verdict", "says", "fix"),
    [
        (replace(POSTGRES, version_num=120000, version="12.1"), "fail", "12.1 is too old", "pg_upgradecluster"),
        (replace(POSTGRES, version_num=140000, version="14"), "warn", "tried on 15", "pg_upgradecluster"),
        (replace(POSTGRES, encoding="SQL_ASCII"), "fail", "SQL_ASCII", "createdb --encoding UTF8"),
        (replace(POSTGRES, may_create=False), "fail", "may not create schemas",
         """psql -c 'GRANT CREATE ON DATABASE "dashboard" TO "qbwatch"'"""),
        (replace(POSTGRES, schemas=("raw",)), "fail", "may not write to the schema raw",
         """psql -c 'ALTER SCHEMA "raw" OWNER TO "qbwatch"'"""),
        (replace(POSTGRES, is_read_only=True), "fail", "read-only", "primary"),
        (replace(POSTGRES, connections_used=95), "warn", "95 of 97", "max_connections = 194"),
        (replace(POSTGRES, revision="0007"), "warn", "0007", "systemctl restart qbwatch"),
        (replace(POSTGRES, revision="0999", has_newer=True), "fail", "newer qbwatch", "newer one"),
        (replace(POSTGRES, skew=-5.0), "warn", "5 s behind", "timedatectl"),
        (replace(POSTGRES, skew=3600.0), "fail", "3,600 s ahead", "timedatectl"),
    ],
)  # fmt: skip
def test_each_fault_of_postgres_is_told_with_its_cure(facts: DatabaseFacts, verdict: str, says: str, fix: str) -> None:
    found = only_bad(judge_database(facts))

    assert found.verdict == verdict
    assert says in found.summary
    assert fix in found.fix


def test_a_name_with_quotes_stays_one_name_in_the_command() -> None:
    found = only_bad(judge_database(replace(POSTGRES, may_create=False, role="a\"b'c")))

    assert found.fix == """psql -c 'GRANT CREATE ON DATABASE "dashboard" TO "a""b'"'"'c"'"""


def test_a_postgres_that_is_down_is_started_and_one_that_refuses_is_not() -> None:
    down = Failure(FailureClass.INFRASTRUCTURE, "database_down", "refused", "wait")
    refused = Failure(FailureClass.CONFIGURATION, "database_28P01", "wrong password", "correct the password")

    assert only_bad(judge_unreachable(down)).fix.startswith("systemctl start postgresql")
    assert only_bad(judge_unreachable(refused)).fix == "correct the password"


@pytest.mark.parametrize(
    ("facts", "verdict", "says", "fix"),
    [
        (FolderFacts("/srv/my in", "qb", is_missing=True), "fail", "does not exist", "mkdir -p '/srv/my in'"),
        (FolderFacts("/srv/in", "qb", trouble="/srv (owner a, mode 0700) is closed"), "fail", "mode 0700",
         "setfacl -R -m u:qb:rX /srv/in"),
        (replace(FOLDER, unreadable="/srv/in/a.csv (owner dropbox, mode 0600)", unreadable_count=3), "fail",
         "a.csv (owner dropbox, mode 0600) and 2 more", "setfacl -R -d -m u:qbwatch:rX /srv/in"),
        (replace(FOLDER, remote="nfs4"), "warn", "nfs4", 'watcher = "polling"'),
    ],
)  # fmt: skip
def test_each_fault_of_a_folder(facts: FolderFacts, verdict: str, says: str, fix: str) -> None:
    found = only_bad(judge_folder("input", facts))

    assert (found.verdict, found.check) == (verdict, "input")
    assert says in found.summary
    assert fix in found.fix


def test_the_kernels_limit_is_compared_with_the_folders() -> None:
    assert only_bad(judge_watches(5000, 8192, 128)).verdict is Verdict.WARN
    found = only_bad(judge_watches(9000, 8192, 128))
    assert found.verdict is Verdict.FAIL
    assert "fs.inotify.max_user_watches=65536" in found.fix
    assert "max_user_instances" in only_bad(judge_watches(1, 8192, 2)).fix


@pytest.mark.parametrize(
    ("facts", "verdict", "fix"),
    [
        (replace(STATE, exists=False), "fail", "install -d -o qbwatch -g qbwatch -m 0750 /data/state"),
        (replace(STATE, is_writable=False), "fail", "chown -R qbwatch: /data/state"),
        (replace(STATE, free=900), "fail", "du -xh"),
        (replace(STATE, free=1_900), "warn", "du -xh"),
    ],
)
def test_each_fault_of_the_state_folder(facts: StateFacts, verdict: str, fix: str) -> None:
    found = only_bad(judge_state(facts, "x", "y"))

    assert found.verdict == verdict
    assert fix in found.fix


def test_a_state_folder_that_the_unit_makes_need_not_be_there() -> None:
    assert worst(judge_state(replace(STATE, exists=False, made_by_unit=True), "x", "y")) is Verdict.OK


def test_a_state_folder_that_the_daemon_can_make_need_not_be_there() -> None:
    assert worst(judge_state(replace(STATE, exists=False, can_be_made=True), "x", "y")) is Verdict.OK


def test_what_else_can_be_wrong_around_it() -> None:
    unit = UnitState(True, "/etc/u", "enabled", ["User=root, not qbwatch", "x"])
    cases = [
        (judge_vault(VaultFacts("/v", "qb", 1, "a copy is gone")), "fail", "qbwatch rebuild --verify"),
        (judge_page("/a b", "qb", exists=False, is_writable=False), "fail", "install -d '/a b'"),
        (judge_page("/p", "qb", exists=True, is_writable=False), "fail", "setfacl -m u:qb:rwX /p"),
        (judge_sync_client("dropbox", False, "dropbox start"), "fail", "dropbox start"),
        (judge_dbt(replace(DBT, fits=False)), "fail", "pip install"),
        (judge_dbt(replace(DBT, models=0)), "fail", "[transform]"),
        (judge_clock(ClockFacts(False, "x", "UTC")), "warn", "timedatectl set-ntp true"),
        (judge_alerts([]), "warn", "[alerts]"),
        (judge_alerts([ServiceFacts("x-1", "h:25", "doesn't answer")]), "fail", "qbwatch alerts test"),
        (judge_alerts([ServiceFacts("x-1", is_unknown=True)]), "fail", "apprise"),
        (judge_unit(UnitState(False)), "warn", "qbwatch run"),
        (judge_unit(UnitState(True, is_user=True)), "warn", "qbwatch systemd-unit --user > ~/.config"),
        (judge_unit(UnitState(True)), "warn", "qbwatch systemd-unit > /etc/systemd/system/qbwatch.service"),
        (judge_unit(unit), "warn", "qbwatch systemd-unit"),
        (judge_unit(UnitState(True, "/etc/u", "disabled")), "warn", "systemctl enable --now qbwatch"),
        (judge_unit(UnitState(True, "/etc/u", "enabled"))[1:], "warn", "qbwatch systemd-unit --alert > /etc/systemd"),
        (
            judge_unit(UnitState(True, "/etc/u", "enabled", (), False, "/etc/a@", ["User=x, not y"]))[1:],
            "warn",
            "qbwatch systemd-unit --alert > /etc/systemd/system/qbwatch-alert@.service",
        ),
        (judge_daemon("it is down", None, "1", "systemctl"), "warn", "systemctl start qbwatch"),
        (judge_daemon(None, "1", "2", "systemctl --user"), "warn", "systemctl --user restart qbwatch"),
        (judge_account("alice", "qbwatch"), "warn", "sudo qbwatch doctor"),
        (judge_config_file("/home/q", 0o644, None, has_secret=True), "warn", "chmod 0600 /home/q"),
        (judge_config_file("/etc/q", 0o644, "qb", has_secret=True), "warn", "chgrp qb /etc/q && chmod 0640 /etc/q"),
    ]

    assert [(only_bad(found).verdict.value, fix in only_bad(found).fix) for found, _, fix in cases] == [
        (verdict, True) for _, verdict, _ in cases
    ]
