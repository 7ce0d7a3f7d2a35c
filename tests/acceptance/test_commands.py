"""The commands that tell and decide: their JSON, their text, their mistakes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from installation import COMMAND, Installation
from small_exports import customers, invoices

INVOICE = "Invoice_04_01_2025_2_00_00.csv"
ROWS = {"read", "structural", "inserted", "updated", "unchanged", "removed", "rejected"}
PART = {"sheet", "dataset", "state", "reason", "hint", "attempt", "next_attempt_at", "loaded_at", "rows"}
CHECKED = {
    "sheet", "dataset", "format", "encoding", "as_of", "full", "period", "basis", "rows", "row_classes", "sums",
    "printed_totals", "drift", "rejects", "complete", "verdict", "reason", "hint",
}  # fmt: skip


@pytest.fixture
def office(install: Callable[..., Installation]) -> Installation:
    """An installation that has loaded a file and set one aside."""
    installation = install()
    (installation.input / INVOICE).write_bytes(invoices(a=["10.00", "5.00"]))
    (installation.input / "notes.csv").write_bytes(b"a,b\r\n1,2\r\n")
    (installation.input / "~$notes.csv").write_bytes(b"x")
    assert installation.run("once").returncode == 3
    return installation


def bare(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command without any configuration to be found."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("QBWATCH_", "DATABASE_"))}
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        env={**clean, "HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd), **environ},
        check=False,
    )


def assert_tidy(text: str) -> None:
    """No line wider than a terminal, none with blanks at its end, no escape sequence."""
    assert text.endswith("\n")
    assert "\x1b" not in text
    assert [line for line in text.splitlines() if len(line) > 80 or line != line.rstrip()] == []


def test_files_why_and_retry_as_json_and_as_text(office: Installation) -> None:
    listed = office.json("files")
    assert listed["version"] == 1
    by_name = {file["name"]: file for file in listed["files"]}
    assert by_name.keys() == {INVOICE, "notes.csv"}
    loaded = by_name[INVOICE]
    assert loaded.keys() >= {"name", "path", "size_bytes", "first_seen_at", "as_of", "full", "parts"}
    (part,) = loaded["parts"]
    assert part.keys() == PART
    assert part["rows"].keys() == ROWS
    assert (part["dataset"], part["state"], part["rows"]["inserted"]) == ("quickbooks.invoices", "loaded", 2)
    narrowed = [office.json("files", *words)["files"] for words in (("--state", "quarantined"), ("--dataset", "items"))]
    assert [[file["name"] for file in files] for files in narrowed] == [["notes.csv"], []]
    assert [(file["name"], file["ignored_by"]) for file in office.json("files", "--state", "ignored")["files"]] == [
        ("~$notes.csv", "office lock file")
    ]

    story = office.json("why", INVOICE)
    assert (story["version"], story["name"]) == (1, INVOICE)
    (version,) = story["versions"]
    assert version["as_of"] == "2025-04-01T06:00:00+00:00"
    assert version["as_of_basis"] == "name"
    assert version["parts"][0]["sums"]["product_service_amount"] == "15.00"

    for words in (
        ("files",),
        ("files", "--state", "ignored"),
        ("files", "--dataset", "items"),
        ("why", INVOICE),
        ("why", "notes.csv"),
        ("why", "~$notes.csv"),
        ("status",),
        ("plan",),
    ):
        done = office.run(*words)
        assert (done.returncode, done.stderr) == (0, "")
        assert_tidy(done.stdout)
    text = office.run("why", INVOICE).stdout
    assert "2025-04-01 02:00:00 EDT (from its name)" in text, "the office's clock, not UTC"
    assert "2 rows read = 2 inserted" in text
    assert "do:" in office.run("why", "notes.csv").stdout

    assert office.json("retry", "notes.csv") == {"version": 1, "released": 1}
    assert office.outcomes()["notes.csv"] == "pending"
    assert "Nothing is quarantined" in office.run("retry", "--all").stdout
    assert office.run("once").returncode == 1, "it is as unknown as before, and that is said again"
    assert office.run("retry", "--all").stdout.startswith("1 file back in the queue; no daemon is up")


@pytest.mark.parametrize(
    ("words", "code", "said", "hint"),
    [
        (("why", "nope.csv"), 1, "nope.csv is not in the ledger", "qbwatch files"),
        (("retry", "nope.csv"), 1, "nothing to retry: nope.csv", "qbwatch files"),
        (("retry",), 2, "name files, or say --all", "qbwatch retry --help"),
        (("retry", "--all", INVOICE), 2, "name files, or say --all", "qbwatch retry --help"),
        (("files", "--state", "lost"), 2, "'lost' is not one of", "qbwatch files --help"),
        (("files", "--dataset", "lost"), 2, "unknown dataset 'lost'", "qbwatch files --help"),
        (("why",), 2, "Missing argument 'FILE'", "qbwatch why --help"),
        (("check", "nope.csv"), 2, "'nope.csv' does not exist", "qbwatch check --help"),
    ],
)
def test_a_mistake_is_one_line_and_a_hint(
    install: Callable[..., Installation], words: tuple[str, ...], code: int, said: str, hint: str
) -> None:
    installation = install()
    with psycopg.connect(installation.url):
        from qbwatch.edges.migrate import migrate

        migrate(installation.url)
    done = installation.run(*words)

    assert (done.returncode, done.stdout) == (code, "")
    first, second = done.stderr.splitlines()
    assert first.startswith("qbwatch: ")
    assert said in first
    assert second.startswith("  hint: ")
    assert hint in second


def test_before_the_first_run_there_is_no_ledger_and_that_is_said(install: Callable[..., Installation]) -> None:
    for installation in (install(), install(url="embedded")):
        done = installation.run("files")
        assert done.returncode == 1
        assert "no ledger yet" in done.stderr
        assert "hint: run qbwatch once" in done.stderr


def test_the_configuration_is_named_before_or_after_the_command(install: Callable[..., Installation]) -> None:
    installation = install()
    cwd = installation.root
    place = str(installation.config)

    for words in (("--config", place, "plan", "--json"), ("plan", "--json", "--config", place)):
        done = bare(*words, cwd=cwd)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["mode"] is None
    assert bare("plan", cwd=cwd, QBWATCH_CONFIG=place).returncode == 0
    assert "Next: " in bare("--config", place, cwd=cwd).stdout


def test_a_wrong_configuration_is_exit_code_2_with_file_and_line(install: Callable[..., Installation]) -> None:
    installation = install(extra='\n[quickbooks]\ndate_ordre = "mdy"\n')
    line = installation.config.read_text().splitlines().index('date_ordre = "mdy"') + 1
    assert tomllib.loads(installation.config.read_text())

    for command in ("once", "plan", "status", "files", "run", "check"):
        words = (command, str(installation.config)) if command == "check" else (command,)
        done = installation.run(*words)
        assert (done.returncode, done.stdout) == (2, ""), command
        assert f"{installation.config}, line {line}" in done.stderr or f"{installation.config}:{line}" in done.stderr
        assert "date_order" in done.stderr
        assert "Traceback" not in done.stderr


def test_no_configuration_at_all_says_where_it_was_looked_for(tmp_path: Path) -> None:
    done = bare("status", cwd=tmp_path)

    assert done.returncode == 2
    assert "no configuration at /etc/qbwatch/qbwatch.toml" in done.stderr


def test_a_mistyped_command_is_answered_with_the_nearest(tmp_path: Path) -> None:
    done = bare("staus", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "qbwatch: no such command: 'staus'; did you mean 'status'?",
        "  hint: qbwatch --help",
    ]


def test_a_traceback_only_with_debug(install: Callable[..., Installation]) -> None:
    installation = install(url="postgresql:///nothing?host=/nonexistent")

    plain = installation.run("files")
    debugged = [
        installation.run("files", "--debug"),
        bare("--debug", "files", "--config", str(installation.config), cwd=installation.root),
    ]

    assert (plain.returncode, "Traceback" in plain.stderr) == (1, False)
    assert all("Traceback" in done.stderr for done in debugged)


def test_check_needs_neither_configuration_nor_database(tmp_path: Path) -> None:
    file = tmp_path / INVOICE
    file.write_bytes(invoices(a=["10.00", "5.00"]))

    done = bare("check", INVOICE, "--json", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["version"], said["name"]) == (1, INVOICE)
    (part,) = said["parts"]
    assert part.keys() >= CHECKED
    assert (part["verdict"], part["dataset"], part["complete"]) == ("load", "quickbooks.invoices", True)
    assert part["rows"].keys() >= {"read", "structural", "inserted", "updated", "unchanged", "rejected"}
    assert (part["rows"]["read"], part["rows"]["inserted"]) == (2, 2)
    assert part["sums"]["product_service_amount"] == "15.00"
    text = bare("check", INVOICE, "--timezone", "Europe/Berlin", cwd=tmp_path)
    assert "speaks for 2025-04-01 02:00:00 CEST" in text.stdout
    assert_tidy(text.stdout)
    assert bare("check", INVOICE, "--timezone", "Nowhere/City", cwd=tmp_path).returncode == 2
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("name", "content", "code", "verdict"),
    [
        ("notes.csv", b"a,b\r\n1,2\r\n", 1, "quarantine"),
        ("Invoice_13_45_2025.csv", invoices(a=["10.00"]), 1, "quarantine"),
        (INVOICE, invoices(a=["x"], b=["y"]), 1, "quarantine"),
        ("~$Invoice.csv", b"x", 0, "ignore"),
        ("empty.csv", b"", 1, "quarantine"),
    ],
)
def test_check_says_what_would_become_of_a_file(
    tmp_path: Path, name: str, content: bytes, code: int, verdict: str
) -> None:
    (tmp_path / name).write_bytes(content)

    done = bare("check", "--json", "--", name, cwd=tmp_path)

    (part,) = json.loads(done.stdout)["parts"]
    assert (done.returncode, part["verdict"]) == (code, verdict)
    assert part["reason"]
    assert part["hint"]


def test_check_tells_what_would_change_and_changes_nothing(office: Installation) -> None:
    later = office.root / "Invoice_04_02_2025_2_00_00.csv"
    later.write_bytes(invoices(a=["10.00"], b=["20.00"]))
    before = office.query("SELECT t::text FROM raw.quickbooks_invoices AS t ORDER BY 1")

    (part,) = office.json("check", str(later))["parts"]
    (again,) = office.json("check", str(office.input / INVOICE))["parts"]

    rows = part["rows"]
    assert (rows["inserted"], rows["updated"], rows["unchanged"], rows["removed"]) == (1, 0, 1, 1)
    assert (again["verdict"], again["reason"]) == ("duplicate", f"the same bytes for the same moment as {INVOICE}")
    assert office.query("SELECT t::text FROM raw.quickbooks_invoices AS t ORDER BY 1") == before
    assert office.query("SELECT count(*) FROM qbwatch.files") == [(2,)]


def test_check_takes_what_lies_in_the_seed_folder_for_a_full_export(install: Callable[..., Installation]) -> None:
    installation = install()
    (installation.seed / "Customer.csv").write_bytes(customers(c="Acme"))

    (part,) = installation.json("check", str(installation.seed / "Customer.csv"))["parts"]

    assert part["full"] is True


def on_a_terminal(installation: Installation, *words: str, **environ: str) -> str:
    """What a command says to a terminal."""
    ours, theirs = pty.openpty()
    env: dict[str, Any] = {**os.environ, "TERM": "xterm", **environ}
    subprocess.run(
        [*COMMAND, *words, "--config", str(installation.config)], stdout=theirs, stderr=theirs, env=env, check=False
    )
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            said += chunk
    except OSError:  # all was read, and nobody writes any more
        pass
    finally:
        os.close(ours)
    return said.decode()


def test_colours_only_on_a_terminal_and_without_no_color(install: Callable[..., Installation]) -> None:
    installation = install()

    assert "\x1b[" in on_a_terminal(installation, "status")
    assert "\x1b[" not in on_a_terminal(installation, "status", NO_COLOR="1")
    assert "\x1b[" not in installation.run("status").stdout
