"""An installation for acceptance tests: real folders, the real command, a real database, a daemon one can kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from waiting import wait_until

from qbwatch.edges.control_client import ControlUnreachable, call

COMMAND = (sys.executable, "-m", "qbwatch.cli")

_CONFIGURATION = """\
[input]
directory      = "{root}/drop/input"
seed_directory = "{root}/drop/seed"
settle         = "{settle}"
rescan         = "30s"

[state]
directory = "{root}/state"

[database]
url = "{url}"

[control]
socket = "{root}/control.sock"
"""


@dataclass(slots=True)
class Installation:
    """Everything below ``root``; ``daemon`` is the running process, if any."""

    root: Path
    url: str
    settle: str = "150ms"
    extra: str = ""
    daemon: subprocess.Popen[bytes] | None = None
    environ: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = COMMAND

    def __post_init__(self) -> None:
        for folder in (self.input, self.seed, self.root / "state"):
            folder.mkdir(parents=True)
        text = _CONFIGURATION.format(root=self.root, url=self.url, settle=self.settle)
        self.config.write_text(text + self.extra, "utf-8")

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.root / "qbwatch.toml"

    @property
    def input(self) -> Path:
        """The watched folder."""
        return self.root / "drop" / "input"

    @property
    def seed(self) -> Path:
        """The folder of history."""
        return self.root / "drop" / "seed"

    @property
    def log(self) -> str:
        """The daemon's log so far."""
        path = self.root / "daemon.log"
        return path.read_text("utf-8", "replace") if path.is_file() else ""

    def start(self) -> None:
        """Start the daemon and wait until it answers as idle or running."""
        self.launch()
        wait_until(self._answers, timeout=30, what=f"the daemon to answer; its log:\n{self.log}")

    def launch(self) -> None:
        """Start the daemon and don't wait for anything."""
        with (self.root / "daemon.log").open("ab") as log:
            self.daemon = subprocess.Popen(
                [*self.command, "run", "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.root,
                env={**os.environ, **self.environ},
                start_new_session=True,
            )

    def _answers(self) -> bool:
        assert self.daemon is not None
        assert self.daemon.poll() is None, self.log
        try:
            answer = call(self.root / "control.sock", "status")
        except ControlUnreachable:  # the command would say so too, but costs as much as the start that is waited for
            return False
        return answer["answered_by"] == "daemon" and answer["daemon"]["state"] in ("idle", "running")

    def kill(self) -> None:
        """SIGKILL, and reap; dbt's group dies with it by itself."""
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait()
        self.daemon = None

    def stop(self, within: float = 25) -> int:
        """SIGTERM; the exit code."""
        if self.daemon is None:
            return 0
        self.daemon.send_signal(signal.SIGTERM)
        code = self.daemon.wait(within)
        self.daemon = None
        return code

    def close(self) -> None:
        """End whatever still runs."""
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()

    def run(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """A command of this installation."""
        name, *others = arguments
        return subprocess.run(
            [*self.command, name, "--config", str(self.config), *others],
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=self.root,
            env={**os.environ, **self.environ},
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """A command's answer as JSON."""
        done = self.run(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def status(self) -> dict[str, Any]:
        """The status, straight from the daemon's socket while one runs: cheaper than a command, for asking often."""
        if self.daemon is not None:
            with suppress(ControlUnreachable):
                answer: dict[str, Any] = call(self.root / "control.sock", "status")
                return answer
        return dict(self.json("status"))

    def drop(self, files: Iterable[Path], folder: Path | None = None) -> None:
        """Copy files into the watched folder, one after the other, keeping their names."""
        for file in files:
            shutil.copyfile(file, (folder or self.input) / file.name)

    def query(self, sql: str) -> list[Any]:
        """Rows from the database."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(sql).fetchall()  # type: ignore[call-overload,no-any-return]

    def outcomes(self) -> dict[str, str]:
        """The newest state of each file's item, by file name."""
        rows = self.query(
            """SELECT DISTINCT ON (file.name) file.name, item.state FROM qbwatch.work_items AS item
               JOIN qbwatch.files AS file ON file.id = item.file_id ORDER BY file.name, item.id DESC"""
        )
        return dict(rows)

    def wait_settled(self, files: int, timeout: float = 180) -> dict[str, Any]:
        """The status once this many file versions have their outcome and nothing is running, waiting or owed."""
        answers: list[dict[str, Any]] = []

        def is_settled() -> bool:
            assert self.daemon is None or self.daemon.poll() is None, self.log
            # Counted before the status is asked for: a file that isn't known yet isn't waiting either.
            if self.query("SELECT count(*) FROM qbwatch.files")[0][0] < files:
                return False
            answer = self.status()
            answers[:] = [answer]
            return not (answer["pending"]["count"] or answer["current_run"] or answer["transform"]["debt"])

        wait_until(is_settled, timeout=timeout, what=f"{files} files to have an outcome")
        return answers[0]
