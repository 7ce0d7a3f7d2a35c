"""Where settings are given: the environment, systemd credentials, the TOML file, and the names of the old script.

Each place becomes a `Layer`: values by section and key, and for each key the words that lead a person to it. Nothing is
judged here except what only the place itself can know: a file that can't be read, a variable that leads nowhere.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qbwatch.config_errors import ConfigError, KeyPath, Mistake, find_lines
from qbwatch.config_values import nearest

PREFIX = "QBWATCH_"
_CREDENTIALS = {
    "database_url": ("database", "url"),
    "alert_urls": ("alerts", "urls"),
    "alert_fallback": ("alerts", "fallback"),
    "heartbeat_url": ("alerts", "heartbeat"),
}
_KEYED_BY_DATASET = ("expect", "freshness")


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place gives. ``places`` leads from ``(section, key, …)`` to ``file:line`` or a variable's name."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[KeyPath, str] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def give(self, path: tuple[str, ...], value: object, place: str) -> None:
        """Note a value at ``(section, key, …)`` and where it was found; the first word on a key counts."""
        *parents, key = path
        table: Any = self.values
        for parent in parents:
            table = table.setdefault(parent, {})
            if not isinstance(table, dict):
                return  # a value stands where a table would have to be; that value is the mistake to report
        table.setdefault(key, value)
        self.places.setdefault(path, place)

    def gives(self, section: str, key: str) -> bool:
        """True when this place says anything about the key."""
        table = self.values.get(section)
        return isinstance(table, dict) and key in table


def merged(layers: Sequence[Layer]) -> dict[str, Any]:
    """What all places give together: of each key what the first of them says, tables key by key."""
    values: dict[str, Any] = {}
    for layer in reversed(layers):
        _put_over(values, layer.values)
    return values


def _put_over(values: dict[str, Any], others: Mapping[str, Any]) -> None:
    for key, value in others.items():
        if isinstance(value, dict):
            known = values.get(key)
            values[key] = dict(known) if isinstance(known, dict) else {}
            _put_over(values[key], value)
        else:
            values[key] = value


def read_environment(environ: Mapping[str, str], known: Mapping[str, list[str]]) -> Layer:
    """Variables ``QBWATCH_<SECTION>__<KEY>``; an empty one counts as not given, as it does for a shell's ``${X:-}``."""
    layer = Layer()
    for name in sorted(environ):
        if not name.startswith(PREFIX) or not environ[name].strip():
            continue
        section, delimiter, rest = name.removeprefix(PREFIX).lower().partition("__")
        if not delimiter:
            _note_single_underscore(layer, name, known)
        elif section not in known:
            text = f"there is no section {section}{nearest(section, known)}; allowed: {', '.join(known)}"
            layer.mistakes.append(Mistake(f"environment variable {name}", text))
        else:
            keys = tuple(rest.split("__"))
            path = (section, _dataset_name(keys[0]) if section in _KEYED_BY_DATASET else keys[0], *keys[1:])
            layer.give(path, environ[name], f"environment variable {name}")
    return layer


def _dataset_name(key: str) -> str:
    """A variable's name holds no dot, so a dataset goes by its raw table's name there: ``quickbooks_invoices``."""
    return re.sub(r"^quickbooks_(?=.)", "quickbooks.", key)


def _note_single_underscore(layer: Layer, name: str, known: Mapping[str, list[str]]) -> None:
    """``QBWATCH_INPUT_DIRECTORY`` would be ignored without a word, so it is a mistake; other names are not ours."""
    rest = name.removeprefix(PREFIX).lower()
    for section, keys in known.items():
        if rest.startswith(f"{section}_") and rest.removeprefix(f"{section}_") in keys:
            right = f"{PREFIX}{section}__{rest.removeprefix(f'{section}_')}".upper()
            layer.mistakes.append(Mistake(f"environment variable {name}", f"has one underscore too few; write {right}"))


def read_credentials(environ: Mapping[str, str]) -> Layer:
    """The files that systemd's ``LoadCredential=`` put into ``$CREDENTIALS_DIRECTORY``, by our names for them."""
    layer = Layer()
    if not environ.get("CREDENTIALS_DIRECTORY"):
        return layer
    for name, path in _CREDENTIALS.items():
        file = Path(environ["CREDENTIALS_DIRECTORY"], name)
        try:
            text = file.read_text("utf-8").strip()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            layer.mistakes.append(Mistake(f"credential {name}", f"{file} can't be read: {_reason(error)}"))
            continue
        if text:
            layer.give(path, text, f"credential {name}")
        else:
            layer.mistakes.append(Mistake(f"credential {name}", f"{file} is empty"))
    return layer


