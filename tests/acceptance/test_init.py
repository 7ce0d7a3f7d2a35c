"""`qbwatch init` on a terminal and without one: asks, tries each answer out, writes one file, and never overwrites."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from installation import COMMAND

from qbwatch.config import load
from qbwatch.core.config_text import FirstAnswers, config_text
from qbwatch.datasets import datasets

ENVIRON = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}


def init(*words: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Without a terminal."""
    return subprocess.run(
        [*COMMAND, "init", *words],
        capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False, cwd="/",
        env={**ENVIRON, **(environ or {})},
    )  # fmt: skip


def talk(words: list[str], answers: list[tuple[str, str]]) -> str:
    """On a terminal: each answer is typed once its question has come; gives what was shown, as one line."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, [*COMMAND, "init", *words], ENVIRON)
    shown, position, left = "", 0, list(answers)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if left and left[0][0] in shown[position:]:
            position = len(shown)
            os.write(terminal, left.pop(0)[1].encode() + b"\n")
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                shown += os.read(terminal, 4096).decode("utf-8", "replace")
            except OSError:  # the other end is closed
                break
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, shown
    assert not left, shown
    return " ".join(shown.split())


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    """A folder with one file, and one of full exports beside it."""
    for name in ("input", "seed"):
        (tmp_path / name).mkdir()
    (tmp_path / "input" / "a.csv").write_text("x")
    return tmp_path / "input"


def test_what_it_asks_it_tries_out_until_it_works(tmp_path: Path, exports: Path, database_url: str) -> None:
    file = tmp_path / "new" / "qbwatch.toml"

    shown = talk(
        ["--config", str(file)],
        [
            ("Folder with the exports", str(tmp_path / "nowhere")),
            ("Take it all the same?", "n"),
            ("Folder with the exports", str(exports)),
            ("Folder of full exports", ""),
            ("Database [", "postgresql://127.0.0.1:1/none"),
            ("Take it all the same?", "n"),
            ("Database [", database_url),
            ("Zone of the office's clock", "Mars/Olympus"),
            ("Zone of the office's clock", "Europe/Berlin"),
            ("Dates in the exports", "dmy"),
            ("Whom to tell", "json://127.0.0.1:9/hook"),
            ("Whom to tell", ""),
        ],
    )

    assert "nowhere does not exist" in shown
    assert "1 file in 1 folder, all readable" in shown
    assert "Connection refused" in shown
    assert "'Mars/Olympus' is not a time zone" in shown
    assert f"Written: {file}" in shown
    made = load(file, {}, datasets=datasets())
    assert made.input.directory == exports
    assert made.input.seed_directory == exports.parent / "seed"
    assert made.database.url.get_secret_value() == database_url
    assert (str(made.quickbooks.timezone), made.quickbooks.date_order) == ("Europe/Berlin", "dmy")
    assert [url.get_secret_value() for url in made.alerts.urls] == ["json://127.0.0.1:9/hook"]
    assert file.stat().st_mode & 0o777 == 0o640


def test_without_a_terminal_all_comes_from_the_options(tmp_path: Path, exports: Path, database_url: str) -> None:
    file = tmp_path / "made.toml"

    done = init("--config", str(file), "--input", str(exports), "--database", database_url, "--timezone", "UTC")

    assert done.returncode == 0, done.stderr
    assert "qbwatch doctor" in done.stdout
    assert load(file, {}).quickbooks.date_order == "mdy"
    assert {path.name for path in tmp_path.iterdir()} == {"made.toml", "input", "seed"}


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path, exports: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("mine")

    done = init("--config", str(file), "--input", str(exports), "--database", "embedded")

    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert file.read_text() == "mine"


def test_an_answer_that_does_not_work_is_not_written_unless_wanted(tmp_path: Path) -> None:
    words = ["--config", str(tmp_path / "q.toml"), "--input", "/nowhere/in", "--database", "postgresql://127.0.0.1:1/x"]

    refused = init(*words)
    assert (refused.returncode, (tmp_path / "q.toml").exists()) == (1, False)
    assert "/nowhere/in does not exist" in refused.stderr
    assert "--untested" in refused.stderr

    assert init(*words, "--untested").returncode == 0
    assert load(tmp_path / "q.toml", {}).input.directory == Path("/nowhere/in")


def test_what_could_never_be_right_is_not_written_at_all(tmp_path: Path, exports: Path) -> None:
    done = init("--config", str(tmp_path / "q.toml"), "--input", str(exports), "--database", "nonsense", "--untested")

    assert done.returncode == 1
    assert "is not the address of a Postgres database" in done.stderr
    assert not (tmp_path / "q.toml").exists()


def test_the_folders_of_the_old_script_are_found(tmp_path: Path, exports: Path, database_url: str) -> None:
    file = tmp_path / "made.toml"

    done = init("--config", str(file), "--database", database_url, environ={"DROPBOX_PATH": str(tmp_path)})

    assert done.returncode == 0, done.stderr
    assert load(file, {}).input.seed_directory == exports.parent / "seed"


def test_where_there_is_no_configuration_it_is_named() -> None:
    done = subprocess.run(
        [*COMMAND, "--config", "/nonexistent/q.toml"], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 2
    assert "qbwatch init --config /nonexistent/q.toml" in done.stderr


def test_odd_characters_survive_and_every_comment_shows_a_right_line(tmp_path: Path) -> None:
    folder = '/srv/a "b" \\ ü € 😀 \x7f'
    text = config_text(FirstAnswers(folder, "postgresql:///x", "UTC", seed="/seed's", alerts=["mailto://a,b"]))

    assert tomllib.loads(text)["input"] == {"directory": folder, "seed_directory": "/seed's"}
    for line in text.splitlines():
        if line.startswith("#") and not line.startswith("# "):
            text = text.replace(line, line[1:])
    (tmp_path / "q.toml").write_text(text.replace('url = "embedded"', ""), "utf-8")
    made = load(tmp_path / "q.toml", {}, datasets=datasets())
    assert made.freshness.default == 2
