"""Large files for tests of memory, and what is promised of it."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from workbooks import parts_of, sheet_of

MEMORY = 250  # MB, of the reader or its child


def write_package(path: Path, write_rows: Callable[[IO[bytes]], None]) -> None:
    """A workbook of one sheet, whose rows are written one after another."""
    begin, end = sheet_of("|").split("|")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, content in parts_of("").items():
            if "sheet1" not in name:
                package.writestr(name, content)
        with package.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(begin.encode())
            write_rows(sheet)  # type: ignore[arg-type]
            sheet.write(end.encode())


def words() -> Iterator[str]:
    """Text that packs badly, the same in every run."""
    chance = random.Random(1)
    while True:
        yield f"{chance.getrandbits(256):x}"
