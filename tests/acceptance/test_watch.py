"""`status --watch` follows the daemon, outlives it, and ends with Ctrl-C; `--check` always answers a monitor."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Any

from installation import Installation
from waiting import wait_until


class Watching:
    """`status --watch --json`, and each answer that it gave so far."""

    def __init__(self, installation: Installation) -> None:
        command = [*installation.command, "status", "--watch", "--json", "--config", str(installation.config)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=installation.root
        )
        self.answers: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        text = ""
        for line in self.process.stdout:
            text += line
            if line == "}\n":
                self.answers.append(json.loads(text))
                text = ""

    def wait(self, which: Callable[[dict[str, Any]], bool], what: str) -> None:
        """Until an answer comes that is like this."""
        seen = len(self.answers)
        wait_until(lambda: any(which(answer) for answer in self.answers[max(seen - 1, 0) :]), 60, what)

    def end(self) -> tuple[int, str]:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(30)
        self._reader.join(10)
        assert self.process.stderr is not None
        with self.process.stderr as errors:
            said = errors.read()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code, said


def test_it_follows_the_daemon_through_a_stop_and_a_start(install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()
    watching = Watching(installation)
    try:
        watching.wait(lambda answer: answer["answered_by"] == "daemon", "the daemon's answer")
        installation.run("pause")
        watching.wait(lambda answer: answer["daemon"]["state"] == "paused", "the pause to be told")
        installation.stop()
        watching.wait(lambda answer: answer["answered_by"] == "ledger", "the ledger's answer")
        installation.launch()
        watching.wait(lambda answer: answer["answered_by"] == "daemon", "the new daemon's answer")
    finally:
        code, said = watching.end()

    assert code == 130
    assert "Traceback" not in said


def test_an_unchanged_status_is_not_printed_again_each_second(install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()
    watching = Watching(installation)
    try:
        watching.wait(lambda answer: answer["daemon"]["state"] == "idle", "an answer")
        before = len(watching.answers)
        installation.run("status")  # takes longer than a second
        installation.run("status")
    finally:
        watching.end()

    assert len(watching.answers) - before <= 2


def test_a_monitor_hears_of_every_state_in_one_line(install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()

    said = [installation.run("status", "--check")]
    installation.run("pause")
    said.append(installation.run("status", "--check"))
    installation.kill()
    said.append(installation.run("status", "--check"))
    installation.config.write_text("nonsense")
    said.append(installation.run("status", "--check"))

    assert [(each.returncode, each.stdout.split(":")[0], each.stdout.count("\n")) for each in said] == [
        (0, "QBWATCH OK", 1),
        (1, "QBWATCH WARNING", 1),
        (2, "QBWATCH CRITICAL", 1),
        (3, "QBWATCH UNKNOWN", 1),
    ]
