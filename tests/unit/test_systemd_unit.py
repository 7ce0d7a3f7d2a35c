"""The unit for one configuration: the shipped one, with what differs filled in and its reasons kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from qbwatch.core.unit import UnitFacts, alert_unit_for, differences, settings_of, unit_for

SHIPPED = Path(__file__).resolve().parents[2] / "systemd"
TEMPLATE = (SHIPPED / "qbwatch.service").read_text("utf-8")
ALERT_TEMPLATE = (SHIPPED / "qbwatch-alert@.service").read_text("utf-8")
USUAL = UnitFacts(
    program=["/opt/qbwatch/bin/qbwatch"],
    account="qbwatch",
    state=PurePosixPath("/var/lib/qbwatch"),
    socket=PurePosixPath("/run/qbwatch/control.sock"),
    read=[],
    runs=[PurePosixPath("/opt/qbwatch/bin/qbwatch")],
)


def service(facts: UnitFacts, key: str) -> tuple[str, ...]:
    """The values of a setting of ``[Service]``."""
    return settings_of(unit_for(TEMPLATE, facts)).get(("Service", key), ())


def test_for_the_usual_folders_it_is_the_shipped_unit() -> None:
    assert differences(unit_for(TEMPLATE, USUAL), TEMPLATE) == []


def test_each_line_keeps_the_reason_above_it() -> None:
    printed = unit_for(TEMPLATE, USUAL).splitlines()

    lines = [line for line in TEMPLATE.partition("[Unit]")[2].splitlines() if line.startswith("# ")]
    assert [line for line in printed if line.startswith("# ")][5:] == lines


def test_of_the_shipped_units_every_setting_is_explained() -> None:
    for template in (TEMPLATE, ALERT_TEMPLATE):
        blocks = template.partition("[Unit]\n")[2].split("\n\n")
        bare = [block for block in blocks if "=" in block and "# " not in block]
        assert bare in ([], ["[Install]\nWantedBy=multi-user.target\n"])


def test_command_and_account_are_filled_in() -> None:
    facts = replace(USUAL, program=["/opt/my qb/qbwatch"], config=PurePosixPath("/etc/50%/$x.toml"), account="books")

    assert service(facts, "ExecStart") == ('"/opt/my qb/qbwatch" run --config /etc/50%%/$$x.toml',)
    assert service(facts, "ExecStartPre") == ('-"/opt/my qb/qbwatch" doctor --quick --config /etc/50%%/$$x.toml',)
    assert (service(facts, "User"), service(facts, "Group")) == (("books",), ("books",))


def test_folders_in_systemds_places_become_its_own_and_others_are_opened() -> None:
    facts = replace(
        USUAL,
        state=PurePosixPath("/data/the state"),
        socket=PurePosixPath("/run/books/control.sock"),
        status_page=PurePosixPath("/srv/drop"),
    )

    assert service(facts, "StateDirectory") == service(facts, "StateDirectoryMode") == ()
    assert service(facts, "RuntimeDirectory") == ("books",)
    assert service(facts, "ReadWritePaths") == ('"/data/the state" -/srv/drop',)


def test_a_page_and_a_socket_inside_the_state_folder_need_no_more_than_it() -> None:
    inside = PurePosixPath("/data/state")
    facts = replace(USUAL, state=inside, socket=inside / "control.sock", status_page=inside / "page")

    assert service(facts, "ReadWritePaths") == ("/data/state",)
    assert service(facts, "RuntimeDirectory") == ()


@pytest.mark.parametrize(
    ("path", "home", "temporary"),
    [
        ("/home/alice/Dropbox", "tmpfs", "yes"),
        ("/root/drop", "tmpfs", "yes"),
        ("/home", "read-only", "yes"),
        ("/srv/drop", "yes", "yes"),
        ("/homes/drop", "yes", "yes"),
        ("/tmp/drop", "yes", "no"),
        ("/var/tmp/drop", "yes", "no"),
    ],
)
def test_what_must_be_read_is_not_hidden_and_the_rest_is(path: str, home: str, temporary: str) -> None:
    facts = replace(USUAL, read=[PurePosixPath(path)])

    assert (service(facts, "ProtectHome"), service(facts, "PrivateTmp")) == ((home,), (temporary,))


def test_of_homes_only_those_that_hold_something_are_seen() -> None:
    facts = replace(
        USUAL, read=[PurePosixPath("/home/al ice/Dropbox/qb/input"), PurePosixPath("/home/al ice/Dropbox/qb/seed")]
    )

    assert service(facts, "BindReadOnlyPaths") == ('"/home/al ice"',)
    assert service(USUAL, "BindReadOnlyPaths") == ()


def test_disks_of_the_input_are_waited_for_and_not_required() -> None:
    facts = replace(USUAL, read=[PurePosixPath("/srv/quickbooks-csv/in put")])

    unit = settings_of(unit_for(TEMPLATE, facts))

    mounts = "srv.mount srv-quickbooks\\x2dcsv.mount srv-quickbooks\\x2dcsv-in\\x20put.mount"
    assert unit["Unit", "Wants"] == ("network-online.target", mounts)
    assert unit["Unit", "After"][-1] == mounts
    assert not {"Requires", "RequiresMountsFor", "BindsTo"} & {key for _, key in unit}


def test_the_alert_unit_runs_as_the_daemon_does_and_sees_less() -> None:
    secret = PurePosixPath("/etc/qbwatch/credentials/alert_urls")
    facts = replace(USUAL, read=[PurePosixPath("/home/alice/in")], account="books", credentials={"alert_urls": secret},
                    config=PurePosixPath("/etc/other.toml"))  # fmt: skip

    unit = settings_of(alert_unit_for(ALERT_TEMPLATE, facts))

    assert unit["Service", "ExecStart"] == ("/opt/qbwatch/bin/qbwatch alerts crashed --config /etc/other.toml",)
    assert (unit["Service", "User"], unit["Service", "LoadCredential"]) == (("books",), (f"alert_urls:{secret}",))
    assert unit["Service", "ProtectHome"] == ("yes",)
    assert settings_of(TEMPLATE)["Unit", "OnFailure"] == ("qbwatch-alert@%N.service",)


def test_for_the_usual_folders_the_alert_unit_is_the_shipped_one() -> None:
    assert differences(alert_unit_for(ALERT_TEMPLATE, USUAL), ALERT_TEMPLATE) == []


def test_credentials_that_lie_there_are_loaded() -> None:
    file = PurePosixPath("/etc/qbwatch/credentials/alert_urls")

    assert service(USUAL, "LoadCredential") == ()
    assert service(replace(USUAL, credentials={"alert_urls": file}), "LoadCredential") == (f"alert_urls:{file}",)


def test_a_users_own_unit_has_nothing_that_needs_root() -> None:
    unit = settings_of(unit_for(TEMPLATE, replace(USUAL, is_user=True)))

    assert unit["Install", "WantedBy"] == ("default.target",)
    assert unit["Service", "Type"] == ("notify",)
    assert unit["Service", "NoNewPrivileges"] == ("yes",)
    forbidden = {"User", "Group", "StateDirectory", "ProtectSystem", "AmbientCapabilities", "PrivateDevices", "After"}
    assert not forbidden & {key for _, key in unit}
    assert not forbidden & {key for _, key in settings_of(alert_unit_for(ALERT_TEMPLATE, replace(USUAL, is_user=True)))}


def test_differences_name_both_sides() -> None:
    wanted = unit_for(TEMPLATE, replace(USUAL, account="books"))

    assert differences(wanted, TEMPLATE) == ["User=qbwatch, not books", "Group=qbwatch, not books"]
    assert differences(TEMPLATE, TEMPLATE.replace("WatchdogSec=60\n", "")) == ["WatchdogSec=(none), not 60"]


def test_lines_that_go_on_and_resets_are_read_as_systemd_does() -> None:
    text = "[Service]\nExecStart=\nExecStart=/bin/a \\\n  b\n; a comment\n"

    assert settings_of(text) == {("Service", "ExecStart"): ("/bin/a    b",)}
