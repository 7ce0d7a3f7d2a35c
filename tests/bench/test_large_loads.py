"""Large files through a running daemon into Postgres: the peaks of memory of the daemon and of its readers' children.

The whole road: settled, copied into the vault, recognised, staged, folded, accounted for. Only dbt builds nothing here.
The limit is a promise.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
import without_dbt
from installation import Installation
from large_files import MEMORY, words, write_package
from measuring import memory_mb, show_facts
from waiting import wait_until

WITHIN = 880.0  # seconds for one file
MEGABYTES = 300
HEADER = (
    "QuickBooks Internal Id,Invoice No,Invoice Date,Customer,Product/Service,Product/Service Description,"
    "Product/Service Quantity,Product/Service  Amount"
)
LINES = 4  # of an invoice
READERS = re.compile(rb"workbook_child|lane_child")
TEXTS = (
    "Memo", "Customer Message", "Product/Service Description", "Shipping Method", "Terms", "Class", "PO Number",
    "Template", "Sales Rep", "FOB", "Billing Address Line1", "Billing Address Line2", "Billing Address Line3",
    "Shipping Address Line1", "Shipping Address Line2",
)  # fmt: skip


def readers_of(daemon: int) -> Iterator[int]:
    """The processes that read for a daemon."""
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and READERS.search((folder / "cmdline").read_bytes()):
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == daemon:
                    yield int(folder.name)
        except (OSError, IndexError):  # it is gone
            continue


def load(office: Installation, file: Path, title: str) -> int:
    """Let the daemon load a file that lies beside its folder; returns how many rows the table holds."""
    office.command = without_dbt.COMMAND
    office.start()
    assert office.daemon is not None
    daemon, child, began = office.daemon.pid, 0.0, time.monotonic()
    file.rename(office.input / file.name)

    def is_done() -> bool:
        nonlocal child
        for reader in readers_of(daemon):
            try:
                child = max(child, memory_mb(reader, "VmHWM"))
            except (OSError, LookupError):
                continue
        state = office.outcomes().get(file.name)
        assert state in (None, "pending", "loading", "loaded"), office.run("why", file.name).stdout
        return state == "loaded"

    wait_until(is_done, WITHIN, f"{file.name} to be loaded")
    own, seconds = memory_mb(daemon, "VmHWM"), time.monotonic() - began
    ((rows,),) = office.query("SELECT count(*) FROM raw.quickbooks_invoices")
    size = (office.input / file.name).stat().st_size / 1e6
    facts = [("size", f"{size:,.0f} MB"), ("rows", f"{rows:,}"), ("seconds", f"{seconds:.0f}")]
    show_facts(title, [*facts, ("peak of the daemon", f"{own:.0f} MB"), ("peak of a reader", f"{child:.0f} MB")])
    assert max(own, child) <= MEMORY
    assert office.stop() == 0
    return int(rows)


@pytest.mark.timeout(1000)
@pytest.mark.parametrize("description", ['"Jack, 2/9"" Helm"', '2/9" Helm'], ids=["plain", "read with care"])
def test_a_csv_of_300_megabytes_is_loaded(install: Callable[..., Installation], description: str) -> None:
    office, size, document = install(), 0, 0
    path = office.root / "Invoice_04_01_2025_2_00_00.csv"
    with path.open("wb") as out:
        size += out.write(f"{HEADER}\r\n".encode())
        while size < MEGABYTES * 10**6:
            document += 1
            line = f"{document:X}-1477859147,M{document},04-01-2025,Acme LLC:Job 1,81-0006,{description},10,110.00"
            size += out.write(f"{line}\r\n".encode() * LINES)
    assert load(office, path, f"A CSV of {MEGABYTES} MB") == document * LINES
    assert office.query("SELECT sum(product_service_amount) FROM raw.quickbooks_invoices") == [
        (document * LINES * 110,)
    ]


@pytest.mark.timeout(1000)
def test_a_workbook_of_100_megabytes_is_loaded(install: Callable[..., Installation]) -> None:
    office, text, rows = install(), words(), 175_000
    path = office.root / "Invoice_04_01_2025_2_00_00.xlsx"
    names = ("QuickBooks Internal Id", "Invoice No", "Invoice Date", "Customer", *TEXTS, "Product/Service  Amount")

    def inline(cell: str) -> str:
        return f'<c t="inlineStr"><is><t>{cell}</t></is></c>'

    def write(sheet: IO[bytes]) -> None:
        sheet.write(f'<row r="1">{"".join(map(inline, names))}</row>'.encode())
        for number in range(1, rows + 1):
            first = (f"{number // LINES:X}-1477859147", f"M{number // LINES}", "04-01-2025", "Acme LLC")
            cells = "".join(inline(cell) for cell in (*first, *(next(text) for _ in TEXTS)))
            sheet.write(f'<row r="{number + 1}">{cells}<c><v>1.25</v></c></row>'.encode())

    write_package(path, write)
    assert path.stat().st_size > 95e6
    assert load(office, path, "A workbook of 100 MB") == rows
    total = office.query("SELECT sum(product_service_amount)::text FROM raw.quickbooks_invoices")
    assert total == [(f"{rows * 5 // 4}.00",)]
