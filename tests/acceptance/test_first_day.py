"""The first day on a server, without documentation: what each command prints is what is typed next.

A machine of its own on which qbwatch is installed and nothing else is prepared. The lines that `qbwatch init` prints as
next steps are run as they stand, and so are the commands with which `qbwatch doctor` says that its findings are mended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date

import pytest
from service_lab import listening
from systemd_lab import Lab, new_lab
from waiting import wait_until

from qbwatch.demo.drop import drop
from qbwatch.demo.story import story

INPUT = "/srv/quickbooks-csv/input"


@pytest.fixture(scope="module")
def heard() -> Iterator[tuple[str, list[str]]]:
    """An alert service: its address, and what it was told."""
    with listening() as service:
        yield service


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A machine with the program alone: no configuration, no unit."""
    with new_lab(tmp_path_factory.mktemp("wheel"), "first") as machine:
        machine.say("rm", "-r", "/etc/qbwatch", "/etc/systemd/system/qbwatch.service")
        machine.say("systemctl", "daemon-reload")
        machine.say("userdel", "qbwatch")
        yield machine


def typed(lab: Lab, line: str) -> tuple[int, str]:
    """What a line comes to in root's shell: exit code, and all that is printed."""
    done = lab.run("/bin/sh", "-c", line, timeout=120)
    print(f"# {line}\n{done.stdout}{done.stderr}", flush=True)  # noqa: T201 (the transcript, for whoever looks)
    return done.returncode, done.stdout + done.stderr


def test_from_an_empty_machine_to_a_loaded_and_alerting_service(lab: Lab, heard: tuple[str, list[str]]) -> None:
    address, told = heard

    code, said = typed(lab, "qbwatch")
    assert (code, "`qbwatch init`" in said) == (2, True)

    code, said = typed(lab, f"qbwatch init --input {INPUT} --database embedded --alert '{address}'")
    assert code == 0
    steps = [line.strip() for line in said.partition("Next:\n")[2].splitlines()]
    assert len(steps) == 6
    for step in steps:
        code, said = typed(lab, step)
        assert code == 0, said

    wait_until(lambda: lab.status()["daemon"]["state"] == "idle", 60, "the daemon to be idle")
    files = [file for wave in story(date(2026, 11, 25)).waves for file in wave.files]
    drop([next(file for file in files if file.name.startswith("Customer"))], lab.root / "srv/quickbooks-csv")
    wait_until(lambda: lab.status()["last_run"], 120, lab.journal())
    wait_until(lambda: not lab.status()["current_run"] and not lab.status()["transform"]["debt"], 120, lab.journal())
    assert lab.status()["last_run"]["status"] == "success"

    (lab.root / INPUT.lstrip("/") / "Invoice_11_25_2026_2_00_03.csv").write_bytes(b"Invoice No\r\n")
    wait_until(lambda: "Invoice_11_25_2026_2_00_03.csv" in json.dumps(told), 180, "the alert about the damaged file")
    assert "Next: qbwatch why 'Invoice_11_25_2026_2_00_03.csv'" in typed(lab, "qbwatch")[1]


def test_doctor_finds_the_installed_service_as_it_should_be(lab: Lab) -> None:
    code, said = typed(lab, "qbwatch doctor --json")
    checks = {(each["check"], each["verdict"]) for each in json.loads(said)["checks"]}

    assert code == 0, said
    assert {("unit", "ok"), ("daemon", "ok"), ("input", "ok"), ("state", "ok"), ("alerts", "ok"), ("vault", "ok"),
            ("database", "ok"), ("account", "ok"), ("migrations", "ok")} <= checks, said  # fmt: skip


@pytest.mark.parametrize(
    ("breaking", "check"),
    [
        ("chown root: /var/lib/qbwatch", "state"),
        ("chmod 0644 /etc/qbwatch/qbwatch.toml && chgrp root /etc/qbwatch/qbwatch.toml", "configuration"),
        ("systemctl disable qbwatch", "unit"),
        ("sed -i s/WatchdogSec=60/WatchdogSec=5/ /etc/systemd/system/qbwatch.service", "unit"),
        ("rm /etc/systemd/system/qbwatch-alert@.service", "alert unit"),
        ("systemctl stop qbwatch", "daemon"),
        ("rm -r /srv/quickbooks-csv/input", "input"),
    ],
    ids=["state", "configuration", "disabled", "changed unit", "alert unit", "stopped", "input"],
)
def test_what_doctor_says_mends_what_it_found(lab: Lab, breaking: str, check: str) -> None:
    typed(lab, breaking)
    (finding,) = [each for each in json.loads(typed(lab, "qbwatch doctor --json")[1])["checks"]
                  if each["check"] == check and each["verdict"] != "ok"]  # fmt: skip

    for command in re.split(r"\s+# then: ", finding["fix"]):
        typed(lab, command)

    mended = [each for each in json.loads(typed(lab, "qbwatch doctor --json")[1])["checks"] if each["check"] == check]
    assert {each["verdict"] for each in mended} == {"ok"}, mended
