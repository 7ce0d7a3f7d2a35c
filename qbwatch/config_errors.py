"""What is wrong with a configuration, in words a person can act on: where it stands, what it says, what is allowed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qbwatch.config_values import nearest
from qbwatch.core.model import QbwatchError

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

KeyPath = tuple[str | int, ...]  # ("alerts", "urls", 1): section, key, and the place inside a list

_SECRET = (
    ("database", "url"),
    ("alerts", "urls"),
    ("alerts", "fallback"),
    ("alerts", "heartbeat"),
)  # never shown, not even in part
_LONGEST_VALUE_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Mistake:
    """One fault: ``place`` is a file and line or the name of a variable, ``text`` what is wrong and what is allowed."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


class ConfigError(QbwatchError):
    """The configuration can't be used. ``mistakes`` holds every fault that was found, not only the first."""

    is_configuration = True  # exit code 2: starting again can't mend it

    def __init__(self, mistakes: Iterable[Mistake], hint: str = "") -> None:
        self.mistakes = tuple(mistakes)
        lines = [str(mistake) for mistake in self.mistakes]
        message = lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} mistakes in the configuration:", *lines])
        super().__init__(message, hint)


def explain(
    error: ValidationError, place_of: Callable[[KeyPath], str], known_keys: Callable[[KeyPath], list[str]]
) -> list[Mistake]:
    """Every finding of the validation as a mistake. ``known_keys`` names what a section may hold."""
    return [
        Mistake(place_of(details["loc"]), f"{name_of(details['loc'])}{_complaint(details, known_keys)}")
        for details in error.errors(include_url=False)
    ]


def name_of(path: KeyPath) -> str:
    """How a key is named to a person: ``input.settle``, ``expect."quickbooks.bills"``, ``alerts.urls, entry 2``."""
    keys = [key if re.fullmatch(r"[\w-]+", key) else json.dumps(key) for key in path if isinstance(key, str)]
    entries = [f", entry {index + 1}" for index in path if isinstance(index, int)]
    return ".".join(keys) + "".join(entries)


def _complaint(details: ErrorDetails, known_keys: Callable[[KeyPath], list[str]]) -> str:
    """The rest of the sentence after the key's name; it shows the value, except where that is a secret."""
    path, context = details["loc"], details.get("ctx", {})
    shown = "" if path[:2] in _SECRET else f" = {_shorten(details['input'])}"
    match details["type"]:
        case "extra_forbidden":
            known = known_keys(path[:-1])
            what = "section" if len(path) == 1 else "key"
            return f" is not a known {what}{nearest(str(path[-1]), known)}; allowed: {', '.join(known)}"
        case "missing":
            return ".directory is missing" if path == ("input",) else " is missing"  # the one required section
        case "value_error":
            return f"{shown} {context['error']}"
        case "literal_error":
            return f"{shown} is not known; allowed: {context['expected'].replace(' or ', ', ')}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{shown} must be a table of keys, as in [{'.'.join(map(str, path))}]"
        case "list_type" | "tuple_type":
            return f'{shown} must be a list, as in ["one", "two"]'
        case "string_type":
            return f"{shown} must be text in quotes"
        case "bool_type" | "bool_parsing":
            return f"{shown} is not known; allowed: true, false"
        case _:
            return f"{shown}: {details['msg']}"


def _shorten(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=True)  # ASCII, so that neither odd bytes nor control characters get out
    except (TypeError, ValueError):
        text = ascii(str(value))
    return text if len(text) <= _LONGEST_VALUE_SHOWN else text[:_LONGEST_VALUE_SHOWN] + "…"


# --- where a key stands in a TOML file ------------------------------------------------------------------------------

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*')"""
_DOTTED = rf"({_KEY}(?:[ \t]*\.[ \t]*{_KEY})*)[ \t]*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*{_DOTTED}\]")
_ENTRY = re.compile(rf"[ \t]*{_DOTTED}=")
_VALUE_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'" r"|#[^\n]*|[\[{]|[\]}]|\n|.",
    re.DOTALL,
)


def find_lines(text: str) -> dict[tuple[str, ...], int]:
    """The line (from 1) of every table and key of a text that is known to be valid TOML.

    tomllib keeps no positions. Keys inside an inline table are not listed: they stand on the line of the table's key.
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    position = 0
    while position < len(text):
        number = text.count("\n", 0, position) + 1
        if header := _HEADER.match(text, position):
            table = _split_key(header[1])
            lines.setdefault(table, number)
        elif entry := _ENTRY.match(text, position):
            lines[table + _split_key(entry[1])] = number
            position = _end_of_value(text, entry.end())
            continue
        end = text.find("\n", position)
        position = len(text) if end < 0 else end + 1
    return lines


def _split_key(dotted: str) -> tuple[str, ...]:
    parts = re.findall(_KEY, dotted)
    return tuple(json.loads(part) if part[0] == '"' else part.strip("'") for part in parts)


def _end_of_value(text: str, start: int) -> int:
    """Just after the line on which the value ends; lists and long strings span several."""
    depth = 0
    for token in _VALUE_TOKEN.finditer(text, start):
        if token[0] in ("[", "{"):
            depth += 1
        elif token[0] in ("]", "}"):
            depth -= 1
        elif token[0] == "\n" and depth == 0:
            return token.end()
    return len(text)
