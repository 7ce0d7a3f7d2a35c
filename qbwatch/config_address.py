"""Where the daemon answers, and by which clock the office lives: read without judging the rest of the configuration.

Whoever only asks the daemon needs no more, and is answered although something else in the file is wrong; checking it
all takes longer than the answer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from qbwatch.config_errors import ConfigError
from qbwatch.config_sources import (
    Layer,
    config_home,
    find_file,
    find_socket_line,
    home,
    merged,
    read_environment,
    read_file,
)
from qbwatch.config_values import parse_path, parse_zone

SOCKET = Path("/run/qbwatch/control.sock")
ZONE = "America/New_York"
_KEYS = {"control": ["socket"], "quickbooks": ["timezone"], "state": ["directory"]}


@dataclass(frozen=True, slots=True)
class Address:
    """The daemon's socket, and the office's time zone."""

    socket: Path
    zone: ZoneInfo


def address(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Address | None:
    """Where to ask; None where only the whole configuration can tell what is wrong with it. ``path`` as in `load`."""
    try:
        given = merged(_layers(path, environ))
        control, quickbooks = given.get("control", {}), given.get("quickbooks", {})
        return Address(parse_path(control.get("socket", SOCKET)), parse_zone(quickbooks.get("timezone", ZONE)))
    except (ConfigError, ValueError, AttributeError):
        return None


def socket_named(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The control socket as far as a configuration that is found wrong still names it, else the usual one."""
    try:
        layers = _layers(path, environ)
    except ConfigError:  # no TOML: then what looks like the line
        file, _ = find_file(path, environ)
        layers = [read_environment(environ, _KEYS), Layer({"control": find_socket_line(file)})]
        layers.append(user_defaults(file, environ, layers))
    return path_at(layers, ("control", "socket")) or SOCKET


def _layers(path: Path | None, environ: Mapping[str, str]) -> list[Layer]:
    file, _ = find_file(path, environ)
    layers = [read_environment(environ, _KEYS), read_file(file) if file else Layer()]
    return [*layers, user_defaults(file, environ, layers)]


def user_defaults(file: Path | None, environ: Mapping[str, str], layers: list[Layer]) -> Layer:
    """State and socket in the user's own folders, when neither root nor a system-wide file is in play.

    A state folder that was named keeps the socket with it, so that two daemons of one user don't meet at one socket.
    """
    layer = Layer()
    if os.geteuid() == 0 or (file is not None and not file.is_relative_to(config_home(environ))):
        return layer
    given = environ.get("XDG_STATE_HOME", "")
    state = (Path(given) if os.path.isabs(given) else home(environ) / ".local" / "state") / "qbwatch"
    layer.values["state"] = {"directory": str(state)}
    named = path_at(layers, ("state", "directory"))
    runtime = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}")
    folder = named or (runtime / "qbwatch" if os.access(runtime, os.W_OK) else state)
    layer.values["control"] = {"socket": str(folder / "control.sock")}
    return layer


def path_at(layers: list[Layer], key: tuple[str, str]) -> Path | None:
    """The path that will count, with links resolved; None when it isn't given or isn't a path."""
    section, name = key
    for layer in layers:
        table = layer.values.get(section)
        if isinstance(table, dict) and name in table:
            try:
                return Path(os.path.realpath(parse_path(table[name])))
            except ValueError:
                return None
    return None
