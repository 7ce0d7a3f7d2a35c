"""The demo's own small installation: folders, a configuration, and the real daemon as a child process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qbwatch.core.model import QbwatchError
from qbwatch.edges.control_client import ControlUnreachable, call

_START_WITHIN = 30.0
_STOP_WITHIN = 30.0

_CONFIGURATION = """\
# Written by `qbwatch demo`. Everything of the demo lies below {root}.

[input]
directory      = "{root}/quickbooks-csv/input"
seed_directory = "{root}/quickbooks-csv/seed"
settle         = "200ms"

[state]
directory = "{root}/state"

[database]
url = "embedded"     # a private Postgres in the state folder

[quickbooks]
date_order = "mdy"
timezone   = "America/New_York"

[page]
file     = "{root}/quickbooks-csv/status/qbwatch.html"
receipts = true

[control]
socket = "{root}/control.sock"
"""


@dataclass(slots=True)
class Site:
    """An installation below ``root``. ``daemon`` is its process while it runs."""

    root: Path
    daemon: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.root / "qbwatch.toml"

    @property
    def drop_folder(self) -> Path:
        """Parent of the input and the seed folder: the Dropbox folder of the story."""
        return self.root / "quickbooks-csv"

    @property
    def page(self) -> Path:
        """The status page."""
        return self.drop_folder / "status" / "qbwatch.html"

    @property
    def log(self) -> Path:
        """Where the daemon's log goes."""
        return self.root / "qbwatch.log"

    def prepare(self) -> None:
        """Make folders and configuration. Raises `QbwatchError` when there is a demo already."""
        if self.config.exists():
            raise QbwatchError(f"{self.root} holds a demo already", "name another --directory, or remove that one")
        for folder in (self.drop_folder / "input", self.drop_folder / "seed", self.page.parent, self.root / "state"):
            folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(_CONFIGURATION.format(root=self.root), "utf-8")

    def start(self) -> None:
        """Start the daemon in a session of its own and wait until it answers."""
        with self.log.open("ab") as log:
            self.daemon = subprocess.Popen(
                [sys.executable, "-m", "qbwatch.cli", "run", "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.root,
                env={name: value for name, value in os.environ.items() if not name.startswith("QBWATCH_")},
                start_new_session=True,
            )
        self.wait_for(lambda status: status["daemon"]["state"] == "idle", _START_WITHIN)

    def status(self) -> dict[str, Any] | None:
        """The daemon's answer, or None while there is none."""
        try:
            answer: dict[str, Any] = call(self.root / "control.sock", "status", timeout=2.0)
        except ControlUnreachable:
            return None
        return answer

    def wait_for(self, true: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        """The first answer for which ``true`` holds. Raises `QbwatchError` when the daemon ends, or time runs out."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            answer = self.status()
            if answer is not None and answer["answered_by"] == "daemon" and true(answer):
                return answer
            if self.daemon is not None and self.daemon.poll() is not None:
                raise QbwatchError("the daemon of the demo ended unexpectedly", f"its log: {self.log}")
            time.sleep(0.1)
        raise QbwatchError(f"the demo waited {seconds:.0f} s in vain", f"the daemon's log: {self.log}")

    def stop(self) -> None:
        """End the daemon as a service manager would, and its Postgres with it."""
        if self.daemon is None or self.daemon.poll() is not None:
            return
        self.daemon.send_signal(signal.SIGTERM)
        try:
            self.daemon.wait(_STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
