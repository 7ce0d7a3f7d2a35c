"""Whatever became of a workbook's bytes, or of the XML in it, its sheets are read or refused.

An .xls isn't among them: its library trusts what it reads, so it is opened in a child process alone.
"""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

from damaging import mutated, survives
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from workbooks import packed, xlsx

ROUNDS = 1_500
CUSTOMERS = [
    ["QuickBooks Internal Id", "Customer Name", "Credit Limit", "Created Date", "Status"],
    ["8-1", "Acme", 12.5, "04-01-2025", True],
    ["8-2", "Beta <&> \n Söhne", -1, "=1+1", None],
]
XML = (
    b"<", b">", b'"', b"&", b"&amp;", b"&#0;", b"<c/>", b"<row/>", b"<row r='0'>", b"<row r='99999999999'>", b"</row>",
    b'<c r="ZZZZ1">', b'<c r="A0" t="s"><v>999999</v></c>', b'<c t="e"><v/></c>', b"<v>1e999</v>", b"<v>nan</v>",
    b"<v>-1</v>", b'<c t="d"><v>2025-13-45</v></c>', b"<f/>", b"<!DOCTYPE x>", b"]]>", b'r="A1"', b'spans="1:1"',
    b"<is><t>x</t></is>", b"<rPh>", b't="b"', b"xmlns=''", b'table:number-columns-repeated="99999999"',
    b'table:number-rows-repeated="99999999"', b'office:value="x"', b'office:value-type="date"', b"<table:table>",
    b"encoding='utf-16'",
)  # fmt: skip


def ods(rows: list[list[object]]) -> bytes:
    book, table = OpenDocumentSpreadsheet(), Table(name="Customer")
    for cells in rows:
        row = TableRow()
        for cell in cells:
            made = TableCell(valuetype="float", value=cell) if isinstance(cell, int | float) else TableCell()
            made.addElement(P(text="" if cell is None else str(cell)))
            row.addElement(made)
        table.addElement(row)
    book.spreadsheet.addElement(table)
    out = io.BytesIO()
    book.write(out)
    return out.getvalue()


def with_a_damaged_part(data: bytes, chance: random.Random) -> bytes:
    """The same package with accidents in the XML of one part, or without it."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    name = chance.choice([each for each in parts if not each.endswith("/")])
    if chance.random() < 0.05:
        del parts[name]
    elif chance.random() < 0.5:
        parts[name] = mutated(parts[name], chance)
    else:
        for _ in range(chance.randint(1, 3)):
            at = chance.randint(0, len(parts[name]))
            parts[name] = parts[name][:at] + chance.choice(XML) + parts[name][at:]
    return packed(parts)


def test_mutated_workbooks_are_read_or_refused() -> None:
    known = [("Customer.xlsx", xlsx(Customer=CUSTOMERS, Tips=[["x"]])), ("Customer.ods", ods(CUSTOMERS))]

    def make(chance: random.Random) -> tuple[str, bytes]:
        name, data = chance.choice(known)
        return name, with_a_damaged_part(data, chance) if chance.random() < 0.7 else mutated(data, chance)

    ends = survives(make, ROUNDS, "workbooks")
    assert ends["read"] > ROUNDS / 10
    assert {"damaged_workbook", "zip_archive", "undecodable"} <= ends.keys()


def test_mutated_workbooks_of_the_corpus_are_read_or_refused(corpus: Path) -> None:
    known = [(file.name, file.read_bytes()) for file in sorted(corpus.glob("qbo/*.xlsx"))]

    def make(chance: random.Random) -> tuple[str, bytes]:
        name, data = chance.choice(known)
        return name, with_a_damaged_part(data, chance) if chance.random() < 0.7 else mutated(data, chance)

    survives(make, ROUNDS // 3, "workbooks of the corpus")
