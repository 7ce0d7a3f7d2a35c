"""How long the daemon takes to load a large invoice export, beside a bare COPY of the same file into columns of text.

Nothing is judged here, only printed. Both are measured in turns, in the same run, on the same server.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from datetime import date, datetime

import psycopg
import pytest
from holding import drop_all
from installation import Installation
from measuring import memory_mb, show_facts, show_seconds
from psycopg import sql
from waiting import wait_until

from qbwatch.demo.exports import Dataset, ExportFile
from qbwatch.demo.history import Scale
from qbwatch.demo.story import story

ROUNDS = 3
_LINES_AN_INVOICE = 4  # at least, on average
_CHUNK = 1 << 18


def invoices_file(lines: int) -> ExportFile:
    """A full export of so many invoice lines, the same in every run."""
    told = story(date(2025, 6, 13), seed=lines, scale=Scale(customers=300, invoices=lines // _LINES_AN_INVOICE))
    whole = told.seed[list(Dataset).index(Dataset.INVOICES)]
    rows = whole.content.split(b"\r\n")[: lines + 1]
    assert len(rows) == lines + 1, "the generator's invoices have fewer lines than was thought"
    return ExportFile(whole.name, b"\r\n".join(rows) + b"\r\n", whole.folder)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("lines", [10_000, 50_000])
def test_a_large_export_beside_a_bare_copy(lines: int, install: Callable[..., Installation]) -> None:
    file = invoices_file(lines)
    installation = install()
    loads: list[float] = []
    copies: list[float] = []
    peaks: list[float] = []
    for _ in range(ROUNDS):
        copies.append(copy_bare(installation.url, file))
        seconds, peak = load(installation, file)
        loads.append(seconds)
        peaks.append(peak)

    size = len(file.content) / 1e6
    show_seconds(
        f"{lines:,} invoice lines, {size:.1f} MB", {"loaded by the daemon": loads, "COPY into columns of text": copies}
    )
    ratios = sorted(load / copy for load, copy in zip(loads, copies, strict=True))
    facts = [
        ("load / COPY, median of the rounds", f"{ratios[len(ratios) // 2]:.1f}"),
        ("lines loaded a second", f"{lines / sorted(loads)[len(loads) // 2]:,.0f}"),
        ("the daemon's peak of memory", f"{max(peaks):.0f} MB"),
    ]
    show_facts("", facts)


def copy_bare(url: str, file: ExportFile) -> float:
    """Seconds for COPY and commit of the file into a new table whose columns are all text."""
    header = file.content.split(b"\r\n", 1)[0].decode().split(",")
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in header)
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS bare")
        connection.execute(sql.SQL("CREATE TABLE bare ({})").format(columns))
        connection.commit()
        began = time.perf_counter()
        with connection.cursor().copy("COPY bare FROM STDIN (FORMAT csv, HEADER)") as copy:
            for start in range(0, len(file.content), _CHUNK):
                copy.write(file.content[start : start + _CHUNK])
        connection.commit()
        return time.perf_counter() - began


def load(installation: Installation, file: ExportFile) -> tuple[float, float]:
    """Seconds from the run's start to the item's end by the daemon's own log, and its peak of memory in MB."""
    begin_anew(installation)
    installation.start()
    assert installation.daemon is not None
    drop_all([file], installation.root / "drop")
    wait_until(lambda: logged_at(installation, "loaded"), 300, "the file to be loaded")
    begun, ended = logged_at(installation, "run started"), logged_at(installation, "loaded")
    assert begun is not None
    assert ended is not None
    peak = memory_mb(installation.daemon.pid, "VmHWM")
    assert installation.stop() == 0
    assert installation.outcomes() == {file.name: "loaded"}
    return (ended - begun).total_seconds(), peak


def begin_anew(installation: Installation) -> None:
    """No ledger, no rows, no files."""
    with psycopg.connect(installation.url) as connection:
        connection.execute("DROP SCHEMA IF EXISTS qbwatch, raw CASCADE")
    for folder in (installation.root / "state", installation.seed, installation.input):
        shutil.rmtree(folder)
        folder.mkdir()
    (installation.root / "daemon.log").unlink(missing_ok=True)


def logged_at(installation: Installation, event: str) -> datetime | None:
    """When the daemon's log first told of an event."""
    found = re.search(rf"^(\S+) info +{event} run=", installation.log, re.MULTILINE)
    return datetime.fromisoformat(found.group(1)) if found else None
