"""The status answers in every state of the house, in time, and says where the answer comes from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from installation import Installation

from qbwatch.edges.embedded import EmbeddedPostgres

KEYS = {
    "as_of", "answered_by", "version", "health", "problems", "daemon", "pending", "quarantined", "current_run",
    "last_run", "last_success_at", "freshness", "transform", "alerts",
}  # fmt: skip
GENEROUS = 10.0  # seconds; the figure itself is measured in the benchmarks, on a quiet machine


def ask(installation: Installation) -> dict[str, Any]:
    """The status from the command, which must answer whatever is down."""
    done = installation.run("status", "--json", timeout=GENEROUS)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer.keys() >= KEYS
    return answer


def test_daemon_up_daemon_down_postgres_down(
    corpus: Path, install: Callable[..., Installation], state_directory: Path
) -> None:
    server = EmbeddedPostgres(state_directory / "postgres", durable=False)
    installation = install(url=server.start())
    installation.start()
    installation.drop([corpus / "saasant" / "Customer_04_04_2025_1_00_02.csv"])
    installation.wait_settled(1)

    up = ask(installation)
    assert (up["answered_by"], up["daemon"]["state"], up["daemon"]["watch_alive"]) == ("daemon", "idle", True)
    assert up["daemon"]["watcher"] == "inotify"
    assert up["last_run"]["rows"]["inserted"] == 13

    assert installation.stop() == 0
    down = ask(installation)
    assert (down["answered_by"], down["daemon"]["state"]) == ("ledger", "down")
    assert [problem["code"] for problem in down["problems"]][:1] == ["daemon_down"]
    assert down["last_run"] == up["last_run"]

    server.stop("immediate")
    without = ask(installation)
    assert (without["answered_by"], without["health"]) == ("cache", "error")
    assert without["problems"][0]["code"] == "database_down"
    assert "old" in without["problems"][0]["summary"]
    assert without["as_of"] == down["as_of"]
    assert without["last_run"] == up["last_run"]


def test_postgres_down_under_a_running_daemon_and_back(
    corpus: Path, install: Callable[..., Installation], state_directory: Path
) -> None:
    server = EmbeddedPostgres(state_directory / "postgres", durable=False)
    installation = install(url=server.start())
    installation.start()
    installation.drop([corpus / "saasant" / "Customer_04_04_2025_1_00_02.csv"])
    installation.wait_settled(1)

    server.stop("immediate")
    installation.drop([corpus / "saasant" / "Customer_04_07_2025_1_00_02.csv"])
    without = ask(installation)
    assert (without["answered_by"], without["daemon"]["state"]) == ("cache", "idle")
    assert without["problems"][0]["code"] == "database_down"

    server.start()
    installation.wait_settled(2)
    assert set(installation.outcomes().values()) == {"loaded"}


def test_before_anything_was_ever_there(install: Callable[..., Installation]) -> None:
    installation = install(url="postgresql://nobody@/nothing?host=/nonexistent")

    answer = ask(installation)

    assert (answer["answered_by"], answer["health"]) == ("cache", "error")
    assert answer["freshness"] == []
    text = installation.run("status")
    assert "Nothing is loaded yet" in text.stdout


def test_check_is_one_line_and_an_exit_code(install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()

    healthy = installation.run("status", "--check")
    installation.stop()
    down = installation.run("status", "--check")

    assert (healthy.returncode, healthy.stdout.count("\n")) == (0, 1)
    assert healthy.stdout.startswith("QBWATCH OK")
    assert down.returncode == 2
    assert down.stdout.startswith("QBWATCH CRITICAL: the daemon is not running")
