"""`qbwatch tui` as a person starts it: on a real terminal (in tmux), on none, and on an odd one."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from installation import Installation
from small_exports import customers, invoices
from waiting import wait_until
from without_dbt import COMMAND

KEPT = Path(__file__).parents[2] / "build" / "tui"
needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux: apt-get install tmux")


@dataclass
class Terminal:
    """A terminal of 100×30 in a tmux server of its own."""

    server: str

    def tmux(self, *words: str) -> str:
        """What tmux answers."""
        done = subprocess.run(
            ["tmux", "-L", self.server, *words], capture_output=True, text=True, check=False, timeout=20
        )
        return done.stdout

    def type(self, *keys: str) -> None:
        """As a person would."""
        for key in keys:
            self.tmux("send-keys", "-t", "0", key)

    @property
    def text(self) -> str:
        """The screen."""
        return self.tmux("capture-pane", "-p", "-t", "0")

    def sees(self, *texts: str, timeout: float = 40) -> str:
        """Wait until it stands there; gives the screen."""
        try:
            wait_until(lambda: all(text in self.text for text in texts), timeout, str(texts))
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen:\n{self.text}") from error
        return self.text

    def keep(self, name: str) -> None:
        """The screen, for people: as text and with its colours."""
        KEPT.mkdir(parents=True, exist_ok=True)
        (KEPT / f"{name}.txt").write_text(self.text, "utf-8")
        (KEPT / f"{name}.ansi").write_text(self.tmux("capture-pane", "-p", "-e", "-t", "0"), "utf-8")


@contextmanager
def terminal(office: Installation, *words: str, **environ: str) -> Iterator[Terminal]:
    """A shell on a terminal in which the command was typed."""
    there = Terminal(f"qbwatch-test-{os.getpid()}")
    variables = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), **environ}
    try:
        there.tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", "env", "PS1=$ ", "sh")
        command = [*(f"{name}={value}" for name, value in variables.items()), *office.command, "tui", "--config",
                   str(office.config), *words]  # fmt: skip
        there.tmux("send-keys", "-t", "0", "-l", "env " + shlex.join(command))
        there.type("Enter")
        yield there
    finally:
        there.tmux("kill-server")


@needs_tmux
@pytest.mark.timeout(240)
def test_from_the_drop_of_a_file_until_it_is_loaded(install: Callable[..., Installation]) -> None:
    office = install(command=COMMAND)
    office.start()
    with terminal(office) as there:
        there.sees("daemon idle", "no run so far")
        there.keep("1_nothing_yet")
        there.type("p")
        there.sees("Nothing more is begun")
        there.keep("2_shall_it_pause")
        there.type("y")
        there.sees("daemon paused")
        office.drop(written(office))
        there.type("2")
        there.sees("pending", "Invoice_04_01_2025_2_00_00.csv", "Customer_04_01_2025_1_00_00.csv")
        there.keep("3_waiting")
        there.type("u")
        there.sees("Yes, do it")
        there.type("y")
        there.sees("2 loaded")
        there.keep("4_loaded")
        there.type("Enter")
        there.sees("rows read =", "loaded as quickbooks.")
        there.keep("5_why")
        there.type("Escape")
        there.sees("2 loaded", "Retry")
        there.type("3")
        there.sees("asked for", "seed", "success")
        there.type("Enter")
        there.sees("Run 1 (seed)", "2 parts")
        there.keep("6_the_run")
        there.type("Escape")
        there.sees("asked for")
        there.type("q")
        there.sees("$")
        wait_until(lambda: "asked for" not in there.text, 20, "the terminal to be as before")
        there.type("stty -a | grep -o -e ' echo ' -e ' icanon '", "Enter")
        there.sees("icanon")


@needs_tmux
@pytest.mark.timeout(240)
def test_settings_are_changed_in_the_editor_and_count_after_the_reload(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    office = install(command=COMMAND)
    office.start()
    editor = tmp_path / "my editor"
    editor.write_text('#!/bin/sh\nread -r new\nsed -i "s/^settle .*/settle = $new/" "$1"\n')
    editor.chmod(0o755)
    with terminal(office, EDITOR=shlex.quote(str(editor))) as there:
        there.sees("daemon idle")
        there.type("5")
        there.sees("Edit settings", "the same: ")
        there.type(*["Tab"] * 11)
        there.sees("input.settle", "alerts.*", "EDITOR:-vi")
        there.type("Enter")
        wait_until(lambda: "Edit settings" not in there.text, 20, "the editor to have the terminal")
        there.type('"200ms"', "Enter")
        there.sees("Reload the configuration", "Yes, do it")
        there.type("y")
        there.sees("changed: input.settle")

        there.type("Enter")
        wait_until(lambda: "Edit settings" not in there.text, 20, "the editor to have the terminal")
        there.type("nonsense", "Enter")
        there.sees("Reload the configuration")
        there.type("y")
        there.sees("it is wrong, so nothing")

        there.type("q")
        there.sees("$")


def written(office: Installation) -> list[Path]:
    """Two exports, ready to be dropped."""
    exports = {
        "Invoice_04_01_2025_2_00_00.csv": invoices(a=["1.00"]),
        "Customer_04_01_2025_1_00_00.csv": customers(a="Ann"),
    }
    for name, content in exports.items():
        (office.root / name).write_bytes(content)
    return [office.root / name for name in exports]


@needs_tmux
@pytest.mark.parametrize(
    "environ",
    [{"TERM": "screen"}, {"NO_COLOR": "1"}, {"LANG": "C", "LC_ALL": "C"}],
    ids=["8 colours", "NO_COLOR", "LANG=C"],
)
def test_it_works_on_poor_terminals(install: Callable[..., Installation], environ: dict[str, str]) -> None:
    office = install(command=COMMAND)
    office.start()
    with terminal(office, **environ) as there:
        there.sees("daemon idle")
        if "NO_COLOR" in environ:
            shown = there.tmux("capture-pane", "-p", "-e", "-t", "0")
            assert set(map(int, re.findall(r"[34]8;5;(\d+)", shown))) <= {16, 231, *range(232, 256)}, "only greys"
            assert "8;2;" not in shown
        there.type("q")
        there.sees("$")


@pytest.mark.parametrize("term", [None, "dumb", "xterm"])
def test_without_a_terminal_it_says_what_to_use_instead(install: Callable[..., Installation], term: str | None) -> None:
    office = install(command=COMMAND)
    environ = {name: value for name, value in os.environ.items() if name != "TERM"}
    done = subprocess.run(
        [*office.command, "tui", "--config", str(office.config)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env=environ | ({"TERM": term} if term else {}),
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "qbwatch: the terminal interface needs a terminal",
        "  hint: use `qbwatch status`; with ssh: ssh -t",
    ]