def read_old_names(environ: Mapping[str, str], layers: list[Layer]) -> Layer:
    """``DROPBOX_PATH`` (the folder above ``input`` and ``seed``) and ``DATABASE_URL``, as the old script had them.

    Each counts only where no other place speaks of the same thing: half of a pair of folders would be a mixture.
    """
    old = Layer()
    folder, url = environ.get("DROPBOX_PATH", "").strip(), environ.get("DATABASE_URL", "").strip()
    if folder and not any(layer.gives("input", "directory") for layer in layers):
        old.give(("input", "directory"), str(Path(folder, "input")), "environment variable DROPBOX_PATH")
        old.give(("input", "seed_directory"), str(Path(folder, "seed")), "environment variable DROPBOX_PATH")
    if url:
        old.give(("database", "url"), url, "environment variable DATABASE_URL")
    return old


def find_place(layers: list[Layer], path: KeyPath) -> str:
    """Where a key, or something below it, was given; for one that is missing its section's place, or else the file."""
    for length in range(len(path), -1, -1):
        for layer in layers:
            if place := layer.places.get(path[:length]):
                return place
            below = (place for key, place in layer.places.items() if length > 1 and key[:length] == path[:length])
            if place := next(below, None):
                return place
    return ""


def find_file(path: Path | None, environ: Mapping[str, str]) -> tuple[Path | None, list[Path]]:
    """The configuration file and where it was looked for. A file that was asked for by name need not exist yet."""
    asked = path or (Path(environ["QBWATCH_CONFIG"]) if environ.get("QBWATCH_CONFIG") else None)
    if asked is not None:
        file = Path(os.path.abspath(os.path.expanduser(asked)))
        return file, [file]
    places = [Path("/etc/qbwatch/qbwatch.toml"), config_home(environ) / "qbwatch" / "qbwatch.toml"]
    return next((place for place in places if os.path.lexists(place)), None), places


def config_home(environ: Mapping[str, str]) -> Path:
    """Where a user's own configuration lives, by the XDG rules."""
    given = environ.get("XDG_CONFIG_HOME", "")
    return Path(given) if os.path.isabs(given) else home(environ) / ".config"


def home(environ: Mapping[str, str]) -> Path:
    """The user's home folder."""
    return Path(environ.get("HOME") or os.path.expanduser("~"))


def read_file(file: Path) -> Layer:
    """The TOML file. Raises `ConfigError` when it can't be read or isn't TOML: then nothing in it can be trusted."""
    try:
        text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")  # an editor on Windows adds both
        values = tomllib.loads(text)
    except OSError as error:
        hint = f"name another with --config, or have one written: qbwatch init --config {file}"
        if isinstance(error, PermissionError):
            hint = f"run as a user or group that may read it (see `ls -l {file}`)"
        raise ConfigError([Mistake(str(file), f"can't be read: {_reason(error)}")], hint) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError([Mistake(f"{file}:{line}", "is not UTF-8 text")], "save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax_mistake(file, text, error)], "text and paths need quotes in TOML") from error
    lines = find_lines(text)
    places: dict[KeyPath, str] = {path: f"{file}:{line}" for path, line in lines.items()}
    return Layer(values, places | {(): str(file)})


def find_socket_line(file: Path | None) -> dict[str, str]:
    """The control socket in a file that isn't TOML, by the line that would name it."""
    try:
        text = file.read_text("utf-8", "replace") if file else ""
    except OSError:
        return {}
    found = re.search(r"""^[ \t]*socket[ \t]*=[ \t]*["']([^"'\n]+)["']""", text, re.MULTILINE)
    return {"socket": found[1]} if found else {}


def _syntax_mistake(file: Path, text: str, error: tomllib.TOMLDecodeError) -> Mistake:
    message = str(error)
    found = re.search(r"\(at line ([0-9]+), column ([0-9]+)\)", message)
    line = int(found[1]) if found else len(text.splitlines()) or 1
    column = f", column {found[2]}" if found else ""
    return Mistake(f"{file}:{line}", f"is not TOML: {message.partition(' (at ')[0]}{column}")


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or type(error).__name__).lower() if isinstance(error, OSError) else "it is not UTF-8 text"
