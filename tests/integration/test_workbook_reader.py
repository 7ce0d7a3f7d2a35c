"""Workbooks are opened in a child process that is gone when the reading ends, however it ends."""

from __future__ import annotations

import io
import os
import random
import signal
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import xlwt
from damaging import mutated
from waiting import wait_until
from workbooks import packed, parts_of, rows_in, saved, sheet_of, xlsx

from qbwatch.edges import workbook_reader
from qbwatch.edges.workbook_reader import WorkbookReader
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Unusable

MANY = "".join(f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>row {n}</t></is></c></row>' for n in range(1, 100_001))


def all_children() -> set[int]:
    """Processes whose parent we are, zombies included."""
    tasks = Path("/proc/self/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


_EARLIER: set[int] = set()


def children() -> list[int]:
    """Those that this test has started."""
    return sorted(all_children() - _EARLIER)


@pytest.fixture(autouse=True)
def no_child_is_left() -> Iterator[None]:
    _EARLIER.clear()
    _EARLIER.update(all_children())
    yield
    assert children() == []


def test_it_gives_what_reading_in_this_process_gives(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Data"
    for number in range(700):
        book.active.append([number, f"row {number} é\u2028", None, number / 7])
    book.active["B400"], book.active["C500"] = "=A1", "#REF!"
    book.active["C500"].data_type = "e"
    (tmp_path / "a.xlsx").write_bytes(data := saved(book))

    (table,) = WorkbookReader()(lambda: (tmp_path / "a.xlsx").open("rb"))
    (of_bytes,) = WorkbookReader()(lambda: io.BytesIO(data))

    for found in (list(table.rows()), list(of_bytes.rows()), list(table.rows())):
        assert found == rows_in(data)
        marked = [cell.reason for row in found for cell in row.cells if isinstance(cell, Unusable)]
        assert marked == ["cell Data!B400 holds a formula without its value", "cell Data!C500 holds the error #REF!"]


def test_a_glance_at_the_first_rows_ends_the_child() -> None:
    (table,) = WorkbookReader()(lambda: io.BytesIO(packed(parts_of(sheet_of(MANY)))))
    rows = table.rows()
    assert next(rows).cells == ["row 1"]
    assert len(children()) == 1
    rows.close()
    assert children() == []


def test_a_refusal_comes_through_as_it_is() -> None:
    with pytest.raises(Refusal) as caught:
        WorkbookReader()(lambda: io.BytesIO(packed({"a.csv": ""})))
    assert caught.value.failure.code == "zip_archive"
    (table,) = WorkbookReader()(lambda: io.BytesIO(packed(parts_of(sheet_of("<row>")))))
    with pytest.raises(Refusal) as caught:
        list(table.rows())
    assert caught.value.failure.code == "damaged_workbook"


@pytest.mark.parametrize("damage", [b"", b"\xff" * 600, bytes(600)])
def test_an_xls_that_is_no_proper_one_is_damaged_whatever_its_reader_stumbles_over(damage: bytes) -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + damage + "Workbook".encode("utf-16-le")
    with pytest.raises(Refusal) as caught:
        WorkbookReader()(lambda: io.BytesIO(data))
    assert caught.value.failure.code == "damaged_workbook"


def test_a_mutated_xls_is_read_or_refused() -> None:
    """Its library raises whatever it stumbles over; here it costs a process each, hence so few."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Customer")
    for row in range(40):
        for column, value in enumerate((f"8-{row}", "Söhne & Co", row / 4, date(2025, 4, 1), True)):
            sheet.write(row, column, value)
    out, chance, ends = io.BytesIO(), random.Random("xls"), set[str]()
    book.save(out)
    for _ in range(24):
        data = mutated(out.getvalue(), chance)
        try:
            for table in WorkbookReader()(lambda: io.BytesIO(data)):  # noqa: B023 (read at once)
                ends.add("read" if len(list(table.rows())) > 0 else "empty")
        except Refusal as refusal:
            ends.add(refusal.failure.code)
    assert "damaged_workbook" in ends


def test_whoever_waits_is_asked_and_may_end_it() -> None:
    class Stopped(Exception):
        pass

    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks > 3:
            raise Stopped

    (table,) = WorkbookReader()(lambda: io.BytesIO(packed(parts_of(sheet_of(MANY)))))
    with pytest.raises(Stopped):
        list(WorkbookReader(look)(lambda: io.BytesIO(packed(parts_of(sheet_of(MANY)))))[0].rows())
    assert len(list(table.rows())) == 100_000


def test_a_child_that_dies_under_the_fast_reader_is_followed_by_the_exact_one() -> None:
    """One far cell makes the fast reader ask for the whole rectangle up to it, which is 40 GB."""
    far = MANY.replace("row 3</t></is></c>", 'row 3</t></is></c><c r="XFD3"><v>1</v></c>')
    (table,) = WorkbookReader()(lambda: io.BytesIO(packed(parts_of(sheet_of(far)))))
    widths, number = set(), 0
    for number, row in enumerate(table.rows(), start=1):
        assert (row.line, row.cells[0]) == (number, f"row {number}")
        widths.add(len(row.cells))
    assert number == 100_000
    assert widths == {1, 16384, 1024}


def test_a_child_that_always_dies_is_told_as_a_workbook_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = WorkbookReader()
    data = xlsx(Data=[["a"]])
    (table,) = reader(lambda: io.BytesIO(data))
    monkeypatch.setattr(workbook_reader.sys, "executable", "/bin/false")
    with pytest.raises(Refusal) as caught:
        list(table.rows())
    assert caught.value.failure.code == "workbook_too_large"


def test_the_child_knows_no_secrets_and_does_not_speak_to_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/notify")
    monkeypatch.setenv("QBWATCH_DATABASE__URL", "postgresql://u:secret@h/d")
    (table,) = WorkbookReader()(lambda: io.BytesIO(packed(parts_of(sheet_of(MANY)))))
    rows = table.rows()
    next(rows)
    (child,) = children()
    environment = Path(f"/proc/{child}/environ").read_bytes()
    rows.close()
    assert b"NOTIFY_SOCKET" not in environment
    assert b"secret" not in environment


def test_the_child_ends_with_the_one_that_started_it() -> None:
    """A process that is killed while it reads leaves no child behind."""
    read_end, write_end = os.pipe()
    if (pid := os.fork()) == 0:
        rows = WorkbookReader()(lambda: io.BytesIO(packed(parts_of(sheet_of(MANY)))))[0].rows()
        next(rows)
        os.write(write_end, str(children()[0]).encode())
        signal.pause()
    child = int(os.read(read_end, 20))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    wait_until(lambda: not Path(f"/proc/{child}").exists() or "Z" in _state(child), 10, "the child to end")


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
