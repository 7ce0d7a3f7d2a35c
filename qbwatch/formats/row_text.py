"""What a row says, as the text that COPY reads, and a digest of that text.

Both lanes write rows in this form, so that a line gets the same digest from either. The digest tells a line from its
earlier version: lines of the same key, place and digest say the same. Lines with different ones may still say the same
in another notation (``5`` and ``5.00``), or by a file of other columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import xxhash

from qbwatch.formats.layout import Layout
from qbwatch.formats.records import Record

NULL = "\\N"
ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
"""What COPY wants instead of a character; the backslash comes first."""
_ESCAPED = re.compile(rb"[\\\t\n\r]")
_TABLE = str.maketrans(dict(ESCAPES))
_HALF = 1 << 63  # Postgres' bigint has a sign


@dataclass(frozen=True, slots=True)
class RowText:
    """How a part's rows are written. ``columns`` are those of the table that `finished` fills, but for ``lineage``."""

    layout: Layout
    columns: tuple[str, ...] = field(init=False)
    _seed: int = field(init=False)

    def __post_init__(self) -> None:
        """Files of other columns have other digests: the same texts would stand under other names."""
        names = (*self.layout.columns, *(("_extra",) if self.layout.extra else ()))
        object.__setattr__(self, "columns", ("_key", "_line", *names, "_row_number", "_row_hash"))
        object.__setattr__(self, "_seed", xxhash.xxh3_64_intdigest("\t".join((*names, *self.layout.new)).encode()))

    def said(self, record: Record) -> bytes:
        """A row's key, its place in its document, its values in the order of `Layout.cells`, and ``_extra``."""
        extra = (record.extra,) if self.layout.extra else ()
        texts = (record.key, str(record.ordinal), *record.values, *extra)
        return "\t".join([NULL if text is None else text.translate(_TABLE) for text in texts]).encode()

    def digests(self, rows: Iterable[bytes]) -> list[int]:
        """The digest of what each row says, as Postgres' bigint."""
        digest, seed = xxhash.xxh3_64_intdigest, self._seed
        return [digest(said, seed) - _HALF for said in rows]


def escaped(key: bytes) -> bytes:
    """A key in UTF-8 as a row begins with it."""
    return key.decode().translate(_TABLE).encode() if _ESCAPED.search(key) else key


def finished(said: Iterable[bytes], numbers: Iterable[int], digests: Iterable[int], lineage: bytes) -> bytes:
    """Lines for COPY: what each row says, its number in the part, its digest, and where it comes from."""
    rows = [b"%b\t%d\t%d" % row for row in zip(said, numbers, digests, strict=True)]
    return lineage.join(rows) + lineage if rows else b""
