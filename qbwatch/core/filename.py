"""How is a file name shown?

A name on Linux is any run of bytes without ``/`` and NUL: it may hold newlines (a forged log line), terminal escapes,
or bytes that are no UTF-8 (which neither JSON nor Postgres takes). The exact bytes stay the key; this is their face.
"""

from __future__ import annotations

import re
import unicodedata

_COPY = re.compile(r"(?:\s*\([0-9]{1,3}\))+(?=\.[^./]*$|$)")
# Control characters, invisible format characters (they reverse or hide text), line separators, undecodable bytes.
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def escaped(path: bytes) -> str:
    """``path`` as one line of harmless text: whatever isn't plainly visible stands as ``\\xNN``, byte by byte.

    Only for the eye: a backslash that is part of the name is doubled, so that two names never look the same.
    """
    text = path.decode("utf-8", "surrogateescape")
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text  # nearly always; and all that settle are shown once a second, be they thousands
    return "".join(map(_shown, text))


def name_of_copies(path: bytes) -> str:
    """What the copies of one file have in common: the path without case, a browser's ``(1)`` and Unicode's variants.

    The same letter may be one code point or two (a Mac writes the second), and a folder that is synced with Windows
    can't hold two names that differ in case alone.
    """
    text = unicodedata.normalize("NFC", path.decode("utf-8", "surrogateescape")).casefold()
    return _COPY.sub("", unicodedata.normalize("NFC", text).rstrip())


def _shown(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if unicodedata.category(character) not in _UNSHOWN:
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def part_name(name: str, sheet: str | None) -> str:
    """A file's part for a person: the file, and its sheet where it has several parts."""
    return name if sheet is None else f"{name}, sheet {sheet}"
