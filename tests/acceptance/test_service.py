"""The service on a server, as its unit has it: started before Postgres, upgraded, hung, killed, stopped, rebooted.

One machine for the whole module, used in the order in which the tests stand here: each leaves the daemon running.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from service_lab import (
    CONFIGURATION,
    INPUT,
    LONG,
    PASSWORD,
    QBWATCH,
    answered,
    as_qbwatch,
    asked,
    changed,
    deliver,
    drop_in,
    earlier_checkout,
    furnish,
    install_units,
    is_another,
    is_at_rest,
    is_held_up,
    listening,
    loaded,
    locked,
    waiting,
)
from systemd_lab import Lab, build_wheel, configure, install_wheel, prepare, reason_against_a_lab
from waiting import wait_until

from qbwatch.demo.exports import ExportFile
from qbwatch.demo.story import story

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True, slots=True)
class Server:
    """The machine, this version's wheel, an earlier one's, and what the alert service was told."""

    lab: Lab
    wheel: Path
    earlier: Path | None
    told: list[str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A machine on which an earlier version is installed, where there is one; nothing of qbwatch runs yet."""
    if reason := reason_against_a_lab():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("wheels")
    wheel = build_wheel(folder / "now")
    before = earlier_checkout(folder / "before")
    earlier = build_wheel(folder / "earlier", before) if before else None
    lab = Lab(os.environ["QBWATCH_SYSTEMD_LAB"], f"qbwatch-service-{os.getpid()}")
    with listening() as (address, told):
        try:
            lab.up()
            prepare(lab)
            install_wheel(lab, earlier or wheel)
            furnish(lab, address)
            yield Server(lab, wheel, earlier, told)
        finally:
            lab.down()


@pytest.fixture(scope="module")
def nights() -> list[list[ExportFile]]:
    """Each night's exports, oldest first: customers and items, small ones."""
    waves = [[file for file in wave.files if file.folder == "input"] for wave in story(date(2026, 11, 25)).waves]
    small = [[file for file in wave if file.name.startswith(("Customer", "Item"))] for wave in waves]
    return [wave for wave in small if wave]


