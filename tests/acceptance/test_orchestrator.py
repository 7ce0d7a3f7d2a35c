"""`qbwatch-orchestrator` as a crontab calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date

from installation import Installation

from qbwatch.demo.drop import drop
from qbwatch.demo.story import story

OLD = (sys.executable, "-m", "qbwatch.cli.orchestrator")


def test_a_crontabs_call_loads_and_names_its_new_form(install: Callable[..., Installation]) -> None:
    installation = install()
    files = [file for wave in story(date(2025, 4, 18)).waves for file in wave.files]
    drop([next(file for file in files if file.name.startswith("Customer"))], installation.input.parent)
    # As the old script was told: by DROPBOX_PATH and DATABASE_URL, and by nothing else.
    environ = {
        **os.environ,
        "DROPBOX_PATH": str(installation.input.parent),
        "DATABASE_URL": installation.url,
        "QBWATCH_CONFIG": "",
        "XDG_CONFIG_HOME": str(installation.root / "none"),
        "QBWATCH_STATE__DIRECTORY": str(installation.root / "state"),
        "QBWATCH_CONTROL__SOCKET": str(installation.root / "control.sock"),
        "QBWATCH_INPUT__SETTLE": "150ms",
    }

    done = subprocess.run(
        [*OLD, "--mode", "incremental"], env=environ, cwd="/", capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == "qbwatch-orchestrator: this is now `qbwatch once`"
    assert "1 file loaded" in done.stdout
    assert set(installation.outcomes().values()) == {"loaded"}
