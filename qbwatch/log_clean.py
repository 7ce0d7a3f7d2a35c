"""What may stand in a log line: no secret, no control character, nothing that can't be encoded, nothing endless.

File names, customer names and error texts come from outside. A name may hold a line break, a terminal's escape sequence
or bytes that aren't text; an error text may hold the address it failed to reach, with its password.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping
from urllib.parse import quote

MASK = "***"
_SHORTEST_SECRET = 5  # masking shorter ones would blot out ordinary words, and protect nothing
_LONGEST_TEXT = 4_000
_LONGEST_TRACEBACK = 20_000
_DEEPEST = 4
_MOST_ENTRIES = 50

_SECRET_KEY = re.compile(r"(?i)^(?:\w*(?:password|passwd|secret|api_?key|credential)\w*|token|pwd)$")
_IN_URL = re.compile(
    r"""(?i)\b([a-z][a-z0-9+.-]{0,30}://[^\s/:@'"]*):[^\s'"]*@"""
)  # up to the last @: passwords hold / and @
_IN_TEXT = re.compile(
    r"""(?ix) ( \b\w*(?:password|passwd|pwd|secret|api_?key|token) ["']? \s* (?: = | (?<=["'])\s*: ) \s* )
        ( '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" | [^\s&;,'"]+ )"""
)
# C0 and C1 controls, line and paragraph separators, marks that reverse the direction of text, and lone surrogates
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

_secrets: dict[str, None] = {}
_secrets_lock = threading.Lock()


def register_secret(secret: str) -> None:
    """From now on mask this string wherever it is logged, also in the spelling that it has inside a URL."""
    if len(secret) < _SHORTEST_SECRET:
        return
    with _secrets_lock:
        known = {**_secrets, secret: None, quote(secret, safe=""): None, escape(secret): None}
        _secrets.clear()
        _secrets.update(sorted(known.items(), key=lambda entry: -len(entry[0])))  # a whole one before its parts


def forget_secrets() -> None:
    """Mask only what looks like a secret again; for a process that reads its configuration anew."""
    with _secrets_lock:
        _secrets.clear()


def mask(text: str) -> str:
    """The text without registered secrets, without passwords in URLs, and without ``password=…``."""
    for secret in list(_secrets):
        text = text.replace(secret, MASK)
    text = _IN_URL.sub(rf"\1:{MASK}@", text)
    return _IN_TEXT.sub(rf"\1{MASK}", text)


def escape(text: str) -> str:
    """The text on one line of harmless characters; a byte that wasn't text shows as ``\\xe9``."""
    return _UNSAFE.sub(_spell, text)


def _spell(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries bytes of a file name that aren't UTF-8
        code -= 0xDC00
    return _NAMED.get(found[0]) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def clean(value: object, key: str = "", depth: int = 0) -> object:
    """The value as JSON can hold it, masked and escaped all the way down; ``key`` is the name it is logged under."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if _SECRET_KEY.match(key):
        return MASK
    if isinstance(value, Mapping) and depth < _DEEPEST:
        entries = list(value.items())[:_MOST_ENTRIES]
        return {clean_text(str(name)): clean(entry, str(name), depth + 1) for name, entry in entries}
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
        shown = [clean(entry, depth=depth + 1) for entry in list(value)[:_MOST_ENTRIES]]
        return shown if len(value) <= _MOST_ENTRIES else [*shown, f"… and {len(value) - _MOST_ENTRIES} more"]
    return clean_text(_spoken(value), _LONGEST_TRACEBACK if key == "exception" else _LONGEST_TEXT)


def clean_text(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Masked before the cut, which could leave half a secret; a traceback loses its middle, other texts their end.

    What is so long that most of it would be cut anyway loses its middle even before: masking takes time.
    """
    if len(text) > 10 * longest:
        text = text[: 5 * longest] + " … " + text[-5 * longest :]
    text = escape(mask(text))
    if len(text) <= longest:
        return text
    if longest == _LONGEST_TRACEBACK:
        return f"{text[: longest // 4]} … {text[-longest * 3 // 4 :]}"
    return f"{text[:longest]} … and {len(text) - longest} more characters"


def _spoken(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 (an object's own mistake must not end the work that it describes)
        return f"<{type(value).__name__} that can't be shown: {type(error).__name__}>"
