"""The unit for one configuration: the shipped one, with what differs filled in and its reasons kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from qbwatch.core.unit import UnitFacts, differences, settings_of, unit_for

TEMPLATE = (Path(__file__).resolve().parents[2] / "systemd/qbwatch.service").read_text("utf-8")
USUAL = UnitFacts(
    program=["/opt/qbwatch/bin/qbwatch"],
    account="qbwatch",
    state=PurePosixPath("/var/lib/qbwatch"),
    socket=PurePosixPath("/run/qbwatch/control.sock"),
    read=[PurePosixPath("/home/alice/Dropbox/input"), PurePosixPath("/opt/qbwatch/bin/qbwatch")],
)


def service(facts: UnitFacts, key: str) -> tuple[str, ...]:
    """The values of a setting of ``[Service]``."""
    return settings_of(unit_for(TEMPLATE, facts)).get(("Service", key), ())


def test_for_the_usual_folders_it_is_the_shipped_unit() -> None:
    assert differences(unit_for(TEMPLATE, USUAL), TEMPLATE) == []


def test_each_line_keeps_the_reason_above_it() -> None:
    printed = unit_for(TEMPLATE, USUAL).splitlines()

    lines = [line for line in TEMPLATE.partition("[Unit]")[2].splitlines() if line.startswith("# ")]
    assert [line for line in printed if line.startswith("# ")][4:] == lines


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
    assert service(facts, "ReadWritePaths") == ('"/data/the state" /srv/drop',)


def test_a_page_and_a_socket_inside_the_state_folder_need_no_more_than_it() -> None:
    inside = PurePosixPath("/data/state")
    facts = replace(USUAL, state=inside, socket=inside / "control.sock", status_page=inside / "page")

    assert service(facts, "ReadWritePaths") == ("/data/state",)
    assert service(facts, "RuntimeDirectory") == ()


@pytest.mark.parametrize(
    ("path", "home", "temporary"),
    [
        ("/home/alice/Dropbox", "read-only", "yes"),
        ("/root/drop", "read-only", "yes"),
        ("/srv/drop", "yes", "yes"),
        ("/homes/drop", "yes", "yes"),
        ("/tmp/drop", "yes", "no"),
        ("/var/tmp/drop", "yes", "no"),
    ],
)
def test_what_must_be_read_is_not_hidden_and_the_rest_is(path: str, home: str, temporary: str) -> None:
    facts = replace(USUAL, read=[PurePosixPath(path)])

    assert (service(facts, "ProtectHome"), service(facts, "PrivateTmp")) == ((home,), (temporary,))


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


def test_differences_name_both_sides() -> None:
    wanted = unit_for(TEMPLATE, replace(USUAL, account="books"))

    assert differences(wanted, TEMPLATE) == ["User=qbwatch, not books", "Group=qbwatch, not books"]
    assert differences(TEMPLATE, TEMPLATE.replace("WatchdogSec=60\n", "")) == ["WatchdogSec=(none), not 60"]


def test_lines_that_go_on_and_resets_are_read_as_systemd_does() -> None:
    text = "[Service]\nExecStart=\nExecStart=/bin/a \\\n  b\n; a comment\n"

    assert settings_of(text) == {("Service", "ExecStart"): ("/bin/a    b",)}
