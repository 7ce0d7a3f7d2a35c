"""The configuration: its sections, and `load`, which finds and checks it.

A setting is taken from the first of these that gives it: a variable ``QBWATCH_<SECTION>__<KEY>``, a credential, the
TOML file, the variables of the old script, the defaults in `config_sections`. `config_sources` reads these places and
remembers where each setting stands, so that a mistake is reported with its line; pydantic checks.

Read it once, in the composition root, and pass on the sections: they are frozen.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from qbwatch.config_address import user_defaults
from qbwatch.config_checks import (
    find_overlaps,
    find_schema_clash,
    find_slips,
    find_unknown_datasets,
)
from qbwatch.config_errors import ConfigError, KeyPath, Mistake, explain
from qbwatch.config_sections import (
    Alerts,
    Control,
    Database,
    Expected,
    Freshness,
    Input,
    Page,
    QuickBooks,
    State,
    Transform,
)
from qbwatch.config_sources import (
    Layer,
    find_file,
    find_place,
    merged,
    read_credentials,
    read_environment,
    read_file,
    read_old_names,
)
from qbwatch.config_values import find_passwords

__all__ = ["Config", "ConfigError", "Mistake", "load"]


class Config(BaseModel):
    """A complete, checked configuration. Made by `load`."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

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
        return [secret for secrets in self._secrets_by_setting().values() for secret in secrets]

    def settings_with_secrets(self) -> list[str]:
        """The settings that hold a secret, such as ``alerts.urls``, wherever each was given."""
        return [setting for setting, secrets in self._secrets_by_setting().items() if secrets]

    def _secrets_by_setting(self) -> dict[str, list[str]]:
        alerts = self.alerts
        return {
            "alerts.urls": [url.get_secret_value() for url in alerts.urls],
            "alerts.fallback": [url.get_secret_value() for url in alerts.fallback],
            "alerts.heartbeat": [alerts.heartbeat.get_secret_value()] if alerts.heartbeat else [],
            "database.url": find_passwords(self.database.url.get_secret_value()),
        }

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
        config = Config.model_validate(merged(layers))
        mistakes += find_schema_clash(config.database.raw_schema, config.transform.target_schema, place_of)
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
        return f"no configuration at {looked}: `qbwatch init` writes one; or set QBWATCH_INPUT__DIRECTORY"
    return "correct the environment and start again"
