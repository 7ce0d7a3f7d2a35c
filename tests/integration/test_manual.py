"""The manual page has all that the help has, and roff and the shells take what is printed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from qbwatch.cli.group import cli


def printed(*words: str) -> str:
    """What a command prints."""
    done = CliRunner().invoke(cli, list(words), prog_name="qbwatch")
    assert done.exit_code == 0, done.output
    return done.output


def test_each_command_is_in_the_manual_with_its_options() -> None:
    page = printed("man").replace("\\-", "-")

    context = click.Context(cli, info_name="qbwatch")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert f".SS qbwatch {name}" in page
        for param in command.params:
            assert all(option in page for option in param.opts if option.startswith("--"))
    assert ".SS qbwatch alerts test" in page
    assert max(map(len, page.splitlines())) < 200


def test_roff_finds_no_fault_in_it() -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("needs groff")
    page = printed("man").encode()
    command = [groff, "-man", "-Tutf8", "-ww", "-z"]
    done = subprocess.run(command, input=page, capture_output=True, timeout=60, check=False)

    assert (done.returncode, done.stderr.decode()) == (0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_takes_the_completion(shell: str) -> None:
    text = printed("completion", shell)
    assert "_QBWATCH_COMPLETE" in text
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    done = subprocess.run([shell, "-n"], input=text, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_half_typed_command_is_completed() -> None:
    environ = {**os.environ, "_QBWATCH_COMPLETE": "bash_complete", "COMP_WORDS": "qbwatch sta", "COMP_CWORD": "1"}

    done = subprocess.run(
        [sys.executable, "-m", "qbwatch.cli"], env=environ, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.splitlines() == ["plain,status"]
