"""What the daemon and the child that reads for the plain lane say to each other, over a stream socket of their own.

The daemon sends a `Task`, pickled, with the descriptor of the file; where the task sifts, the documents that the table
holds follow in frames. The child answers with frames: rows for COPY, of which there may be none in a frame that is but
a sign of life, and at last what it counted, or one of the reasons why there is nothing to be told. Frames carry
bytes and marshalled plain values: whatever a hostile file makes of the child, it can't make the daemon run anything.
"""

from __future__ import annotations

import pickle
import socket
import struct
from dataclasses import dataclass
from enum import IntEnum

from qbwatch.formats.layout import Layout

_HEAD = struct.Struct("!BI")  # of a frame: what it is, and how many bytes follow
_SIZE = struct.Struct("!I")
LARGEST = 1 << 27  # bytes of a frame; rows come in blocks of a megabyte or two


class Frame(IntEnum):
    """What a frame holds."""

    ROWS = 1
    TOLD = 2  # marshalled: what was counted
    NOT_PLAIN = 3  # text: the reason
    DAMAGED = 4  # the bytes aren't those that were kept
    UNREADABLE = 5  # marshalled: errno and what the system says
    KNOWN = 6  # to the child: keys and digests of documents, as COPY's binary format has them; at last an empty frame
    UNSTATED = 7  # after the rows: keys of known documents that aren't stated, as lines for COPY


@dataclass(frozen=True, slots=True)
class Task:
    """A text to be read. ``content_hash`` is that of a copy in the vault; None for a file that is the text itself.

    ``lineage`` is what each row ends with. ``sifts``: only documents that aren't known are sent.
    """

    layout: Layout
    encoding: str
    delimiter: str
    lineage: bytes
    content_hash: str | None
    sifts: bool


Counts = tuple[int, int, int, dict[str, int], dict[str, str]]
"""Of a tally: rows read, structural and accepted, rows of each class, and exact sums as text."""


class Cut(Exception):
    """The other side is gone."""


def send_task(channel: socket.socket, task: Task, descriptor: int) -> None:
    """Raises `OSError` where nobody is there any more."""
    data = pickle.dumps(task)
    socket.send_fds(channel, [_SIZE.pack(len(data))], [descriptor])  # goes along with the first bytes
    channel.sendall(data)


def receive_task(channel: socket.socket) -> tuple[Task, int]:
    """The next task and the descriptor of its file, which is the caller's to close. Raises `Cut`."""
    head, descriptors, _, _ = socket.recv_fds(channel, _SIZE.size, 1)
    if not descriptors:
        raise Cut
    head += _received(channel, _SIZE.size - len(head))
    task: Task = pickle.loads(_received(channel, *_SIZE.unpack(head)))
    return task, descriptors[0]


def send(channel: socket.socket, frame: Frame, data: bytes | bytearray | memoryview = b"") -> None:
    """Raises `OSError` where nobody is there any more."""
    channel.sendall(_HEAD.pack(frame, len(data)))
    channel.sendall(data)


def receive(channel: socket.socket) -> tuple[Frame, bytearray]:
    """The next frame. Raises `Cut`, also for what can't be one."""
    try:
        kind, size = _HEAD.unpack(_received(channel, _HEAD.size))
        if size > LARGEST:
            raise Cut
        return Frame(kind), _received(channel, size)
    except ValueError as error:
        raise Cut from error


def expect(channel: socket.socket, frame: Frame) -> bytearray:
    """What the next frame holds, which must be of this kind. Raises `Cut`."""
    kind, data = receive(channel)
    if kind is not frame:
        raise Cut
    return data


def _received(channel: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        if not (count := channel.recv_into(view)):
            raise Cut
        view = view[count:]
    return data
