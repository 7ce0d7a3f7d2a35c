"""Whom to tell, also when the configuration is wrong: that it is wrong is then what has to be told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from qbwatch.config_errors import ConfigError
from qbwatch.config_sources import Layer, find_file, read_credentials, read_environment, read_file
from qbwatch.config_types import parse_alert_url
from qbwatch.config_values import split_addresses


def alert_addresses(
    path: Path | None = None, environ: Mapping[str, str] = os.environ
) -> tuple[list[str], list[str], list[str]]:
    """``alerts.urls``, ``alerts.fallback``, and what is wrong with the places they were looked for in.

    Each from the first place that gives it, as `config.load` does; nothing else of the configuration is judged, and an
    address that is none is left out. Never raises.
    """
    file, _ = find_file(path, environ)
    layers = [read_environment(environ, {"alerts": ["urls", "fallback"]}), read_credentials(environ)]
    mistakes: list[str] = []
    try:
        layers.append(read_file(file) if file else Layer())
    except ConfigError as error:
        mistakes = [str(mistake) for mistake in error.mistakes]
    return _first(layers, "urls"), _first(layers, "fallback"), mistakes


def _first(layers: list[Layer], key: str) -> list[str]:
    given: object = next((layer.values["alerts"][key] for layer in layers if layer.gives("alerts", key)), [])
    found = []
    try:
        entries = split_addresses(given)
    except ValueError:
        return []
    for entry in entries if isinstance(entries, list | tuple) else []:
        try:
            found.append(parse_alert_url(entry).get_secret_value())
        except ValueError:
            continue
    return found
