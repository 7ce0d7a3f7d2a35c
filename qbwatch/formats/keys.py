"""Which record does this row belong to?

A key is read from its cells by their types, so that the same document gets the same key from a CSV and from a
workbook (``"9,876"`` and 9876, ``04-17-2025`` and a real date). Names are compared without blanks at their ends and
with every run of blanks (no-break spaces too) as one; what is stored is the text as it was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qbwatch.core.dates import WrongOrder
from qbwatch.formats.cells import DAMAGED_ID, is_damaged_id
from qbwatch.formats.layout import Cell, Layout

_LONGEST_KEY = 500  # characters; a longer one is no identifier, and no index could hold it


@dataclass(slots=True)
class KeyReader:
    """Reads the keys of a part's rows, from top to bottom."""

    layout: Layout
    _above: tuple[str, ...] | None = None

    def forget(self) -> None:
        """A gap: what follows belongs to no document above it."""
        self._above = None

    def read(self, cells: Sequence[str]) -> str | None:
        """The row's key, also of a row that is too short as long as its key's cells are there; None without one.

        Where the dataset's identity is printed on a document's first line only, a row without any of it, or with the
        number alone, is another line of the document above. A row that has a name or a day but no number stands for
        a document without a number, which can't be told from another one.
        """
        parts = tuple(_part(cell, cells) for cell in self.layout.key)
        if self.layout.fills_down:
            parts = self._above = self._filled(parts)
        if "" in parts:
            return None
        key = parts[0] if len(parts) == 1 else " | ".join(part.replace("|", "||") for part in parts)
        return key if len(key) <= _LONGEST_KEY else None

    def _filled(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        above = self._above
        if above is None or "" not in parts or (any(parts) and parts[0] != above[0]):
            return parts
        if all(part in ("", theirs) for part, theirs in zip(parts, above, strict=True)):
            return above
        return parts

    def why_not(self, cells: Sequence[str]) -> tuple[int, str]:
        """The place of the cell that keeps a row from having a key, and why. Raises `WrongOrder`."""
        for cell in self.layout.key:
            text = cells[cell.position].strip() if cell.position < len(cells) else ""
            if not text:
                return cell.position, "no key: the cell is blank"
            if "\x00" in text:
                return cell.position, "no key: the cell holds a NUL character"
            if is_damaged_id(text):
                return cell.position, DAMAGED_ID
            try:
                cell.read(text)
            except WrongOrder:
                raise
            except ValueError as error:
                return cell.position, str(error)
        return self.layout.key[0].position, "the key is too long to be one"


def _part(cell: Cell, cells: Sequence[str]) -> str:
    """A key's cell in comparable form; empty where it can't be read."""
    text = cells[cell.position] if cell.position < len(cells) else ""
    if "\x00" in text or is_damaged_id(text):
        return ""
    try:
        return " ".join((cell.read(text) or "").split())
    except ValueError:
        return ""
