"""The shipped unit under a real systemd: it becomes ready, loads, stops, comes back, and stays down when it must.

One machine for the whole module, used in the order in which the tests stand here: each leaves the daemon running.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from probing import probed
from systemd_lab import CONFIGURATION, Lab, configure, new_lab
from waiting import wait_until

from qbwatch.demo.drop import drop
from qbwatch.demo.exports import ExportFile
from qbwatch.demo.story import story

DAY = date(2026, 11, 25)
INPUT = "/srv/quickbooks-csv/input"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A machine on which qbwatch runs as a service."""
    with new_lab(tmp_path_factory.mktemp("wheel"), "unit") as machine:
        machine.start()
        yield machine


@pytest.fixture(scope="module")
def customers() -> list[ExportFile]:
    """Two nights' exports of the customers, oldest first."""
    files = [file for wave in story(DAY).waves for file in wave.files]
    return [file for file in files if file.name.startswith("Customer")][:2]


def test_systemd_finds_no_fault_in_the_unit(lab: Lab) -> None:
    verified = lab.run("systemd-analyze", "verify", "qbwatch.service")

    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


def test_it_is_active_once_it_is_ready_and_says_what_it_does(lab: Lab) -> None:
    assert lab.say("systemctl", "is-active", "qbwatch") == "active"
    assert lab.shown("Type", "User") == {"Type": "notify", "User": "qbwatch"}
    wait_until(lambda: "idle" in lab.shown("StatusText")["StatusText"], 10, "a status line that says idle")
    assert "Status:" in lab.say("systemctl", "status", "--no-pager", "qbwatch")
    assert " ready " in lab.journal()


def test_a_dropped_file_is_loaded_and_transformed_within_the_sandbox(lab: Lab, customers: list[ExportFile]) -> None:
    drop(customers[:1], lab.root / "srv/quickbooks-csv")

    wait_until(has_loaded(lab, 1), 60, f"{customers[0].name} to be loaded; the journal:\n{lab.journal()}")

    status = lab.status()
    assert status["quarantined"] == []
    assert status["last_run"]["status"] == "success", status["last_run"]
    relations = {entry["relation"]: entry["rows"] for entry in status["freshness"]}
    assert relations["fct_customers"] == relations["quickbooks.customers"] > 0


def test_its_state_is_for_its_user_and_group_alone(lab: Lab) -> None:
    folders = ("/var/lib/qbwatch", "/run/qbwatch", "/run/qbwatch/control.sock")

    said = lab.say("stat", "--format", "%U:%G %a", *folders).splitlines()

    assert said == ["qbwatch:qbwatch 750", "qbwatch:qbwatch 750", "qbwatch:qbwatch 660"]


def test_what_it_may_do_is_next_to_nothing(lab: Lab) -> None:
    analyzed = lab.run("systemd-analyze", "security", "--threshold=12", "--no-pager", "qbwatch.service")

    assert analyzed.returncode == 0, analyzed.stdout
    assert "Overall exposure level for qbwatch.service: 1.2 OK" in analyzed.stdout


def test_tried_from_inside_it_reads_the_input_writes_its_state_and_does_nothing_else(lab: Lab) -> None:
    lab.say("sh", "-c", "useradd --create-home bob; chmod 755 /home/bob; echo secret > /home/bob/secret.txt")
    lab.say("sh", "-c", f"echo theirs > {INPUT}/theirs.pdf; chmod 666 {INPUT}/theirs.pdf; chmod 777 {INPUT}")
    lab.say(
        "sh",
        "-c",
        "install -d -m 755 /etc/qbwatch/credentials; umask 077; echo x > /etc/qbwatch/credentials/alert_urls",
    )
    lab.say("sh", "-c", "cp /usr/bin/id /opt/set-uid-id; chmod 4755 /opt/set-uid-id")

    found = probed(lab, INPUT)

    allowed = {what for what, came in found.items() if came == "done"}
    assert allowed | {"import what reads large files"} == {
        "read the input",
        "write into its state",
        "resolve a name",
        "read the kernel's limits",
        "import what reads large files",
    }
    assert found["import what reads large files"] in ("done", "ModuleNotFoundError"), "compiled code can't be loaded"
    assert {found[what] for what in found if "of the input" in what or "into the input" in what} == {"EROFS"}
    assert (found["see other homes"], found["read root's home"]) == ("EACCES", "EACCES")
    assert found["see another user's process"] == "ENOENT"
    assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2")
    assert int(found["CapBnd"], 16) == 1 << 28, "CAP_LEASE alone"
    lab.say("rm", "-r", "/etc/qbwatch/credentials", f"{INPUT}/theirs.pdf")


def test_a_stop_is_quick_and_a_success(lab: Lab) -> None:
    began = time.monotonic()
    lab.say("systemctl", "stop", "qbwatch")
    took = time.monotonic() - began

    assert took < 15
    assert lab.shown("Result", "ActiveState", "ExecMainStatus") == {
        "Result": "success",
        "ActiveState": "inactive",
        "ExecMainStatus": "0",
    }
    down = lab.status()
    assert (down["answered_by"], down["daemon"]["state"]) == ("cache", "down")
    lab.start()
    wait_until(lambda: lab.status()["answered_by"] == "daemon", 20, "the daemon to answer")


def test_killed_it_comes_back_by_itself_with_all_it_knew(lab: Lab, customers: list[ExportFile]) -> None:
    before = lab.status()
    pid = lab.shown("MainPID")["MainPID"]

    lab.say("kill", "-9", pid)
    drop(customers[1:], lab.root / "srv/quickbooks-csv")  # meanwhile

    def is_back() -> bool:
        shown = lab.shown("MainPID", "ActiveState")
        return shown["ActiveState"] == "active" and shown["MainPID"] not in (pid, "0")

    wait_until(is_back, 60, f"another process to be ready; the journal:\n{lab.journal()}")
    assert lab.shown("NRestarts")["NRestarts"] == "1"
    wait_until(has_loaded(lab, 2), 60, f"{customers[1].name} to be loaded; the journal:\n{lab.journal()}")
    after = lab.status()
    assert after["answered_by"] == "daemon"
    assert after["last_run"]["id"] > before["last_run"]["id"]
    assert after["quarantined"] == []


def test_a_mistake_in_the_configuration_ends_it_for_good_and_is_told(lab: Lab) -> None:
    configure(lab, CONFIGURATION.replace("settle ", "setle "))

    lab.run("systemctl", "restart", "qbwatch")

    shown = lab.shown("ActiveState", "Result", "ExecMainStatus", "NRestarts")
    assert shown == {"ActiveState": "failed", "Result": "exit-code", "ExecMainStatus": "2", "NRestarts": "0"}
    assert "qbwatch.toml:3: input.setle is not a known key; did you mean settle?" in lab.journal()
    assert lab.shown("SubState")["SubState"] == "failed"

    configure(lab, CONFIGURATION)
    lab.start()
    assert lab.say("systemctl", "is-active", "qbwatch") == "active"


def has_loaded(lab: Lab, files: int) -> Callable[[], bool]:
    """Whether this many files are loaded and everything they owe is built."""

    def is_done() -> bool:
        status = lab.status()
        if status["current_run"] or status["pending"]["count"] or status["transform"]["debt"]:
            return False
        said = lab.run("/opt/qbwatch/bin/qbwatch", "files", "--state", "loaded")
        return len(said.stdout.splitlines()) >= files

    return is_done
