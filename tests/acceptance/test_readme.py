"""What the README says is so: its commands run as written; its settings, defaults, tables and columns exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click
import psycopg
import pytest
from guarding import temporary_folder
from installation import Installation

from qbwatch.cli.group import cli
from qbwatch.config import Config, known_keys, load
from qbwatch.datasets import datasets
from qbwatch.demo.exports import ExportFile
from qbwatch.demo.story import story
from qbwatch.edges.embedded import DATABASE, EmbeddedPostgres

CHECKOUT = Path(__file__).resolve().parents[2]
README = (CHECKOUT / "README.md").read_text("utf-8")
SHARED_OPTIONS = {"--config", "--json", "--help"}


def section(title: str) -> str:
    """The text below a heading, up to the next of the same depth."""
    depth = title.split(" ")[0]
    found = re.search(rf"^{re.escape(title)}\n(.*?)(?=^#{{1,{len(depth)}}} |\Z)", README, re.DOTALL | re.MULTILINE)
    assert found, f"no heading {title!r}"
    return found[1]


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def rows(text: str) -> list[list[str]]:
    """The cells of all table rows that begin with code; ``\\|`` doesn't occur."""
    return [
        [cell.strip() for cell in line.strip("|\n").split(" | ")] for line in re.findall(r"^\| ?`.*\|$", text, re.M)
    ]


def code(text: str) -> list[str]:
    """Everything in backticks, line breaks as blanks."""
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", text)]


def command_lines() -> list[list[str]]:
    """Each `qbwatch …` of the shell blocks as words, without what starts it as another user."""
    lines = [line for block in blocks(README, "sh") for line in block.splitlines()]
    words = [shlex.split(line.removeprefix("runuser -u qbwatch -- "), comments=True) for line in lines]
    return [each[1:] for each in words if each[:1] == ["qbwatch"]]


def command(name: str) -> click.Command:
    """A command of the command line."""
    found = cli.get_command(click.Context(cli), name)
    assert found is not None, f"there is no command {name}"
    return found


def options_of(found: click.Command) -> set[str]:
    """Its long options, without those that all have."""
    given = {name for each in found.params for name in each.opts if name.startswith("--")}
    return given - SHARED_OPTIONS


