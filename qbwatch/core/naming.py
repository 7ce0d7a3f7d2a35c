"""What do a header and a file name say?

The exporter writes its moment into the file name only, so the name is the best witness of a file's ``as_of``:
``Invoice_04_17_2025_2_00_03.csv`` speaks for 2:00:03 of that day (its hour has no leading zero), and a name with a
date and no time (``01_BACKUP_Invoice_04_03_2025.csv``) speaks for the end of that day, after its windows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

_OTHER = re.compile(r"[^a-z0-9]+")
_NUMBERED_WORD = re.compile(r"([a-z]{3,})([0-9]+)(?=_|$)")
_BROWSER_COPY = re.compile(r"(?:\s*\([0-9]{1,3}\))+$")
_US_MOMENT = re.compile(
    r"(?<![0-9])(?P<month>[0-9]{1,2})_(?P<day>[0-9]{1,2})_(?P<year>[0-9]{4})"
    r"(?:_(?P<hour>[0-9]{1,2})_(?P<minute>[0-9]{2})_(?P<second>[0-9]{2}))?$"
)
_ISO_DAY = re.compile(r"(?<![0-9])(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})(?![0-9])")
_BACKUP = re.compile(r"^[0-9]+_BACKUP_", re.IGNORECASE)
# Zero-width characters and NULs have no part in a name: a header that looks right must be found under its name.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\x00"))
_END_OF_DAY = time(23, 59, 59)


def column_name(header: str, spelled_by_hand: dict[str, str] | None = None) -> str:
    """A header in snake_case: lower case, every run of other characters one ``_``, a number its own word.

    ``Product/Service  Amount`` → ``product_service_amount``; ``Billing Address Line1`` → ``billing_address_line_1``.
    ``spelled_by_hand`` maps lower-case headers to names that don't follow from the spelling (``trans #``).
    """
    folded = " ".join(header.translate(_INVISIBLE).replace("\u00a0", " ").split()).lower()
    if spelled_by_hand and folded in spelled_by_hand:
        return spelled_by_hand[folded]
    return _NUMBERED_WORD.sub(r"\1_\2", _OTHER.sub("_", folded).strip("_"))


@dataclass(frozen=True, slots=True)
class NameReading:
    """What a file name states. ``moment`` is local time of the exporting office, without a zone; ``problem`` is set
    when the name holds something like a date that is none."""

    stem: str
    moment: datetime | None
    is_full: bool
    problem: str | None = None

    def as_of(self, zone: ZoneInfo) -> datetime | None:
        """The moment the export speaks for, or None when the name doesn't say."""
        return None if self.moment is None else self.moment.replace(tzinfo=zone)


def read_file_name(name: str) -> NameReading:
    """Take a file name apart: the stem that names the dataset, its moment, and whether it is a full export."""
    base = _BROWSER_COPY.sub("", name.rsplit(".", 1)[0].strip())
    is_full = _BACKUP.match(base) is not None
    base = _BACKUP.sub("", base)
    match = _US_MOMENT.search(base) or _ISO_DAY.search(base)
    if match is None:
        return NameReading(base, None, is_full)
    stem = (base[: match.start()] or base[match.end() :]).strip(" _-")
    try:
        return NameReading(stem, _moment(match.groupdict()), is_full)
    except ValueError:
        return NameReading(stem, None, is_full, f"{match[0]!r} in its name is no date written MM_DD_YYYY")


def _moment(parts: dict[str, str | None]) -> datetime:
    day = datetime(int(parts["year"] or 0), int(parts["month"] or 0), int(parts["day"] or 0))  # noqa: DTZ001
    if parts.get("hour") is None:
        return datetime.combine(day, _END_OF_DAY)
    clock = time(int(parts["hour"] or 0), int(parts["minute"] or 0), int(parts["second"] or 0))
    return datetime.combine(day, clock)


def folded_stem(stem: str) -> str:
    """A stem without case, blanks and underscores, for comparing: ``Sales Receipt`` = ``Sales_Receipt``."""
    return _OTHER.sub("", stem.lower())
