"""The child process that reads for the plain lane: started by `lane_reader`, it serves one task after another.

    python -m qbwatch.edges.lane_child PARENT IDLE_SECONDS

Its standard input is a socket (`lane_wire`). It leaves when nothing was asked of it for a while, and the kernel ends it
with the thread that started it. Memory and CPU time are limited. It has no connection to the database.
"""

from __future__ import annotations

import marshal
import os
import resource
import select
import socket
import struct
import sys
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from qbwatch.edges import lane_wire
from qbwatch.edges.lane_wire import Cut, Frame, Task
from qbwatch.edges.tied_child import limit, tie_to
from qbwatch.edges.vault_reader import reading
from qbwatch.formats.columns import ColumnReader, Rows
from qbwatch.formats.plain_text import NotPlain, open_plain
from qbwatch.formats.row_text import RowText, finished
from qbwatch.formats.sieve import Sieve
from qbwatch.formats.tally import Tally

MEMORY = 512 << 20  # bytes
CPU_SECONDS = 900  # for one task
_ROWS_A_FRAME = 4096
_AHEAD = 100  # blocks that are read while the digests of known documents are on their way
# Of COPY's binary format: its head, a row of one bigint (how many columns, how long, what), its end.
_HEAD, _TUPLE, _TRAILER = 19, struct.Struct("!hiq"), 2


class _Fault(Exception):
    """The copy can't be read, for the reason that is its cause; None for bytes that aren't those that were kept."""


def main(arguments: list[str]) -> int:
    """Serve until nobody asks any more. Returns the exit code."""
    tie_to(int(arguments[0]))
    limit(resource.RLIMIT_DATA, MEMORY)
    limit(resource.RLIMIT_CORE, 0)
    with socket.socket(fileno=0) as channel:
        while select.select([channel], [], [], float(arguments[1]))[0]:
            try:
                task, descriptor = lane_wire.receive_task(channel)
                limit(resource.RLIMIT_CPU, int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2])) + CPU_SECONDS)
                with os.fdopen(descriptor, "rb", buffering=0) as file:
                    _Answer(channel, task).give(file)
            except (Cut, OSError):  # whoever asked is gone
                break
    return 0


class _Answer:
    """What is said about one task."""

    def __init__(self, channel: socket.socket, task: Task) -> None:
        self._channel = channel
        self._task = task
        self._tally = Tally(task.layout)
        self._sieve: Sieve | None = None

    def give(self, file: BinaryIO) -> None:
        """Read the file and send what there is to be told. Raises `Cut` and `OSError` when nobody listens."""
        frame, data = self._read(file)
        if self._task.sifts:
            self._sift()  # what is on its way must have come before the next task
        lane_wire.send(self._channel, frame, data)

    def _read(self, file: BinaryIO) -> tuple[Frame, bytes]:
        try:
            self._send_rows(file)
            return Frame.TOLD, marshal.dumps((_told(self._tally), self._unseen()))
        except NotPlain as doubt:
            return Frame.NOT_PLAIN, str(doubt).encode()
        except _Fault as fault:
            if isinstance(cause := fault.__cause__, OSError):
                return Frame.UNREADABLE, marshal.dumps((cause.errno, cause.strerror))
            return Frame.DAMAGED, b""
        except (Cut, OSError):
            raise
        except MemoryError:
            return Frame.NOT_PLAIN, b"it takes more memory than there is for it"
        except Exception as error:  # noqa: BLE001 (whatever Arrow may come up with: the careful lane has the last word)
            return Frame.NOT_PLAIN, f"it can't be read: {type(error).__name__}: {error}".encode()

    def _send_rows(self, file: BinaryIO) -> None:
        task, written = self._task, RowText(self._task.layout)
        file.seek(0)
        stream = file if task.content_hash is None else reading(file, task.content_hash, _fault_of)
        text = open_plain(stream, task.encoding, task.delimiter, task.layout.header)
        reader = ColumnReader(task.layout, task.delimiter, self._tally, written)
        blocks: Iterable[Rows] = map(reader.read, text.blocks())
        for rows in self._sifted(iter(blocks)) if task.sifts else blocks:
            self._send(rows)

    def _send(self, rows: Rows) -> None:
        """In frames of moderate size, of which there is one at least: a sign of life."""
        for start in range(0, len(rows.said) or 1, _ROWS_A_FRAME):
            part = slice(start, start + _ROWS_A_FRAME)
            data = finished(rows.said[part], rows.numbers[part], rows.digests[part], self._task.lineage)
            lane_wire.send(self._channel, Frame.ROWS, data)

    def _sifted(self, blocks: Iterator[Rows]) -> Iterator[Rows]:
        """Reads on while the digests of what is known are awaited."""
        ahead: deque[Rows] = deque()
        for rows in blocks:
            ahead.append(rows)
            if len(ahead) == _AHEAD or select.select([self._channel], [], [], 0)[0]:
                break
        return self._sift().changed(_in_turn(ahead, blocks))

    def _sift(self) -> Sieve:
        if self._sieve is None:
            frame, data = lane_wire.receive(self._channel)
            if frame is not Frame.KNOWN:
                raise Cut
            rows = memoryview(data)[_HEAD:-_TRAILER]
            self._sieve = Sieve(array("q", (digest for _, _, digest in _TUPLE.iter_unpack(rows))))
        return self._sieve

    def _unseen(self) -> bytes:
        """As text for COPY."""
        return b"".join(b"%d\n" % digest for digest in self._sieve.unseen()) if self._sieve else b""


def _in_turn(first: deque[Rows], rest: Iterator[Rows]) -> Iterator[Rows]:
    while first:
        yield first.popleft()
    yield from rest


def _told(tally: Tally) -> lane_wire.Counts:
    classes = {row_class.value: count for row_class, count in tally.row_classes.items()}
    sums = {name: str(total) for name, total in tally.sums.items()}
    return tally.read, tally.structural, tally.accepted, classes, sums


def _fault_of(_: Exception | None) -> Exception:
    return _Fault()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
