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
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO

from qbwatch.edges import lane_wire
from qbwatch.edges.ahead import MakerLost, made_ahead
from qbwatch.edges.lane_wire import Cut, Frame, Task
from qbwatch.edges.tied_child import limit, tie_to
from qbwatch.edges.vault_reader import reading
from qbwatch.formats.columns import ColumnReader, Rows
from qbwatch.formats.plain_cells import CellReader
from qbwatch.formats.plain_text import NotPlain, open_plain
from qbwatch.formats.row_text import RowText, escaped, finished
from qbwatch.formats.sieve import Sieve
from qbwatch.formats.tally import Tally

MEMORY = 512 << 20  # bytes
CPU_SECONDS = 900  # for one task
_FRAME, _KEYS_A_FRAME = 1 << 22, 20_000  # bytes of rows, keys
_ROWS_AT_ONCE = 4096
_BEHIND = 16  # blocks that wait to be sent
_AHEAD = 90  # blocks that are read while the digests of known documents are on their way
# Of COPY's binary format: its head; of a row how many columns, and how long the first is; the second, and its length.
_HEAD, _ROW, _DIGEST = 19, struct.Struct("!hi"), struct.Struct("!iq")


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
            except (Cut, OSError, MemoryError, MakerLost):  # whoever asked is gone, or will ask another one
                break
    return 0


class _Answer:
    """What is said about one task."""

    def __init__(self, channel: socket.socket, task: Task) -> None:
        self._channel = channel
        self._task = task
        self._tally = Tally(task.layout)
        self._sieve: Sieve | None = None
        self._awaits_known = task.sifts

    def give(self, file: BinaryIO) -> None:
        """Read the file and send what there is to be told. Raises `Cut` and `OSError` when nobody listens."""
        frame, data = self._read(file)
        if self._awaits_known:  # what is on its way must have come before the next task
            self._receive_known()
        lane_wire.send(self._channel, frame, data)

    def _read(self, file: BinaryIO) -> tuple[Frame, bytes]:
        try:
            self._send_rows(file)
            if self._sieve is not None:
                self._send_unstated(self._sieve.unstated())
            return Frame.TOLD, marshal.dumps(_told(self._tally))
        except NotPlain as doubt:
            return Frame.NOT_PLAIN, str(doubt).encode()
        except _Fault as fault:
            if isinstance(cause := fault.__cause__, OSError):
                return Frame.UNREADABLE, marshal.dumps((cause.errno, cause.strerror))
            return Frame.DAMAGED, b""
        except (Cut, OSError, MemoryError, MakerLost):
            raise
        except Exception as error:  # noqa: BLE001 (whatever Arrow may come up with: the careful lane has the last word)
            return Frame.NOT_PLAIN, f"it can't be read: {type(error).__name__}".encode()

    def _send_rows(self, file: BinaryIO) -> None:
        task, written = self._task, RowText(self._task.layout)
        file.seek(0)
        stream = file if task.content_hash is None else reading(file, task.content_hash, _fault_of)
        text = open_plain(stream, task.encoding, task.delimiter, task.layout.header)
        blocks = map(CellReader(task.layout, task.delimiter).read, text.blocks())
        reader = ColumnReader(task.layout, self._tally, written)
        if not task.sifts:
            self._send_behind(reader.finish(block, task.lineage) for block in blocks)
            return
        # Postgres has little to do meanwhile: there is a processor for that.
        with made_ahead(blocks) as made:
            self._send_changed(self._sifted(map(reader.read, made)))

    def _send_behind(self, blocks: Iterable[memoryview]) -> None:
        """Reads on while Postgres is slow to take what was read, as it is now and then, and has it at hand when it
        isn't any more."""
        with ThreadPoolExecutor(1) as sender:
            waiting: deque[Future[None]] = deque()
            for rows in blocks:
                waiting.append(sender.submit(lane_wire.send, self._channel, Frame.ROWS, rows))
                if len(waiting) > _BEHIND:
                    waiting.popleft().result()
            for sent in waiting:
                sent.result()

    def _send_changed(self, blocks: Iterator[Rows]) -> None:
        """In frames of moderate size; whoever listens may be busy, so few changes wait here, with a sign of life."""
        held = bytearray()
        for rows in blocks:
            for start in range(0, len(rows.said), _ROWS_AT_ONCE):  # a document may be as long as the file
                part = slice(start, start + _ROWS_AT_ONCE)
                held += finished(rows.said[part], rows.numbers[part], rows.digests[part], self._task.lineage)
                if len(held) >= _FRAME:
                    lane_wire.send(self._channel, Frame.ROWS, held)
                    held = bytearray()
            lane_wire.send(self._channel, Frame.ROWS)
        lane_wire.send(self._channel, Frame.ROWS, held)

    def _sifted(self, blocks: Iterator[Rows]) -> Iterator[Rows]:
        """Reads on while the digests of what is known are awaited."""
        ahead: deque[Rows] = deque()
        for rows in blocks:
            ahead.append(rows)
            if len(ahead) == _AHEAD or select.select([self._channel], [], [], 0)[0]:
                break
        self._sieve = Sieve(_known(self._receive_known()))
        return self._sieve.changed(_in_turn(ahead, blocks))

    def _receive_known(self) -> bytearray:
        data = bytearray()
        while part := lane_wire.expect(self._channel, Frame.KNOWN):
            data += part
        self._awaits_known = False
        return data

    def _send_unstated(self, keys: list[bytes]) -> None:
        for start in range(0, len(keys), _KEYS_A_FRAME):
            lines = b"\n".join([*keys[start : start + _KEYS_A_FRAME], b""])
            lane_wire.send(self._channel, Frame.UNSTATED, lines)


def _known(data: bytearray) -> dict[int, bytes]:
    """Keys, written as in the rows, by digests. Raises `NotPlain` where a digest isn't one document's."""
    known: dict[int, bytes] = {}
    place, count = _HEAD, 0
    while len(data) - place > _ROW.size:  # but for the end mark
        _, size = _ROW.unpack_from(data, place)
        begin = place + _ROW.size
        place = begin + size + _DIGEST.size
        _, digest = _DIGEST.unpack_from(data, begin + size)
        known[digest] = escaped(bytes(data[begin : begin + size]))
        count += 1
    if len(known) < count:
        raise NotPlain("two documents of one digest")
    return known


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
