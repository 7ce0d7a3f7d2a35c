"""The help fits 80 columns and shows how each command is called; each kind of mistake has its exit code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from installation import Installation

from qbwatch.cli.group import cli
from qbwatch.demo.drop import drop
from qbwatch.demo.exports import ExportFile
from qbwatch.demo.story import story
from qbwatch.edges.shipped import shipped

COMMANDS = cli.list_commands(click.Context(cli))


def help_of(*words: str) -> str:
    """What ``--help`` prints on a terminal of 80 columns."""
    shown = CliRunner().invoke(cli, [*words, "--help"], prog_name="qbwatch", terminal_width=80)
    assert shown.exit_code == 0
    return shown.output


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)], ids=" ".join)
def test_the_help_fits_and_has_an_example(words: tuple[str, ...]) -> None:
    lines = help_of(*words).splitlines()

    assert max(map(len, lines)) <= 80
    examples = [line for line in lines if line.startswith(f"    qbwatch {' '.join(words)}".rstrip())]
    assert examples
    assert {"  Example:", "  Examples:"} & set(lines)


def test_the_list_of_commands_cuts_no_sentence_short() -> None:
    listed = help_of().partition("Commands:\n")[2].splitlines()

    assert [line.split()[0] for line in listed] == COMMANDS
    assert all(line.endswith((".", "?", ")")) and not line.endswith("...") for line in listed)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("status", 2),
        ("status --check", 3),
        ("run", 2),
        ("once --nonsense", 2),
        ("statsu", 2),
    ],
)
def test_mistakes_of_usage_and_configuration_are_told_apart(
    words: str, code: int, install: Callable[..., Installation]
) -> None:
    installation = install(extra="\n[freshness]\ndefault = 2\n")  # a number where "2 business days" is meant

    done = installation.run(*words.split())

    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stdout + done.stderr


def test_a_zone_that_is_none_is_a_mistake_of_usage(tmp_path: Path, install: Callable[..., Installation]) -> None:
    (tmp_path / "some.csv").touch()

    done = install().run("check", "--timezone", "Mars/Olympus", str(tmp_path / "some.csv"))

    assert done.returncode == 2
    assert "'Mars/Olympus'" in done.stderr
    assert "Traceback" not in done.stderr


def test_once_answers_in_json_alone_and_builds_again_what_dbt_failed_at(
    tmp_path: Path, install: Callable[..., Installation]
) -> None:
    project = tmp_path / "dbt"
    shutil.copytree(shipped("dbt"), project)
    model = project / "models/marts/fct_customers.sql"
    right = model.read_text("utf-8")
    model.write_text(right.replace("customers.customer_name,", "customers.nonsense,"), "utf-8")
    installation = install(extra=f'\n[transform]\nproject = "{project}"\n')
    drop(first_customers(), installation.input.parent)

    failed = json.loads(installation.run("once", "--json").stdout)["run"]
    model.write_text(right, "utf-8")
    mended = json.loads(installation.run("once", "--json").stdout)["run"]
    again = json.loads(installation.run("once", "--json").stdout)["run"]

    assert (failed["status"], failed["loaded"], failed["transform"]) == ("partial_failure", 1, "model_error")
    assert (mended["mode"], mended["status"], mended["transform"]) == ("repair", "success", "built")
    assert again is None


def first_customers() -> list[ExportFile]:
    """The demo's first window of customers."""
    files = [file for wave in story(date(2025, 4, 18)).waves for file in wave.files]
    return [next(file for file in files if file.name.startswith("Customer"))]
