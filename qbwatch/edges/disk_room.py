"""How much of a disk is kept free, and how sizes are told."""

from __future__ import annotations

from dataclasses import dataclass

_MOST = 500_000_000  # bytes: what Postgres, dbt and the log of a small firm write within some days
_SHARE = 10  # one part in so many: a small disk would else be all reserve


@dataclass(frozen=True, slots=True)
class Reserve:
    """Bytes that stay free. None: 500 MB, or a tenth of the disk where that is less."""

    wanted: int | None = None

    def of_disk(self, total: int) -> int:
        """The reserve on a disk of ``total`` bytes."""
        return min(_MOST, total // _SHARE) if self.wanted is None else self.wanted


def size_text(count: int) -> str:
    """Bytes for a person, as in ``512 MB``."""
    for size, unit in ((1000**4, "TB"), (1000**3, "GB"), (1000**2, "MB"), (1000, "kB")):
        if count >= size:
            return f"{count / size:.{0 if count >= 10 * size else 1}f} {unit}"
    return f"{count} B"
