"""systemd itself finds no fault in the unit that is printed for a configuration."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from qbwatch.config import load
from qbwatch.unit_facts import facts_of, unit_text


@pytest.mark.parametrize("is_user", [False, True], ids=["system", "user"])
def test_systemd_finds_no_fault(tmp_path: Path, is_user: bool) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    config = tmp_path / "50% of it.toml"
    config.write_text(f'[input]\ndirectory = "/srv/in"\n[state]\ndirectory = "{tmp_path}/its state"\n')
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "alert_urls").write_text("mailto://x")
    unit = tmp_path / "qbwatch.service"
    unit.write_text(unit_text(load(config, {}), account="root", is_user=is_user), "utf-8")

    done = subprocess.run(
        ["systemd-analyze", "--user" if is_user else "--system", "verify", "--man=no", str(unit)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    said = [line for line in (done.stdout + done.stderr).splitlines() if "qbwatch" in line]
    assert said == []


def test_the_command_is_one_that_runs(tmp_path: Path) -> None:
    (tmp_path / "qbwatch.toml").write_text('[input]\ndirectory = "/srv/in"\n')

    facts = facts_of(load(tmp_path / "qbwatch.toml", {}))

    assert str(facts.config) == str(tmp_path / "qbwatch.toml")
    done = subprocess.run([*facts.program, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("qbwatch")
