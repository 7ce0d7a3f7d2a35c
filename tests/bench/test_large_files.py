"""Large files, read as a load reads them: seconds and the peaks of memory of the reader and of its child.

Each file is read in a process of its own, so that its peak is its own. The limits that are held here are promises.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import IO

import pytest
from large_files import MEMORY, words, write_package
from measuring import show_facts
from workbooks import parts_of, sheet_of

_READ = """
import json, resource, sys, time
from qbwatch.edges.workbook_reader import WorkbookReader
from qbwatch.formats.tables import open_tables
began = time.perf_counter()
rows = cells = 0
for table in open_tables(lambda: open(sys.argv[1], "rb"), WorkbookReader()):
    for row in table.rows():
        rows += 1
        cells += len(row.cells)
peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps([time.perf_counter() - began, rows, *peaks]))
"""

_COUNT = """
import json, resource, sys, time
from qbwatch.core.dates import DateOrder
from qbwatch.formats.part import open_part
from qbwatch.formats.tally import read_whole_documents
def read(tally):
    for reading in part.readings():
        tally.take(reading)
began = time.perf_counter()
part = open_part(lambda: open(sys.argv[1], "rb"), sys.argv[1].rsplit("/", 1)[-1], DateOrder.MDY)
rows = read_whole_documents(part.layout, read).accepted
print(json.dumps([time.perf_counter() - began, rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 0]))
"""

_CALAMINE = """
import json, resource, sys, time
from python_calamine import CalamineWorkbook
began = time.perf_counter()
rows = sum(1 for row in CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0).iter_rows())
print(json.dumps([time.perf_counter() - began, rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 0]))
"""


def read(path: Path, script: str = _READ) -> list[float]:
    """Seconds, rows, and the peaks of memory of the process and its child in MB."""
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, check=True, text=True)
    figures: list[float] = json.loads(done.stdout)
    return figures


def show(title: str, path: Path, figures: list[float]) -> None:
    seconds, rows, own, child = figures
    size = f"{path.stat().st_size / 1e6:,.0f} MB"
    facts = [("size", size), ("rows", f"{rows:,.0f}"), ("seconds", f"{seconds:.1f}")]
    show_facts(title, [*facts, ("peak", f"{own:.0f} MB"), ("peak of the child", f"{child:.0f} MB")])
    assert max(own, child) < MEMORY


@pytest.mark.timeout(900)
def test_a_csv_of_300_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    line = b'80000001-1477859147,M4101,04-01-2025,Acme LLC:Job 1,81-0006,"Jack, 2/9"" Helm",10,11.00,110.00\r\n'
    with path.open("wb") as out:
        for _ in range(3 * 10**8 // (len(line) * 1000)):
            out.write(line * 1000)
        out.write("Café\r\n".encode("cp1252"))
    show("a CSV, cp1252 by its last line", path, read(path))


@pytest.mark.timeout(900)
def test_a_csv_of_300_megabytes_of_documents_read_with_care(tmp_path: Path) -> None:
    path, size, document = tmp_path / "Invoice_04_01_2025_2_00_00.csv", 0, 0
    header = (
        b"QuickBooks Internal Id,Invoice No,Invoice Date,Customer,Product/Service,Product/Service Description,"
        b"Product/Service Quantity,Product/Service  Amount\r\n"
    )
    with path.open("wb") as out:
        out.write(header)
        while size < 3 * 10**8:
            document += 1
            line = f'{document:X}-1477859147,M{document},04-01-2025,Acme LLC:Job 1,81-0006,"Jack, 2/9"" Helm",10,110.00'
            size += out.write(f"{line}\r\n".encode() * 4)
    figures = read(path, _COUNT)
    show("a CSV of invoices, its keys and sums", path, figures)
    assert figures[1] == document * 4


@pytest.mark.timeout(900)
def test_a_workbook_of_100_megabytes(tmp_path: Path) -> None:
    path, text = tmp_path / "large.xlsx", words()

    def write(sheet: IO[bytes]) -> None:
        for row in range(1, 175_001):
            cells = "".join(f'<c t="inlineStr"><is><t>{next(text)}</t></is></c>' for _ in range(15))
            sheet.write(f'<row r="{row}">{cells}<c><v>{row}.25</v></c></row>'.encode())

    write_package(path, write)
    assert path.stat().st_size > 95e6
    show("a workbook", path, read(path))


@pytest.mark.timeout(900)
def test_a_workbook_of_100_megabytes_of_shared_texts(tmp_path: Path) -> None:
    path, text, count = tmp_path / "shared.xlsx", words(), 2_600_000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, content in parts_of("", "").items():
            if not name.endswith(("sheet1.xml", "sharedStrings.xml")):
                package.writestr(name, content)
        with package.open("xl/sharedStrings.xml", "w", force_zip64=True) as strings:
            strings.write(b"<sst>")
            for _ in range(count):
                strings.write(f"<si><t>{next(text)}</t></si>".encode())
            strings.write(b"</sst>")
        begin, end = sheet_of("|").split("|")
        with package.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(begin.encode())
            for row in range(count // 20):
                cells = "".join(f'<c t="s"><v>{row * 20 + column}</v></c>' for column in range(20))
                sheet.write(f'<row r="{row + 1}">{cells}</row>'.encode())
            sheet.write(end.encode())
    show("a workbook of shared texts", path, read(path))


@pytest.mark.timeout(300)
def test_a_million_blank_rows(tmp_path: Path) -> None:
    path = tmp_path / "blank.xlsx"

    def write(sheet: IO[bytes]) -> None:
        sheet.write(b'<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>')
        for row in range(3, 1_048_577):
            sheet.write(f'<row r="{row}" s="1" customFormat="1"><c r="A{row}" s="0"/></row>'.encode())

    write_package(path, write)
    figures = read(path)
    show("a million blank rows with a style", path, figures)
    assert figures[1] == 2


@pytest.mark.timeout(900)
def test_fifty_thousand_rows_beside_calamine_alone(tmp_path: Path) -> None:
    path, chance = tmp_path / "rows.xlsx", random.Random(1)
    columns = [f"{first}{second}" for first in ("", "A") for second in "ABCDEFGHIJKLMNOPQR"]

    def write(sheet: IO[bytes]) -> None:
        for row in range(1, 50_001):
            cells = "".join(
                f'<c r="{column}{row}"><v>{chance.randrange(10**6) / 100}</v></c>'
                if number % 3 == 0
                else f'<c r="{column}{row}" t="inlineStr"><is><t>Text {chance.randrange(5000)}</t></is></c>'
                for number, column in enumerate(columns)
            )
            sheet.write(f'<row r="{row}">{cells}</row>'.encode())

    write_package(path, write)
    ours, alone = ([read(path, script) for _ in range(3)] for script in (_READ, _CALAMINE))
    show("50,000 rows of 36 columns", path, min(ours))
    ratio = min(ours)[0] / min(alone)[0]
    show_facts("", [("python-calamine alone", f"{min(alone)[0]:.1f} s"), ("ratio", f"{ratio:.2f}")])
