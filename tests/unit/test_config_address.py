"""Where the daemon is asked is known without checking the whole configuration, and it is the place that counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from qbwatch.config import load
from qbwatch.config_address import address

FOLDER = '[input]\ndirectory = "/srv/drop"\n[database]\nurl = "postgresql:///books"\n'


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("", {}),
        ('[control]\nsocket = "/run/other.sock"\n', {}),
        ('[control]\nsocket = "~/a/../b.sock"\n[quickbooks]\ntimezone = "Europe/Berlin"\n', {}),
        ('[control]\nsocket = "/run/other.sock"\n', {"QBWATCH_CONTROL__SOCKET": "/run/third.sock"}),
        ("", {"QBWATCH_QUICKBOOKS__TIMEZONE": "Asia/Tokyo", "QBWATCH_STATE__DIRECTORY": "/srv/state"}),
        ('[state]\ndirectory = "/srv/state"\n', {"XDG_RUNTIME_DIR": "/nowhere", "HOME": "/srv"}),
    ],
)
def test_it_is_what_the_whole_configuration_says(tmp_path: Path, text: str, environ: dict[str, str]) -> None:
    file = tmp_path / "qbwatch.toml"
    file.write_text(FOLDER + text)

    found, whole = address(file, environ), load(file, environ)

    assert found is not None
    assert (found.socket, found.zone) == (whole.control.socket, whole.quickbooks.timezone)


def test_a_mistake_elsewhere_keeps_nobody_from_asking(tmp_path: Path) -> None:
    (tmp_path / "qbwatch.toml").write_text('[control]\nsocket = "/run/a.sock"\n[input]\nsettle = "soon"\n')

    found = address(tmp_path / "qbwatch.toml", {})

    assert found is not None
    assert found.socket == Path("/run/a.sock")


@pytest.mark.parametrize(
    "text",
    [
        "[control",
        '[control]\nsocket = "a.sock"',
        "control = 3",
        '[quickbooks]\ntimezone = "Mars/Olympus"',
        "[control]\nsocket = 3",
    ],
)
def test_what_is_wrong_with_it_is_left_to_whoever_reads_all(tmp_path: Path, text: str) -> None:
    (tmp_path / "qbwatch.toml").write_text(text)

    assert address(tmp_path / "qbwatch.toml", {}) is None


def test_the_checks_of_the_rest_are_not_even_imported() -> None:
    code = "import sys, qbwatch.config_address, qbwatch.cli.status; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
