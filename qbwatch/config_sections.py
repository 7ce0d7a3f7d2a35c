"""The sections of the configuration: every key, what it may be, and its default. `config` reads and checks them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from qbwatch.config_address import SOCKET, ZONE
from qbwatch.config_checks import check_country, check_raw_schema_name, check_role_name, check_schema_name
from qbwatch.config_types import (
    AbsolutePath,
    AlertUrl,
    BusinessDays,
    ClockTime,
    DatabaseUrl,
    Day,
    Duration,
    Retention,
    Size,
    WebUrl,
    Zone,
    between,
)
from qbwatch.config_values import split_addresses, split_list


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)


class Input(_Section):
    """The folder that is watched. ``ignore`` adds patterns to the built-in list of names that are never exports."""

    directory: AbsolutePath
    seed_directory: AbsolutePath | None = None
    settle: Annotated[Duration, between("50ms", "1h")] = timedelta(seconds=2)
    rescan: Annotated[Duration, between("100ms", "1d")] = timedelta(minutes=5)
    watcher: Literal["auto", "inotify", "polling"] = "auto"
    ignore: Annotated[tuple[str, ...], BeforeValidator(split_list)] = ()


class State(_Section):
    """Where qbwatch keeps what is its own: the vault, the last known status, dbt's targets and logs.

    ``reserve`` is what stays free on its disk, in bytes (None: 500 MB, or a tenth of a small disk); ``retention`` how
    long the vault keeps what no accepted or waiting file refers to (None: for ever).
    """

    directory: AbsolutePath = Path("/var/lib/qbwatch")
    reserve: Size | None = None
    retention: Annotated[Retention, between("1d", "36500d")] = timedelta(days=90)


class Database(_Section):
    """The Postgres that is loaded into, and the schema of the raw tables."""

    url: DatabaseUrl = Field(default="postgresql:///dashboard", validate_default=True)
    raw_schema: Annotated[str, AfterValidator(check_raw_schema_name)] = "raw"

    @property
    def is_embedded(self) -> bool:
        """True when qbwatch runs a private Postgres in its state folder."""
        return self.url.get_secret_value() == "embedded"


class QuickBooks(_Section):
    """How the exporter writes dates, and in which zone the office's clock runs."""

    date_order: Literal["mdy", "dmy", "ymd"] = "mdy"
    timezone: Zone = Field(default=ZONE, validate_default=True)


class Transform(_Section):
    """The dbt project (None: the one that is shipped), where and how long it builds, and as which role of the database
    (None: as who logs in)."""

    project: AbsolutePath | None = None
    target_schema: Annotated[str, AfterValidator(check_schema_name)] = "analytics"
    timeout: Annotated[Duration, between("1s", "1d")] = timedelta(minutes=30)
    role: Annotated[str, AfterValidator(check_role_name)] | None = None


class Freshness(BaseModel):
    """How old, in business days, a relation may be. Keys beside the three declared ones name datasets or marts.

    ``closed`` are days on which the firm rests although the country works.
    """

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)
    __pydantic_extra__: dict[str, BusinessDays]

    country: Annotated[str, AfterValidator(check_country)] = "US"
    closed: Annotated[tuple[Day, ...], BeforeValidator(split_list)] = ()
    default: BusinessDays = 2

    @property
    def relations(self) -> Mapping[str, int | None]:
        """Limits of their own by full dataset name or mart name; None means that no age is too old."""
        return self.__pydantic_extra__

    def limit_for(self, relation: str) -> int | None:
        """Business days that this dataset or mart may be old; None for no limit."""
        return self.relations.get(relation, self.default)


class Expected(_Section):
    """An export that should arrive: on which days, and by when on the office's clock. ``never``: none is missed."""

    every: Literal[
        "day", "business day", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "never"
    ] = "business day"
    by: ClockTime

    @model_validator(mode="before")
    @classmethod
    def _read_never(cls, value: object) -> object:
        """``"never"`` needs no time of day."""
        if value == "never" or (isinstance(value, dict) and value.get("every") == "never"):
            return {"by": "00:00", "every": "never"}
        return value


class Alerts(_Section):
    """Whom to tell, and how often the same trouble is told again.

    ``fallback`` gets what none of ``urls`` takes. ``redact`` leaves names of customers, amounts and cells out of the
    messages. ``heartbeat`` is an address that is asked every ``heartbeat_every``, for a watchman elsewhere.
    """

    urls: Annotated[tuple[AlertUrl, ...], BeforeValidator(split_addresses)] = ()
    fallback: Annotated[tuple[AlertUrl, ...], BeforeValidator(split_addresses)] = ()
    redact: bool = True
    heartbeat: WebUrl | None = None
    heartbeat_every: Annotated[Duration, between("1s", "1d")] = timedelta(minutes=5)
    on_success: Literal["never", "daily", "every_run"] = "never"
    remind: Annotated[Duration, between("1m", "366d")] = timedelta(hours=24)


class Page(_Section):
    """The status page; None switches it off. ``receipts``: a note beside it for each file that was refused."""

    file: AbsolutePath | None = None
    receipts: bool = False


class Control(_Section):
    """The socket at which the daemon answers."""

    socket: AbsolutePath = SOCKET
