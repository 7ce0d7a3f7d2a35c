"""A settled file on its way into the ledger, and what the ledger may answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from qbwatch.core.settle import Look


@dataclass(frozen=True, slots=True)
class Arrival:
    """A settled file that is in the vault.

    ``root`` is ``input`` or ``seed``; ``path`` are its exact bytes relative to that folder; ``content_hash`` is the
    sha256 (hex) of the kept bytes. ``patience_over`` means that the file was given the longer time already: it is to be
    judged as it is, and can't be doubted again.
    """

    root: str
    path: bytes
    look: Look
    content_hash: str
    size_bytes: int
    first_seen_at: datetime
    settled_at: datetime
    patience_over: bool = False


class Admission(StrEnum):
    """What became of an arrival."""

    ADMITTED = "admitted"  # it is in the ledger, with whatever outcome
    DOUBTED = "doubted"  # its end looks incomplete: nothing was written, more may come
