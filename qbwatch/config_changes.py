"""What of a changed configuration counts at once, and what only a restart can change.

Folders, the database, the state, the socket, the office's clock and its order of dates reach into everything that was
read, copied or built since the start; they stay what they were until the next one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from qbwatch.config import Config
from qbwatch.config_errors import name_of

_LIVE_SECTIONS = ("freshness", "expect", "alerts", "page")
_LIVE_KEYS = {"input": ("settle", "rescan", "ignore"), "state": ("reserve", "retention"), "transform": ("timeout",)}


def live_settings() -> list[str]:
    """The settings that may change at run time, as in ``input.settle``; ``alerts.*`` are all of a section."""
    keys = [f"{section}.{key}" for section, keys in _LIVE_KEYS.items() for key in keys]
    return [*keys, *(f"{section}.*" for section in _LIVE_SECTIONS)]


@dataclass(frozen=True, slots=True)
class Changes:
    """``config`` is what counts from now on. ``live`` names the settings that it changes, ``needs_restart`` those that
    stay what they were, as in ``input.directory``."""

    config: Config
    live: tuple[str, ...]
    needs_restart: tuple[str, ...]

    def touches(self, *sections: str) -> bool:
        """Whether a setting of one of these sections changes at once."""
        return any(name.partition(".")[0] in sections for name in self.live)


def changes(now: Config, new: Config) -> Changes:
    """What it means to go over from the one that counts to another, which is right in itself."""
    merged = _merged(now, new)
    if merged.page.file is not None and _is_read_only(merged, merged.page.file):
        # It lies where exports are read until the restart that moves these folders.
        merged = merged.model_copy(update={"page": now.page})
    return Changes(merged, tuple(_differing(now, merged)), tuple(_differing(merged, new)))


def _merged(now: Config, new: Config) -> Config:
    kept: dict[str, Any] = {}
    for section in Config.model_fields:
        if section not in _LIVE_SECTIONS:
            live = {key: getattr(getattr(new, section), key) for key in _LIVE_KEYS.get(section, ())}
            kept[section] = getattr(now, section).model_copy(update=live)
    return new.model_copy(update=kept)


def _is_read_only(config: Config, file: Path) -> bool:
    folders = filter(None, (config.input.directory, config.input.seed_directory))
    return any(Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder)) for folder in folders)


def _differing(one: Config, other: Config) -> Iterator[str]:
    for section in Config.model_fields:
        before, after = _settings(getattr(one, section)), _settings(getattr(other, section))
        for key in dict.fromkeys([*before, *after]):
            if before.get(key) != after.get(key):
                yield name_of((section, key))


def _settings(section: BaseModel | dict[str, Any]) -> dict[str, Any]:
    return dict(section)
