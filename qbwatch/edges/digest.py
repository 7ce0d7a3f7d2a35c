"""The content hash of a file that isn't in the vault."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import BinaryIO

_BLOCK = 1 << 20


def digest_of(open_file: Callable[[], BinaryIO]) -> str:
    """sha256 of the bytes, as 64 hex digits: the same as the vault's."""
    digest = hashlib.sha256()
    with open_file() as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
