"""Workbooks, opened in a child process whose answers are read through a pipe.

Why a child: a sheet that is loaded as a whole takes more memory than the daemon may keep (measured: 226 MB for 50,000
rows of 73 columns) and gives none of it back; parsing holds the interpreter for seconds, in which nothing else would
turn; and a workbook made to hurt must not take the daemon with it. Why a pipe and no spool file: whoever looks at a
sheet's first rows only closes it early, the rest is then never read, and nothing is left on the disk.
"""

from __future__ import annotations

import marshal
import os
import select
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from qbwatch.edges.tied_child import environment
from qbwatch.edges.workbook_child import MEMORY, Flaws
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Opener, Row, Table, Unusable
from qbwatch.formats.workbook import Sheet, tables_of

_TICK = 0.5  # seconds between looks while the child is silent
_SILENT_AT_MOST = 600.0  # seconds
_HINT = "split it into smaller exports, or save it as CSV"


class _Died(Exception):
    """The child ended without a last word, or asked for more memory than there is."""


@dataclass(frozen=True, slots=True)
class WorkbookReader:
    """Opens workbooks. ``look`` is called while waiting, at least twice a second; what it raises ends the reading.

    ``scratch`` is the folder for what is too large for the memory; by default the system's.
    """

    look: Callable[[], object] = lambda: None
    scratch: Path | None = None

    def __call__(self, open_stream: Opener) -> tuple[Table, ...]:
        """The tables of a workbook, one for each sheet. Raises `Refusal`."""
        with closing(self._ask(open_stream, "sheets")) as answers:
            sheets: list[Sheet] = next((answer[1] for answer in _alive(answers)), [])
        return tables_of(sheets, lambda place: self._rows(open_stream, place))

    def _rows(self, open_stream: Opener, place: int) -> Generator[Row, None, None]:
        """Rows of one sheet; should the fast reader need too much memory, the exact one goes on behind its last row."""
        last = 0
        try:
            with closing(self._ask(open_stream, "rows", str(place), "fast")) as answers:
                for row in _rows_in(answers):
                    last = row.line
                    yield row
                return
        except _Died:
            pass
        with closing(self._ask(open_stream, "rows", str(place), "exact")) as answers:
            yield from (row for row in _rows_in(_alive(answers)) if row.line > last)

    def _ask(self, open_stream: Opener, *question: str) -> Generator[tuple[Any, ...], None, None]:
        """What the child answers, frame by frame. When this ends, however it does, so has the child."""
        with _as_file(open_stream) as file:
            process = self._start(file, question)
            assert process.stdout is not None
            try:
                for frame in _frames(process.stdout, self.look):
                    match frame:
                        case ("end",):
                            return
                        case ("refused", code, reason, hint):
                            raise Refusal(code, reason, hint)
                        case ("memory",):
                            break
                        case _:
                            yield frame
                raise _Died
            finally:
                process.kill()
                process.wait()
                process.stdout.close()

    def _start(self, file: IO[bytes], question: tuple[str, ...]) -> subprocess.Popen[bytes]:
        scratch = {} if self.scratch is None else {"TMPDIR": str(self.scratch)}
        # -P: nothing in the working directory must be taken for a module.
        program = [sys.executable, "-P", "-m", "qbwatch.edges.workbook_child", str(os.getpid())]
        return subprocess.Popen(
            [*program, *question],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(**scratch),
        )


def _alive(answers: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    try:
        yield from answers
    except _Died:
        told = f"reading the workbook takes more than {MEMORY >> 20} MB of memory, or ends the program that reads it"
        raise Refusal("workbook_too_large", told, _HINT) from None


def _rows_in(answers: Iterator[tuple[Any, ...]]) -> Iterator[Row]:
    for _, line, rows, flaws in answers:
        if flaws:
            _mark(rows, flaws)
        for number, cells in enumerate(rows, start=line):
            yield Row(number, cells)


def _mark(rows: list[list[str]], flaws: Flaws) -> None:
    for (number, position), reason in flaws.items():
        rows[number][position] = Unusable(rows[number][position], reason)


def _frames(pipe: IO[bytes], look: Callable[[], object]) -> Iterator[tuple[Any, ...]]:
    descriptor, kept = pipe.fileno(), bytearray()
    silent_since = time.monotonic()
    while True:
        look()
        if not select.select([descriptor], [], [], _TICK)[0]:
            if time.monotonic() - silent_since > _SILENT_AT_MOST:
                raise Refusal(
                    "workbook_too_slow", f"reading the workbook took more than {_SILENT_AT_MOST:.0f} s", _HINT
                )
            continue
        data = os.read(descriptor, 1 << 18)
        if not data:
            return
        kept += data
        while len(kept) >= 4 and len(kept) >= (end := 4 + struct.unpack_from("!I", kept)[0]):
            yield marshal.loads(bytes(kept[4:end]))
            del kept[:end]
        silent_since = time.monotonic()


@contextmanager
def _as_file(open_stream: Opener) -> Iterator[IO[bytes]]:
    """The workbook as a file of the system, which a child can inherit."""
    with open_stream() as stream:
        if _has_descriptor(stream):
            yield stream
            return
        with tempfile.TemporaryFile() as copy:
            while block := stream.read(1 << 20):
                copy.write(block)
            copy.flush()
            yield copy


def _has_descriptor(stream: BinaryIO) -> bool:
    try:
        stream.fileno()
    except OSError:
        return False
    return True
