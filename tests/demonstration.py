"""Running `qbwatch demo` as a person would, and what it has to say and to leave behind."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

DEMO_WITHIN = 180.0  # seconds, on a busy machine; it takes about 30 on an idle one
ALL_AGREE = re.compile(r"^(?P<title>.+): \d+ files; .*; (?P<right>\d+) of (?P<all>\d+) figures agree", re.MULTILINE)
WAVES = 5  # the history, and four drops


@contextmanager
def elsewhere() -> Iterator[Path]:
    """A folder outside of the checkout with a short path, which the account of a private Postgres can reach."""
    with tempfile.TemporaryDirectory(prefix="qbwatch-demo-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def surroundings(temporary: Path, **further: str) -> dict[str, str]:
    """Our environment without settings of qbwatch, with temporary files where they can be counted."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QBWATCH_")}
    return {**kept, "TMPDIR": str(temporary), **further}


def run_demo(command: list[str], cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The whole demo, not on a terminal."""
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=DEMO_WITHIN, check=False)


def assert_tells_all(said: str) -> None:
    """Every wave with its figures, the status, the newest orders, the damaged file with reason and hint."""
    waves = list(ALL_AGREE.finditer(said))
    assert [(wave["right"], wave["all"]) for wave in waves] == [(waves[0]["all"],) * 2] * WAVES
    assert "DIFFERS" not in said
    for heading in ("qbwatch status", "The newest rows of analytics_mart.fct_orders", "The damaged file"):
        assert f"\n{heading}\n" in said
    orders = said.partition("analytics_mart.fct_orders\n")[2].splitlines()
    assert re.search(r"\d\d\d\d-\d\d-\d\d .* \d+\.\d\d$", orders[1])
    damaged = said.partition("\nThe damaged file\n")[2]
    assert re.search(r"^  Sales_Receipt_\S+\.csv is quarantined", damaged)
    assert re.search(r"^  why: .*line 2", damaged, re.MULTILINE)
    assert re.search(r"^  do:  .*date_order", damaged, re.MULTILINE)


def processes_below(folder: Path) -> dict[int, str]:
    """Living processes that work in the folder or name it in their command line: each one's name and command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                name = (entry / "comm").read_text().strip()
                where = os.readlink(entry / "cwd")
            except OSError:
                continue
            if command and (str(folder) in command or where.startswith(str(folder))):
                found[int(entry.name)] = f"{name}: {command}"
    return found
