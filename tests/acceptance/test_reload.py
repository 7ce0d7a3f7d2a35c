"""`qbwatch reload` and SIGHUP: a right configuration is taken over while running, a wrong one changes nothing."""

from __future__ import annotations

import os
import pwd
import signal
from collections.abc import Callable
from typing import Any

from alert_services import endpoint
from installation import Installation
from waiting import wait_until

ME = f"{pwd.getpwuid(os.geteuid()).pw_name} (uid {os.geteuid()})"


def problems(installation: Installation, code: str) -> list[dict[str, Any]]:
    """The problems of a kind that the status has."""
    return [each for each in installation.status()["problems"] if each["code"] == code]


def line_of(installation: Installation, text: str) -> int:
    """The line of the configuration that begins with it."""
    lines = installation.config.read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(text))


def test_what_can_change_at_once_does_and_the_rest_is_named(install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()
    draft = installation.input / "draft of the invoices.docx.bak2"
    draft.write_bytes(b"x")
    page = installation.root / "status" / "page.html"
    page.parent.mkdir()
    before = installation.config.read_text("utf-8")

    with endpoint() as hook:
        more = (
            f'ignore = ["*.bak2"]\n[page]\nfile = "{page}"\n[alerts]\nheartbeat = "http://127.0.0.1:{hook.port}/beat"\n'
        )
        text = before.replace("[state]", f"{more}\n[state]").replace('rescan         = "30s"', 'rescan = "1h"')
        installation.config.write_text(text + '\n[quickbooks]\ndate_order = "dmy"\n', "utf-8")
        done = installation.run("reload")
        wait_until(lambda: hook.paths, 30, "the heartbeat to begin")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Changed: input.rescan, input.ignore, alerts.heartbeat, page.file",
        "Only a restart changes: quickbooks.date_order",
        "  → systemctl restart qbwatch",
    ]
    assert hook.paths[0] == "/beat/start"
    wait_until(page.is_file, 30, "the status page")
    wait_until(lambda: sum(installation.status()["ignored"].values()) == 1, 30, "the draft to be passed over")
    assert f"by={ME!r}".replace("'", '"') in installation.log
    assert f"uid={os.geteuid()}" in installation.log

    again = installation.json("reload")
    assert again == {
        "version": 1, "loaded": True, "changed": [], "needs_restart": ["quickbooks.date_order"], "mistakes": [],
    }  # fmt: skip
    installation.config.write_text(before, "utf-8")
    assert installation.run("reload").stdout.startswith("Changed: input.rescan, input.ignore, ")
    wait_until(lambda: "stopped" in page.read_text("utf-8"), 30, "the page that isn't kept any more to say so")
    assert installation.stop() == 0


def test_a_wrong_configuration_changes_nothing_and_is_shown_until_it_is_right(
    install: Callable[..., Installation],
) -> None:
    installation = install()
    installation.start()
    before = installation.config.read_text("utf-8")

    installation.config.write_text(before.replace('rescan         = "30s"', 'rescan = "30 parsecs"'), "utf-8")
    done = installation.run("reload")

    place = f"{installation.config}:{line_of(installation, 'rescan')}: input.rescan = "
    assert (done.returncode, done.stdout) == (2, "")
    assert place in done.stderr
    assert "qbwatch reload" in done.stderr
    (problem,) = problems(installation, "configuration_wrong")
    assert (problem["class"], problem["severity"]) == ("configuration", "warning")
    assert place in problem["summary"]
    assert installation.status()["daemon"]["state"] == "idle", "it goes on"
    assert place in installation.log

    installation.config.write_text(before + "[alerts\n", "utf-8")
    done = installation.run("reload", "--json")
    assert done.returncode == 2
    assert "is not TOML" in done.stdout
    (still,) = problems(installation, "configuration_wrong")
    assert "is not TOML" in still["summary"]
    assert still["since"] == problem["since"]

    installation.config.write_text(before + '[alerts]\nurls = ["nosuch://service"]\n', "utf-8")
    done = installation.run("reload")
    assert done.returncode == 2, "an address that no service understands"

    installation.config.write_text(before, "utf-8")
    assert installation.run("reload").stdout == "Nothing changed at once.\n"
    assert problems(installation, "configuration_wrong") == []
    assert installation.stop() == 0


def test_a_hang_up_signal_reads_the_configuration_anew(install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()
    assert installation.daemon is not None
    before = installation.config.read_text("utf-8")

    installation.config.write_text(before + "[nonsense]\n", "utf-8")
    installation.daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: problems(installation, "configuration_wrong"), 30, "the mistake to be shown")

    installation.config.write_text(before + '[freshness]\ndefault = "9 business days"\n', "utf-8")
    installation.daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: not problems(installation, "configuration_wrong"), 30, "the mistake to be gone")
    wait_until(lambda: "freshness.default" in installation.log, 5, "the log to tell")
    assert "by=SIGHUP" in installation.log
    assert installation.stop() == 0


def test_without_a_daemon_a_wrong_configuration_is_told_all_the_same(install: Callable[..., Installation]) -> None:
    installation = install()

    down = installation.run("reload")
    assert down.returncode == 1
    assert "not running" in down.stderr
    installation.config.write_text(installation.config.read_text("utf-8") + "[nonsense]\n", "utf-8")
    wrong = installation.run("reload")
    assert wrong.returncode == 2
    assert "nonsense is not a known section" in wrong.stderr
