"""How a value of the configuration is written, and what it means: durations, ages, times, paths, addresses.

Every function takes what TOML or an environment variable gave and returns the value, or raises `ValueError` with a
sentence that says what is wrong and what is allowed. None of them shows a secret.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from urllib.parse import unquote
from zoneinfo import ZoneInfo, available_timezones

_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}  # in milliseconds, largest first
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*(ms|[dhms])\s*")
_DURATION_FORMS = 'allowed: a number with a unit, as in "250ms", "2s", "5m", "1h30m", "2d"'
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([kmgt]?b)?", re.IGNORECASE)
_SIZES = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "tb": 1000**4}
_AGE = re.compile(r"([0-9]{1,4})\s+business\s+days?")
_MASK = "***"


def parse_duration(value: object) -> timedelta:
    """``"1h30m"`` as a timedelta. Units go from large to small, each at most once."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError(f"a duration needs a unit; {_DURATION_FORMS}")  # noqa: TRY004 (pydantic collects ValueErrors)
    total, position, ranks = 0.0, 0, list(_UNITS)
    text = value.strip()
    while position < len(text):
        found = _DURATION.match(text, position)
        if found is None or found[2] not in ranks:
            raise ValueError(f"is not a duration; {_DURATION_FORMS}")
        total += float(found[1]) * _UNITS[found[2]]
        ranks = ranks[ranks.index(found[2]) + 1 :]
        position = found.end()
    if not text:
        raise ValueError(f"is empty; {_DURATION_FORMS}")
    try:
        return timedelta(milliseconds=total)
    except OverflowError:
        raise ValueError(f"is longer than a calendar; {_DURATION_FORMS}") from None


def write_duration(duration: timedelta) -> str:
    """The shortest spelling that `parse_duration` reads back: 90 minutes are ``1h30m``."""
    rest = round(duration / timedelta(milliseconds=1))
    spelled = ""
    for unit, size in _UNITS.items():
        count, rest = divmod(rest, size)
        spelled += f"{count}{unit}" if count else ""
    return spelled or "0s"


def parse_size(value: object) -> int:
    """``"500MB"`` as bytes: kB, MB, GB, TB of a thousand each, and ``"0"`` for none."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('is not a size; allowed: a number with a unit, as in "500MB", "2.5GB", or "0"')
    if found[2] is None and float(found[1]) != 0:
        raise ValueError('a size needs a unit; allowed: "kB", "MB", "GB" or "TB", as in "500MB"')
    return round(float(found[1]) * _SIZES[(found[2] or "b").lower()])


def parse_retention(value: object) -> timedelta | None:
    """A duration, or ``"forever"`` as None."""
    if value is None or (isinstance(value, str) and value.strip().lower() == "forever"):
        return None
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ValueError(f'{error}, or "forever"') from None


def parse_business_days(value: object) -> int | None:
    """``"2 business days"`` as 2; ``"off"`` as None: that relation may be as old as it likes."""
    if value is None or (isinstance(value, str) and value.strip().lower() == "off"):
        return None
    found = _AGE.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('is not an age; allowed: "1 business day", "2 business days", …, or "off"')
    return int(found[1])


def parse_clock_time(value: object) -> time:
    """``"06:00"`` as a time of day, without seconds; TOML's own ``06:00:00`` as well."""
    if isinstance(value, time):
        return value
    if isinstance(value, str) and re.fullmatch(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", value.strip()):
        return time.fromisoformat(value.strip())
    raise ValueError('is not a time of day; allowed: hours and minutes of the 24-hour clock, as in "06:00"')


def parse_day(value: object) -> date:
    """``"2026-12-24"`` as a date; TOML's own ``2026-12-24`` as well."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("is not a day of the calendar") from None
    raise ValueError('is not a date; allowed: year-month-day, as in "2026-12-24"')


def parse_path(value: object) -> Path:
    """An absolute path with ``~`` resolved and without ``..``; a relative one would depend on where one stands."""
    if not isinstance(value, str | Path):
        raise ValueError('is not a path; allowed: text, as in "/srv/exports"')  # noqa: TRY004
    text = os.path.expanduser(str(value))
    if "\0" in text:
        raise ValueError("is not a path: it holds a NUL character")
    if not os.path.isabs(text):
        raise ValueError("is a relative path; allowed: a path that begins with / or ~")
    return Path(os.path.normpath(text))


def parse_zone(value: object) -> ZoneInfo:
    """``"America/New_York"`` as a time zone of this machine's database."""
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (OSError, ValueError, KeyError):
        near = nearest(str(value), available_timezones())
        raise ValueError(f'is not a time zone; allowed: an IANA name, as in "America/New_York"{near}') from None


def split_list(value: object) -> object:
    """A list out of an environment variable: JSON in brackets, else one entry per line, else divided by commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('begins like a JSON list but is none; allowed: ["one", "two"], or: one, two') from None
    entries = value.splitlines() if "\n" in value.strip() else value.split(",")
    return [entry.strip() for entry in entries if entry.strip()]


def split_addresses(value: object) -> object:
    """Alert addresses out of a variable or a credential, divided by white space (they may hold commas); # comments."""
    if not isinstance(value, str) or value.lstrip().startswith("["):
        return split_list(value)
    return [word for line in value.splitlines() if not line.lstrip().startswith("#") for word in line.split()]


def mask_url(text: str) -> str:
    """The address of a database with everything that could be a password left out.

    Split by hand at the last ``@``: a careless password holds ``/``, ``?`` or ``@``; a parser would show half of it.
    """
    scheme, is_url, rest = text.partition("://")
    if not is_url:
        return re.sub(r"(\w*pass\w*\s*=\s*)('(?:\\.|[^'\\])*'|\S+)", rf"\1{_MASK}", text)
    account, at, place = rest.rpartition("@")
    user, colon, _password = account.partition(":")
    place, mark, query = place.partition("?")
    shown = _MASK if "pass" in query.lower() else query
    return f"{scheme}://{user}{colon and ':' + _MASK}{at}{place}{mark}{shown}"


def find_passwords(text: str) -> list[str]:
    """The passwords inside the address of a database, as they are written there and as the server knows them."""
    account = text.partition("://")[2].rpartition("@")[0]
    found = [account.partition(":")[2], *re.findall(r"pass\w*\s*=\s*'?((?:\\.|[^\s'\\&])+)", text)]
    return [spelling for password in found if password for spelling in {password: 0, unquote(password): 0}]


def nearest(word: str, known: Iterable[str]) -> str:
    """``"; did you mean …?"`` when a known word is close, else nothing."""
    match = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f"; did you mean {match[0]}?" if match else ""
