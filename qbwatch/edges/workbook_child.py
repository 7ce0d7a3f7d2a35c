"""The child process that opens a workbook: started by `workbook_reader`, it reads its standard input's file.

    python -m qbwatch.edges.workbook_child sheets
    python -m qbwatch.edges.workbook_child rows PLACE (fast|exact)

It answers on standard output with frames: four bytes of length, then a marshalled tuple, whose first word says what it
is. Whatever a hostile workbook brings about ends here: memory and CPU time are limited, and the kernel ends this
process with the one that started it.
"""

from __future__ import annotations

import marshal
import os
import resource
import struct
import sys
import tempfile
from collections.abc import Iterable
from itertools import islice
from typing import Any, BinaryIO, cast

from qbwatch.edges.tied_child import limit, tie_to
from qbwatch.formats import workbook
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Row, Unusable

MEMORY = (
    512 << 20
)  # bytes asked for (half of them are used); a fast reader that wants more is followed by the exact one
CPU_SECONDS = 900
FILE = "/dev/fd/0"
_FIRST_ROWS, _ROWS_A_FRAME = 32, 256  # at a glance, and then
_IN_MEMORY = 16 << 20  # bytes of shared texts that are kept in memory

Flaws = dict[tuple[int, int], str]  # what is wrong with the cell at (row, position), both within the frame


def main(arguments: list[str]) -> int:
    """Answer one question. Returns the exit code: 0 also for a refusal, which is an answer."""
    tie_to(int(arguments[0]))
    for what, most in ((resource.RLIMIT_DATA, MEMORY), (resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_CORE, 0)):
        limit(what, most)
    try:
        with open(FILE, "rb") as stream:
            if arguments[1] == "sheets":
                _send("sheets", workbook.sheets_of(stream))
            else:
                _send_rows(stream, int(arguments[2]), fast=arguments[3] == "fast")
        _send("end")
    except Refusal as refusal:
        failure = refusal.failure
        _send("refused", failure.code, failure.reason, failure.hint)
    except MemoryError:
        _send("memory")
    except BrokenPipeError:
        os._exit(0)  # nobody wants the rest; there is no buffer left to be flushed into the broken pipe
    except Exception as error:  # noqa: BLE001 (the top of the process)
        # A workbook may be damaged in ways nobody thought of.
        _send("refused", "damaged_workbook", f"the workbook can't be read: {type(error).__name__}: {error}"[:300],
              "open it in Excel and save it again, or export it again")  # fmt: skip
    return 0


def _send_rows(stream: BinaryIO, place: int, *, fast: bool) -> None:
    def scratch() -> BinaryIO:
        return cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))

    rows = workbook.read_sheet(stream, place, FILE, scratch, fast=fast)
    size = _FIRST_ROWS
    while batch := list(islice(rows, size)):
        _send_batch(batch)
        size = _ROWS_A_FRAME


def _send_batch(batch: list[Row]) -> None:
    cells = [row.cells for row in batch]
    try:
        _send("rows", batch[0].line, cells, {})
    except ValueError:  # marshal takes plain strings alone, and hence no `Unusable`
        _send("rows", batch[0].line, [[str.__str__(cell) for cell in row] for row in cells], _flaws(cells))


def _flaws(rows: Iterable[list[str]]) -> Flaws:
    return {
        (number, position): cell.reason
        for number, row in enumerate(rows)
        for position, cell in enumerate(row)
        if isinstance(cell, Unusable)
    }


def _send(*frame: Any) -> None:
    data = marshal.dumps(frame)
    out = sys.stdout.buffer
    out.write(struct.pack("!I", len(data)))
    out.write(data)
    out.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
