"""The types of settings: what stands in the file, as what the rest of qbwatch works with."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, SecretStr

from qbwatch.config_values import (
    mask_url,
    parse_business_days,
    parse_clock_time,
    parse_day,
    parse_duration,
    parse_path,
    parse_retention,
    parse_size,
    parse_zone,
    write_duration,
)

_MASK = "***"


def between(shortest: str, longest: str) -> AfterValidator:
    """A duration that is neither so short that qbwatch would never rest, nor so long that it would never act."""

    def check(duration: timedelta | None) -> timedelta | None:
        if duration is not None and not parse_duration(shortest) <= duration <= parse_duration(longest):
            raise ValueError(f"is out of range; allowed: {shortest} to {longest}")
        return duration

    return AfterValidator(check)


def parse_database_url(value: object) -> SecretStr:
    """A libpq URL or keyword string, or ``embedded``. SQLAlchemy's driver in the scheme is dropped."""
    text = (value.get_secret_value() if isinstance(value, SecretStr) else str(value)).strip()
    text = re.sub(r"^(postgres(?:ql)?)\+[a-z0-9_]+://", r"\1://", text)
    if text == "embedded" or re.match(r"postgres(?:ql)?://|[a-z_]+\s*=", text):
        return SecretStr(text)
    raise ValueError(
        'is not the address of a Postgres database; allowed: "postgresql://user@host/name", '
        '"host=… dbname=…", or "embedded"'
    )


def parse_alert_url(value: object) -> SecretStr:
    """One alert address. Whether its service exists is found out by the part that sends."""
    text = (value.get_secret_value() if isinstance(value, SecretStr) else str(value)).strip()
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://\S", text):
        raise ValueError('is not an alert address; allowed: "service://…", as in "mailto://…" or "slack://…"')
    return SecretStr(text)


def parse_web_url(value: object) -> SecretStr:
    """An address that is asked by HTTP; its path is a secret."""
    text = (value.get_secret_value() if isinstance(value, SecretStr) else str(value)).strip()
    if not re.fullmatch(r"https?://[^\s/]+\S*", text):
        raise ValueError('is not a web address; allowed: "https://…"')
    return SecretStr(text)


Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(write_duration)]
Retention = Annotated[
    timedelta | None,
    BeforeValidator(parse_retention),
    PlainSerializer(lambda kept: "forever" if kept is None else write_duration(kept)),
]
Size = Annotated[int, BeforeValidator(parse_size)]
BusinessDays = Annotated[int | None, BeforeValidator(parse_business_days)]
ClockTime = Annotated[time, BeforeValidator(parse_clock_time), PlainSerializer(lambda at: at.strftime("%H:%M"))]
Day = Annotated[date, BeforeValidator(parse_day)]
AbsolutePath = Annotated[Path, BeforeValidator(parse_path), PlainSerializer(str)]
Zone = Annotated[ZoneInfo, BeforeValidator(parse_zone), PlainSerializer(str)]
DatabaseUrl = Annotated[
    SecretStr, BeforeValidator(parse_database_url), PlainSerializer(lambda url: mask_url(url.get_secret_value()))
]
_Masked = PlainSerializer(lambda url: f"{url.get_secret_value().partition('://')[0]}://{_MASK}")
AlertUrl = Annotated[SecretStr, BeforeValidator(parse_alert_url), _Masked]
WebUrl = Annotated[SecretStr, BeforeValidator(parse_web_url), _Masked]
