"""qbwatch as a service of one user: her own systemd runs it, loads what she drops, and needs nobody to be logged in.

One machine for the whole module, used in the order in which the tests stand here: each leaves the daemon running.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from service_lab import LONG, QBWATCH, listening
from systemd_lab import Lab, new_lab
from waiting import wait_until

from qbwatch.demo.exports import ExportFile
from qbwatch.demo.story import story

pytestmark = pytest.mark.timeout(600)

HOME = "home/alice"
INPUT = f"{HOME}/Dropbox/quickbooks-csv/input"
CONFIGURATION = f"""\
[input]
directory = "/{INPUT}"
settle    = "200ms"

[database]
url = "embedded"
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """The machine of alice, and what the alert service was told."""

    lab: Lab
    told: list[str]

    def run(self, command: str) -> tuple[int, str]:
        """A command of hers, without a terminal: exit code, and what it printed."""
        done = self.lab.run("runuser", "-u", "alice", "--", "sh", "-c",
                            f'export HOME=/{HOME} XDG_RUNTIME_DIR="/run/user/$(id -u)"; cd; {command}')  # fmt: skip
        return done.returncode, (done.stdout + done.stderr).strip()

    def say(self, command: str) -> str:
        """What a command of hers prints; it must succeed."""
        code, said = self.run(command)
        assert code == 0, f"{command}: {said}"
        return said

    def shown(self, *names: str) -> dict[str, str]:
        """Properties of her unit."""
        said = self.say(f"systemctl --user show qbwatch --property {','.join(names)}")
        return dict(line.split("=", 1) for line in said.splitlines())

    def loaded(self) -> int:
        """Files that the daemon has loaded; -1 while another than the daemon answers."""
        code, said = self.run(f"{QBWATCH} status --json")
        status: dict[str, Any] = json.loads(said) if code != 3 and said.startswith("{") else {}
        if status.get("answered_by") != "daemon" or status["pending"]["count"] or status["transform"]["debt"]:
            return -1
        return len(json.loads(self.say(f"{QBWATCH} files --state loaded --json"))["files"])

    def deliver(self, files: list[ExportFile]) -> None:
        """Files come into her folder, renamed into place."""
        for file in files:
            beside = self.lab.root / HOME / f".{file.name}"
            beside.write_bytes(file.content)
            self.lab.say(
                "sh", "-c", f"chown alice: /{HOME}/.{file.name} && mv /{HOME}/.{file.name} /{INPUT}/{file.name}"
            )

    def configure(self, text: str) -> None:
        """Write her configuration."""
        (self.lab.root / HOME / ".config/qbwatch/qbwatch.toml").write_text(text, "utf-8")

    @property
    def journal(self) -> str:
        """What her units logged."""
        return self.lab.run("journalctl", "--no-pager", "--output", "cat", "_SYSTEMD_USER_UNIT=qbwatch.service",
                            "+", "USER_UNIT=qbwatch.service").stdout  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Set up as the unit's head says; nothing runs yet."""
    with listening() as (address, told), new_lab(tmp_path_factory.mktemp("wheel"), "user") as lab:
        lab.say("rm", "-r", "/etc/qbwatch", "/etc/systemd/system/qbwatch.service")  # this machine has none of its own
        lab.say("useradd", "--create-home", "--shell", "/bin/sh", "alice")
        lab.say("loginctl", "enable-linger", "alice")
        wait_until(lambda: lab.run("sh", "-c", "test -S /run/user/$(id -u alice)/bus").returncode == 0, LONG)
        desk = Desk(lab, told)
        desk.say(f"mkdir -p /{INPUT} .config/qbwatch/credentials .config/systemd/user")
        desk.configure(CONFIGURATION)
        desk.say(f"umask 077; echo {address} > .config/qbwatch/credentials/alert_urls")
        units = ".config/systemd/user"
        desk.say(f"{QBWATCH} systemd-unit --user > {units}/qbwatch.service")
        desk.say(f"{QBWATCH} systemd-unit --user --alert > {units}/qbwatch-alert@.service")
        yield desk


@pytest.fixture(scope="module")
def customers() -> list[ExportFile]:
    """Three nights' exports of the customers, oldest first."""
    files = [file for wave in story(date(2026, 11, 25)).waves for file in wave.files]
    return [file for file in files if file.name.startswith("Customer")][:3]


def test_enabled_as_its_head_says_it_becomes_ready_and_loads(desk: Desk, customers: list[ExportFile]) -> None:
    assert desk.run("systemd-analyze --user verify .config/systemd/user/qbwatch.service") == (0, "")
    code, said = desk.run("systemctl --user daemon-reload && systemctl --user enable --now qbwatch")
    assert code == 0, f"{said}\n{desk.journal}"
    assert desk.shown("ActiveState", "Type") == {"ActiveState": "active", "Type": "notify"}
    assert not [line for line in desk.journal.splitlines() if line.startswith(("fail", "warn"))], desk.journal
    desk.deliver(customers[:1])
    wait_until(lambda: desk.loaded() == 1, LONG, f"the file to be loaded; the journal:\n{desk.journal}")


def test_killed_it_comes_back_by_itself(desk: Desk, customers: list[ExportFile]) -> None:
    pid = desk.shown("MainPID")["MainPID"]
    desk.say(f"kill -9 {pid}")
    desk.deliver(customers[1:2])
    wait_until(lambda: desk.loaded() == 2, LONG, f"the next file to be loaded; the journal:\n{desk.journal}")
    assert desk.shown("NRestarts")["NRestarts"] == "1"
    assert desk.shown("MainPID")["MainPID"] != pid


def test_a_mistake_ends_it_for_good_and_she_is_told(desk: Desk) -> None:
    desk.configure(CONFIGURATION.replace("settle ", "setle "))
    assert desk.run("systemctl --user restart qbwatch")[0] != 0
    assert desk.shown("ActiveState", "ExecMainStatus") == {"ActiveState": "failed", "ExecMainStatus": "2"}
    wait_until(lambda: any("setle" in each for each in desk.told), LONG, f"an alert; the journal:\n{desk.journal}")
    desk.configure(CONFIGURATION)
    desk.say("systemctl --user reset-failed qbwatch; systemctl --user start qbwatch")


def test_with_nobody_logged_in_it_runs_after_a_boot(desk: Desk, customers: list[ExportFile]) -> None:
    desk.lab.say("sync")
    desk.say("systemctl --user stop qbwatch")
    desk.deliver(customers[2:])
    desk.lab.reboot()
    wait_until(lambda: desk.loaded() == 3, LONG, f"what came meanwhile to be loaded; the journal:\n{desk.journal}")
