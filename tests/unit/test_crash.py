"""What is told when the daemon stays down: how it ended, what to do, and whom."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from qbwatch.config_alerts import alert_addresses
from qbwatch.core.crash import about_crash, crash_of

NOW = datetime(2026, 11, 28, 7, 30, tzinfo=UTC)


def told(result: str, status: str, mistakes: list[str] | None = None) -> str:
    """The message about a daemon that ended like that."""
    environ = {"MONITOR_UNIT": "qbwatch.service", "MONITOR_SERVICE_RESULT": result, "MONITOR_EXIT_STATUS": status}
    message = about_crash(crash_of(environ, "x.service", "vps1", mistakes or []), NOW, None)
    assert "\n" not in message.subject
    assert message.subject.startswith("qbwatch: qbwatch on vps1 is down and stays down: ")
    return message.body


@pytest.mark.parametrize(
    ("result", "status", "how"),
    [
        ("exit-code", "1", "it ended with exit code 1 again and again"),
        ("signal", "KILL", "it was ended by signal KILL again and again"),
        ("core-dump", "SEGV", "it was ended by signal SEGV again and again"),
        ("watchdog", "ABRT", "it hung again and again, and was ended"),
        ("oom-kill", "KILL", "the kernel was short of memory and ended it again and again"),
        ("timeout", "TERM", "it did not become ready, or did not stop, in time"),
        ("start-limit-hit", "", "it was started too often within an hour"),
        ("", "", "it failed again and again"),
    ],
)
def test_each_way_to_end_has_its_words_and_what_to_do(result: str, status: str, how: str) -> None:
    body = told(result, status)

    assert body.startswith(f"qbwatch on vps1 is down, and stays down until a person starts it: {how}.")
    assert "`journalctl -u qbwatch -n 100`" in body
    assert "`systemctl reset-failed qbwatch; systemctl start qbwatch`" in body
    assert "nothing is lost" in body


def test_a_wrong_configuration_is_told_with_its_lines() -> None:
    body = told("exit-code", "2", ["/etc/qbwatch/qbwatch.toml:3: input.setle is not a known key"])

    assert "its configuration is wrong." in body
    assert "\n/etc/qbwatch/qbwatch.toml:3: input.setle is not a known key\n" in body
    assert "`systemctl restart qbwatch`" in body


def test_what_was_last_known_is_told_with_its_age() -> None:
    crash = crash_of({}, "qbwatch.service", "vps1")

    body = about_crash(crash, NOW, (datetime(2026, 11, 28, 7, 0, tzinfo=UTC), "2026-11-27T09:00:00+00:00")).body

    assert "Last heard of: 2026-11-28 07:00 UTC; last success: 2026-11-27T09:00:00+00:00" in body


# --- whom to tell ---------------------------------------------------------------------------------------------------


def test_a_wrong_configuration_still_says_whom_to_tell(tmp_path: Path) -> None:
    file = tmp_path / "qbwatch.toml"
    file.write_text('[input]\nsetle = 3\n[alerts]\nurls = ["json://one/", "no address", 7]\nfallback = "json://two/"\n')

    assert alert_addresses(file, {}) == (["json://one/"], ["json://two/"], [])


def test_a_file_that_is_no_toml_leaves_the_credential(tmp_path: Path) -> None:
    file, credentials = tmp_path / "qbwatch.toml", tmp_path / "credentials"
    file.write_text("[input\n")
    credentials.mkdir()
    (credentials / "alert_urls").write_text("json://one/\n# a comment\njson://two/\n")

    urls, fallback, mistakes = alert_addresses(file, {"CREDENTIALS_DIRECTORY": str(credentials)})

    assert (urls, fallback) == (["json://one/", "json://two/"], [])
    assert [mistake for mistake in mistakes if "is not TOML" in mistake] == mistakes != []


@pytest.mark.parametrize("alerts", ["", "alerts = 3\n", "[alerts]\nurls = 3\n", '[alerts]\nurls = "[broken"\n'])
def test_nobody_to_tell_is_no_crash(tmp_path: Path, alerts: str) -> None:
    file = tmp_path / "qbwatch.toml"
    file.write_text(alerts)

    assert alert_addresses(file, {}) == ([], [], [])