def test_an_upgrade_with_work_in_the_queue_loses_nothing(server: Server, nights: list[list[ExportFile]]) -> None:
    lab = server.lab
    if server.earlier is None:
        pytest.skip("needs the history of the checkout, to build an earlier version")
    units = lab.root / "etc/systemd/system"
    unit = next((lab.root / "opt/qbwatch/lib").glob("python3*/site-packages/qbwatch/share/systemd/qbwatch.service"))
    (units / "qbwatch.service").write_text(unit.read_text("utf-8").replace("#LoadCredential", "LoadCredential"))
    lab.say("systemctl", "daemon-reload")
    lab.start()
    deliver(lab, nights[0])
    wait_until(lambda: loaded(lab) == len(nights[0]), LONG, lab.journal())
    with locked(lab, "raw.quickbooks_customers"):
        deliver(lab, nights[1])
        wait_until(lambda: waiting(lab) > 0, LONG, "a file to wait")
        before = asked(lab, "SELECT version_num FROM qbwatch.alembic_version")

        said = install_wheel(lab, server.wheel)

    assert "is installed in /opt/qbwatch" in said
    assert "LoadCredential=database_url" in (units / "qbwatch.service").read_text()
    assert "tmpfs" in (units / "qbwatch.service").read_text(), "the unit is not this version's"
    wait_until(lambda: loaded(lab) == len(nights[0]) + len(nights[1]), LONG, lab.journal())
    assert asked(lab, "SELECT version_num FROM qbwatch.alembic_version") != before
    assert lab.status()["quarantined"] == []
    verified = lab.run("runuser", "-u", "qbwatch", "--", "sh", "-c", f"{as_qbwatch()} {QBWATCH} rebuild --verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_it_waits_for_a_postgres_that_is_late_and_is_ready_only_when_it_watches(server: Server) -> None:
    lab = server.lab
    install_units(lab)
    lab.say("systemctl", "stop", "qbwatch", "postgresql")
    lab.say("systemctl", "start", "--no-block", "qbwatch")

    wait_until(lambda: "waiting for the database" in lab.shown("StatusText")["StatusText"], LONG, lab.journal())
    assert lab.shown("ActiveState")["ActiveState"] == "activating"
    lab.say("systemctl", "start", "postgresql")

    wait_until(lambda: lab.shown("ActiveState")["ActiveState"] == "active", LONG, lab.journal())
    daemon = answered(lab)["daemon"]
    assert daemon["state"] in ("idle", "running")
    assert daemon["watcher"] == "inotify"
    assert daemon["last_scan_at"]
    assert lab.shown("NRestarts", "Result") == {"NRestarts": "0", "Result": "success"}


def test_a_disk_that_fails_to_mount_does_not_keep_it_down(server: Server) -> None:
    lab = server.lab
    mount = lab.root / "etc/systemd/system/home-alice-Dropbox.mount"
    mount.write_text("[Mount]\nWhat=/dev/nothing\nWhere=/home/alice/Dropbox\nType=ext4\n")
    lab.say("systemctl", "daemon-reload")

    lab.say("systemctl", "restart", "qbwatch")

    assert lab.shown("ActiveState")["ActiveState"] == "active"
    assert lab.run("systemctl", "is-failed", "home-alice-Dropbox.mount").stdout.strip() == "failed"
    mount.unlink()
    lab.say("systemctl", "daemon-reload")
    lab.say("systemctl", "reset-failed")


def test_a_file_in_the_home_of_another_user_is_loaded(server: Server, nights: list[list[ExportFile]]) -> None:
    lab, before = server.lab, loaded(server.lab)

    deliver(lab, nights[2])

    wait_until(lambda: loaded(lab) == before + len(nights[2]), LONG, lab.journal())
    assert asked(lab, "SELECT count(*) > 0 FROM analytics_mart.fct_customers") == "t"
    assert PASSWORD not in lab.journal()


def test_the_socket_is_for_the_group_alone(server: Server) -> None:
    lab = server.lab

    carols = lab.run("runuser", "-u", "carol", "--", QBWATCH, "status", "--json")
    daves = lab.run("runuser", "-u", "dave", "--", QBWATCH, "status", "--json")

    assert json.loads(carols.stdout)["answered_by"] == "daemon"
    assert daves.returncode != 0 or json.loads(daves.stdout)["answered_by"] != "daemon"
    assert "Traceback" not in daves.stderr


def test_killed_it_comes_back(server: Server) -> None:
    lab = server.lab
    pid = lab.shown("MainPID")["MainPID"]

    lab.say("kill", "-9", pid)

    wait_until(lambda: is_another(lab, pid), LONG, lab.journal())
    assert answered(lab)["quarantined"] == []


def test_a_hung_daemon_is_ended_and_comes_back(server: Server) -> None:
    lab = server.lab
    pid = lab.shown("MainPID")["MainPID"]

    lab.say("kill", "-STOP", pid)

    wait_until(lambda: is_another(lab, pid), LONG, lab.journal())
    assert "Watchdog timeout" in lab.journal()
    assert answered(lab)["quarantined"] == []


def test_a_crash_loop_ends_and_is_told_without_postgres(server: Server) -> None:
    lab = server.lab
    server.told.clear()
    lab.say("systemctl", "stop", "qbwatch", "postgresql")
    crash = "/opt/qbwatch/bin/python -c 'import os; os.abort()'"
    drop_in(lab, "crash", f"[Service]\nExecStartPre=\nExecStart=\nExecStart={crash}\nLimitCORE=0\n")

    lab.run("systemctl", "start", "--no-block", "qbwatch")

    wait_until(lambda: server.told, LONG, lab.journal())
    (message,) = server.told
    assert "qbwatch on " in message
    assert "is down, and stays down until a person starts it" in message
    assert "signal ABRT" in message
    assert lab.shown("ActiveState")["ActiveState"] == "failed"
    assert lab.run("systemctl", "is-failed", "qbwatch-alert@qbwatch").stdout.strip() != "failed"
    drop_in(lab, "crash", None)
    lab.say("systemctl", "reset-failed", "qbwatch")
    lab.say("systemctl", "start", "postgresql")
    lab.start()


def test_a_mistake_in_the_configuration_is_told_at_once(server: Server) -> None:
    lab = server.lab
    server.told.clear()
    configure(lab, CONFIGURATION.replace("settle ", "setle "))

    lab.run("systemctl", "restart", "qbwatch")

    wait_until(lambda: server.told, LONG, "the message")
    assert "its configuration is wrong" in server.told[0]
    assert "qbwatch.toml:3: input.setle is not a known key" in server.told[0]
    assert lab.shown("NRestarts")["NRestarts"] == "0"
    configure(lab, CONFIGURATION)
    lab.start()


@pytest.mark.parametrize(
    ("table", "step"), [("raw.quickbooks_customers", "load"), ("analytics_mart.fct_customers", "transform")]
)
def test_a_stop_in_the_midst_of_work_is_quick_and_loses_nothing(
    server: Server, nights: list[list[ExportFile]], table: str, step: str
) -> None:
    lab, before = server.lab, loaded(server.lab)
    (customers,) = [file for file in nights[2] if file.name.startswith("Customer")]
    with locked(lab, table):
        deliver(lab, [changed(customers, step)])
        wait_until(lambda: is_held_up(lab, step), LONG, f"the {step} to wait for the lock")
        began = time.monotonic()
        lab.say("systemctl", "stop", "qbwatch")
        took = time.monotonic() - began

    assert took < 20
    assert lab.shown("Result", "ExecMainStatus") == {"Result": "success", "ExecMainStatus": "0"}
    left = asked(lab, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'qbwatch'")
    assert left == "0"
    lab.start()
    wait_until(lambda: loaded(lab) == before + 1 and is_at_rest(lab), LONG, lab.journal())


def test_a_reload_takes_the_configuration_over_and_refuses_a_wrong_one(server: Server) -> None:
    lab, pid = server.lab, server.lab.shown("MainPID")["MainPID"]
    configure(lab, CONFIGURATION.replace('"200ms"', '"300ms"'))
    taken = lab.run("systemctl", "reload", "qbwatch")
    configure(lab, CONFIGURATION.replace('"200ms"', '"soon"'))
    refused = lab.run("systemctl", "reload", "qbwatch")
    configure(lab, CONFIGURATION)

    assert (taken.returncode, refused.returncode) == (0, 1), lab.journal()
    assert "input.settle" in lab.journal()
    assert lab.shown("ActiveState", "MainPID") == {"ActiveState": "active", "MainPID": pid}
    lab.say("systemctl", "reload", "qbwatch")


def test_a_reboot_with_work_in_the_queue_loses_nothing(server: Server, nights: list[list[ExportFile]]) -> None:
    lab, before = server.lab, loaded(server.lab)
    (customers,) = [file for file in nights[2] if file.name.startswith("Customer")]
    lab.say("systemctl", "enable", "qbwatch", "postgresql")
    with locked(lab, "raw.quickbooks_customers"):
        deliver(lab, [changed(customers, "reboot")])
        wait_until(lambda: waiting(lab) == 1, LONG, lab.journal())
        lab.reboot()

    wait_until(lambda: lab.run("systemctl", "is-active", "qbwatch").stdout.strip() == "active", LONG, "the daemon")
    wait_until(lambda: loaded(lab) == before + 1 and is_at_rest(lab), LONG, lab.journal())
    assert lab.status()["quarantined"] == []


def test_the_documented_commands_take_it_away_again(server: Server) -> None:
    lab = server.lab

    said = lab.say("sh", "/opt/wheels-of-today/install.sh", "--uninstall")

    assert "Kept: /etc/qbwatch, /var/lib/qbwatch" in said
    assert lab.run("systemctl", "cat", "qbwatch").returncode != 0
    assert not (lab.root / "opt/qbwatch").exists()
    assert (lab.root / "var/lib/qbwatch/vault").is_dir()
    lab.say("sh", "/opt/wheels-of-today/install.sh", "--purge")
    assert not (lab.root / "var/lib/qbwatch").exists()
    assert lab.run("id", "qbwatch").returncode != 0
    assert (lab.root / INPUT.lstrip("/")).is_dir()