@pytest.fixture(scope="module")
def site(postgres_server: EmbeddedPostgres) -> Iterator[Installation]:
    """An installation with one loaded and one damaged file, and a home folder with a third; no daemon."""
    url = postgres_server.url_if_running()
    assert url is not None
    with psycopg.connect(url.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE readme")
    with temporary_folder("qbwatch-acceptance-") as root:
        made = Installation(root, url.replace(f"/{DATABASE}?", "/readme?"))
        told = [file for wave in story(date(2025, 4, 18)).waves for file in wave.files]
        invoices = [file for file in told if file.name.startswith("Invoice")]
        write(invoices[0], made.input / "Invoice_04_17_2025_2_00_03.csv")
        write(invoices[-1], root / "Invoice_04_18_2025_2_00_03.csv")
        (made.input / "Sales_Receipt_04_17_2025_3_00_02.csv").write_bytes(b'"Sales Receipt No\r\n')
        assert made.run("once").returncode == 3  # one loaded, one set aside
        yield made
    with psycopg.connect(url.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as connection:
        connection.execute("DROP DATABASE readme WITH (FORCE)")


def write(file: ExportFile, path: Path) -> None:
    """An export under a name of our own."""
    path.write_bytes(file.content)


def test_the_table_of_commands_is_complete_and_has_their_options() -> None:
    told: dict[str, set[str]] = {}
    for cells in rows(section("## Commands")):
        for synopsis in code(cells[0]):
            name, *others = synopsis.removeprefix("qbwatch").split() or [""]
            told.setdefault(name, set()).update(re.findall(r"--[a-z-]+", " ".join(others)))

    expected = {name: options_of(command(name)) for name in cli.list_commands(click.Context(cli))}
    assert told == {"": set()} | expected


@pytest.mark.parametrize("words", command_lines(), ids=" ".join)
def test_each_command_is_understood(words: list[str]) -> None:
    name, *arguments = words
    found = command(name)

    found.make_parser(click.Context(found)).parse_args(arguments)  # raises for an option that isn't there


def test_the_commands_of_the_example_run_as_written(site: Installation, tmp_path: Path) -> None:
    (tmp_path / "qbwatch").write_text(f'#!/bin/sh\nexec {sys.executable} -m qbwatch.cli "$@"\n')
    (tmp_path / "qbwatch").chmod(0o755)
    environ = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(CHECKOUT),
        "HOME": str(site.root),
        "QBWATCH_CONFIG": str(site.config),
    }
    example = blocks(section("## Commands"), "sh")[0]

    done = subprocess.run(
        ["/bin/sh", "-exc", example], env=environ, cwd="/", capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.count("+ qbwatch") == len(example.splitlines())
    assert "Traceback" not in done.stderr
    assert "quarantined Sales_Receipt_04_17_2025_3_00_02.csv" in done.stdout


def test_the_first_two_commands_and_the_wheel_are_targets_of_make() -> None:
    targets = re.findall(r"^([a-z]+):.*##", (CHECKOUT / "Makefile").read_text("utf-8"), re.M)
    told = [line.split()[1] for block in blocks(README, "sh") for line in block.splitlines() if line[:5] == "make "]

    assert told[:2] == ["demo", "test"]
    assert set(told) <= set(targets)


def test_the_settings_are_those_of_the_code_and_have_these_defaults(tmp_path: Path) -> None:
    text = section("## Configuration")
    told = dict.fromkeys(key for cells in rows(text) for key in code(cells[0]))
    defaults = {code(cells[0])[0]: cells[1] for cells in rows(text)}

    fixed = {f"{name}.{key}" for name in Config.model_fields for key in known_keys((name,))}
    named = {'freshness."quickbooks.invoices"', "freshness.fct_orders", 'expect."quickbooks.invoices"'}
    assert set(told) == fixed | named
    assert all(f"{key} = " in text for key in known_keys(("expect", "quickbooks.invoices")))

    given = {key: code(value)[0] for key, value in defaults.items() if "`" in value and "`default`" not in value}
    required = 'input.directory = "/x"\n'
    (tmp_path / "bare.toml").write_text(required)
    (tmp_path / "told.toml").write_text(required + "".join(f"{key} = {value}\n" for key, value in given.items()))
    told_config = load(tmp_path / "told.toml", {}, datasets=datasets())
    assert told_config.model_dump() == load(tmp_path / "bare.toml", {}, datasets=datasets()).model_dump()
    unspoken = {"input.directory", *named}
    nothing = {
        "input.seed_directory",
        "state.reserve",
        "transform.project",
        "transform.role",
        "page.file",
        "alerts.heartbeat",
    }
    assert set(told) - given.keys() == unspoken | nothing


def test_the_example_of_a_configuration_is_right(tmp_path: Path) -> None:
    example = "\n".join(blocks(README, "toml"))
    (tmp_path / "qbwatch.toml").write_text(example)

    config = load(tmp_path / "qbwatch.toml", {}, datasets=datasets())

    assert config.input.directory == Path("/srv/quickbooks-csv/input")
    assert set(config.expect) == {"quickbooks.invoices", "quickbooks.items"}


def test_the_datasets_are_those_of_the_code() -> None:
    told = [code(cells[0])[0] for cells in rows(section("## Files")) if cells[0].startswith("`quickbooks.")]

    assert sorted(told) == sorted(datasets())


def test_the_tables_views_and_columns_exist(site: Installation) -> None:
    existing: dict[str, set[str]] = {}
    for schema, table, column in site.query(
        "SELECT table_schema, table_name, column_name FROM information_schema.columns"
    ):
        existing.setdefault(f"{schema}.{table}", set()).add(column)
    text = section("## In the database")

    told = {code(cells[0])[0]: code(" ".join(cells[2:] or cells[1:])) for cells in rows(text)}
    assert {name for name in existing if name.startswith(("raw.", "analytics_mart."))} <= told.keys()
    for table, columns in told.items():
        assert set(columns) <= existing.get(table, set()), table
    for table in re.findall(r"`(qbwatch\.[a-z_]+)`", text):
        assert table in existing
    common = text[text.index("All but the prices have") : text.index("Values of a document's header")]
    for dataset in datasets().values():
        assert {name for name in code(common) if name.startswith("_")} <= existing[f"raw.{dataset.table}"]


def test_the_messages_are_those_of_the_code() -> None:
    files = [*CHECKOUT.glob("qbwatch/**/*.py")]
    source = " ".join(file.read_text("utf-8") for file in files)
    literal = re.sub(r'"\s+f?"', "", source)  # a sentence that goes on in the next line of the code

    for cells in rows(section("## Troubleshooting")):
        for message in code(cells[0]):
            for piece in re.split(r"…|\b[NM]\b", message):
                assert piece.strip(" :,") in literal, message
