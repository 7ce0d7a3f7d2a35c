"""How does data of the outside become text that is safe to show, in as many cells as there are?"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta, tzinfo

from rich.cells import cell_len, set_cell_size

# Control characters, invisible format characters (they reverse or hide text), line separators, lone surrogates.
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BARS = "▁▂▃▄▅▆▇█"


def plain(text: object) -> str:
    """One line in which nothing acts: what isn't plainly visible stands as ``\\x1b`` or ``\\u202e``."""
    said = str(text)
    return said if said.isascii() and said.isprintable() else "".join(map(_visible, said))


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNSHOWN:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """Text in exactly so many cells; a sign stands where it was cut."""
    length = cell_len(text)
    if length <= width:
        space = " " * (width - length)
        return space + text if right else text + space
    return set_cell_size(text, max(width - 1, 0)) + "…" * (width > 0)


def clock(moment: str | None, zone: tzinfo | None) -> str:
    """A moment as the office's clock shows it: ``04-18 02:00:03``; a dash for none."""
    return "-" if moment is None else f"{datetime.fromisoformat(moment).astimezone(zone):%m-%d %H:%M:%S}"


def date_and_time(moment: str | None, zone: tzinfo | None) -> str:
    """The same with the year and the zone."""
    return "-" if moment is None else f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def span(length: timedelta) -> str:
    """A length of time in its largest unit: ``3 min``."""
    seconds = max(int(length.total_seconds()), 0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def counted(count: int, noun: str) -> str:
    """``1 file``, ``2,000 files``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def short_dataset(name: str | None) -> str:
    """A dataset without its source; a question mark for an unknown one."""
    return (name or "?").removeprefix("quickbooks.")


def bars(values: list[int]) -> str:
    """A sparkline: one sign for each value, a dot for nothing."""
    most = max(values, default=0)
    return "".join("·" if value <= 0 else _BARS[(value * 8 - 1) // most] for value in values)
