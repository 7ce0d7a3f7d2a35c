"""A stream as a file of the system, which another process can be given."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from typing import BinaryIO

from qbwatch.edges.vault_reader import VerifiedReader


@dataclass(frozen=True, slots=True)
class Source:
    """A file that the child can be given, and what its faults are to whoever reads it; see `VerifiedReader`."""

    file: BinaryIO
    content_hash: str | None = None
    fault: Callable[[Exception | None], Exception] = lambda error: error or ValueError("damaged")


@contextmanager
def source_of(stream: BinaryIO) -> Iterator[Source]:
    """A stream as a file of the system: the vault's copy itself, or what else is read, in a temporary file."""
    if isinstance(stream, BufferedReader) and isinstance(stream.raw, VerifiedReader):
        copy = stream.raw
        yield Source(copy.file, copy.content_hash, copy.fault)
        return
    with tempfile.TemporaryFile() as file:
        while block := stream.read(1 << 20):
            file.write(block)
        file.flush()
        yield Source(file)
