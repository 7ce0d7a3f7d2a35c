"""Several files into the vault at once, for the days on which thousands come together.

Each copy is on the disk by itself before it counts: that takes three waits for the disk, and almost nothing else. Waits
at the same time share one write of the file system's journal, so that sixteen cost little more than one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from qbwatch.edges.vault import Kept, Refusal, Vault, VaultError

T = TypeVar("T")
_TOGETHER = 16
_BYTES_TOGETHER = 1 << 20  # in all: what is larger is bound by its own work, and must not keep the others waiting


def taken_together(files: Sequence[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Runs of files, in their order, that are small enough to be taken at once; a large one comes alone."""
    together: list[T] = []
    total = 0
    for file in files:
        if together and (len(together) == _TOGETHER or total + size(file) > _BYTES_TOGETHER):
            yield together
            together, total = [], 0
        together.append(file)
        total += size(file)
    if together:
        yield together


def take_all(vault: Vault, sources: Sequence[bytes], beneath: Path) -> list[Kept | Refusal | VaultError]:
    """What `Vault.take` says to each, in their order; an error is returned instead of raised."""

    def take(source: bytes) -> Kept | Refusal | VaultError:
        try:
            return vault.take(source, beneath)
        except VaultError as error:
            return error

    if len(sources) < 2:
        return [take(source) for source in sources]
    with ThreadPoolExecutor(len(sources), thread_name_prefix="vault") as pool:
        return list(pool.map(take, sources))
