"""The configuration: every section and key, its default, and `load`, which finds and checks it.

A setting is taken from the first of these that gives it: a variable ``QBWATCH_<SECTION>__<KEY>``, a credential, the
TOML file, the variables of the old script, the defaults below. `config_sources` reads these places and remembers where
each setting stands, so that a mistake is reported with its line; pydantic-settings merges and checks.

Read it once, in the composition root, and pass on the sections: they are frozen.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from qbwatch.config_checks import (
    check_country,
    check_schema_name,
    find_overlaps,
    find_slips,
    find_unknown_datasets,
    user_defaults,
)
from qbwatch.config_errors import ConfigError, KeyPath, Mistake, explain
from qbwatch.config_sources import (
    Layer,
    find_file,
    find_place,
    read_credentials,
    read_environment,
    read_file,
    read_old_names,
)
from qbwatch.config_values import (
    AbsolutePath,
    AlertUrl,
    BusinessDays,
    ClockTime,
    DatabaseUrl,
    Day,
    Duration,
    Retention,
    Size,
    Zone,
    between,
    find_passwords,
    split_addresses,
    split_list,
)

__all__ = ["Config", "ConfigError", "Mistake", "load"]


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
    """The Postgres that is loaded into."""

    url: DatabaseUrl = Field(default="postgresql:///dashboard", validate_default=True)

    @property
    def is_embedded(self) -> bool:
        """True when qbwatch runs a private Postgres in its state folder."""
        return self.url.get_secret_value() == "embedded"


class QuickBooks(_Section):
    """How the exporter writes dates, and in which zone the office's clock runs."""

    date_order: Literal["mdy", "dmy", "ymd"] = "mdy"
    timezone: Zone = Field(default="America/New_York", validate_default=True)


class Transform(_Section):
    """The dbt project (None: the one that is shipped), and where and how long it builds."""

    project: AbsolutePath | None = None
    target_schema: Annotated[str, AfterValidator(check_schema_name)] = "analytics"
    timeout: Annotated[Duration, between("1s", "1d")] = timedelta(minutes=30)


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
    """An export that should arrive: on which days, and by when on the office's clock."""

    every: Literal[
        "day", "business day", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
    ] = "business day"
    by: ClockTime


class Alerts(_Section):
    """Whom to tell, and how often the same trouble is told again."""

    urls: Annotated[tuple[AlertUrl, ...], BeforeValidator(split_addresses)] = ()
    on_success: Literal["never", "daily", "every_run"] = "never"
    remind: Annotated[Duration, between("1m", "366d")] = timedelta(hours=24)


class Page(_Section):
    """The status page; None switches it off."""

    file: AbsolutePath | None = None


class Control(_Section):
    """The socket at which the daemon answers."""

    socket: AbsolutePath = Path("/run/qbwatch/control.sock")


class Config(BaseSettings):
    """A complete, checked configuration. Made by `load`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    input: Input
    state: State = State()
    database: Database = Database()
    quickbooks: QuickBooks = QuickBooks()
    transform: Transform = Transform()
    freshness: Freshness = Freshness()
    expect: dict[str, Expected] = {}
    alerts: Alerts = Alerts()
    page: Page = Page()
    control: Control = Control()

    _file: Path | None = PrivateAttr(default=None)
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The layers that `load` read, highest first, in place of the library's own, which know no lines."""
        layers: list[Layer] = init_settings()["layers"]
        return tuple(InitSettingsSource(settings_cls, layer.values) for layer in layers)

    @property
    def file(self) -> Path | None:
        """The file it came from; None when the environment said enough."""
        return self._file

    @property
    def origins(self) -> Mapping[str, str]:
        """For each setting that was given: where (``{"input.directory": "/etc/qbwatch/qbwatch.toml:2"}``)."""
        return self._origins

    def secrets(self) -> list[str]:
        """Every string that must never be shown, for the log's mask."""
        urls = [url.get_secret_value() for url in self.alerts.urls]
        return urls + find_passwords(self.database.url.get_secret_value())

    def public(self) -> dict[str, Any]:
        """All settings as JSON, with passwords and alert addresses masked."""
        return self.model_dump(mode="json")


def load(
    path: Path | None = None, environ: Mapping[str, str] = os.environ, *, datasets: Collection[str] = ()
) -> Config:
    """Find, read and check the configuration.

    ``path`` is what the command line named; else ``QBWATCH_CONFIG``, ``/etc`` and the user's own folder are tried.
    ``datasets`` are the full names that the keys of ``[expect]`` and ``[freshness]`` may have (empty: not checked).
    Raises `ConfigError` with all mistakes at once.
    """
    file, searched = find_file(path, environ)
    environment = read_environment(environ, {section: known_keys((section,)) for section in known_keys(())})
    layers = [environment, read_credentials(environ), read_file(file) if file else Layer()]
    layers.append(read_old_names(environ, layers))
    layers.append(user_defaults(file, environ, layers))
    mistakes = [mistake for layer in layers for mistake in layer.mistakes]

    def place_of(key: KeyPath) -> str:
        return find_place(layers, key)

    try:
        config = Config.model_validate({"layers": layers})
    except ValidationError as error:
        mistakes += explain(error, place_of, known_keys)
    mistakes += find_overlaps(layers, place_of) + find_slips(layers, place_of)
    mistakes += find_unknown_datasets(layers, place_of, datasets)
    if mistakes:
        raise ConfigError(mistakes, _hint(mistakes, file, searched))
    config._file = file
    config._origins = {".".join(map(str, key)): place_of(key) for layer in layers for key in layer.places if key[1:]}
    return config


def known_keys(path: KeyPath) -> list[str]:
    """The keys that may stand at ``path``: the sections at the root, the keys of a section, those of an expectation."""
    if not path:
        return list(Config.model_fields)
    if path[0] == "expect":
        return list(Expected.model_fields) if len(path) > 1 else []
    section = Config.model_fields[str(path[0])].annotation
    return list(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else []


def _hint(mistakes: list[Mistake], file: Path | None, searched: list[Path]) -> str:
    if file is not None:
        return f"correct it in {file} (README.md explains every key) and start again"
    if any("input.directory is missing" in mistake.text for mistake in mistakes):
        looked = " and ".join(map(str, searched))
        return f"no configuration at {looked}: write one (README.md shows how), or set QBWATCH_INPUT__DIRECTORY"
    return "correct the environment and start again"
