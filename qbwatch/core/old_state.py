"""Which files did an old pipeline note as processed? Its state comes in many shapes; only the names count here.

A list of names; a dictionary from names to moments or row counts; a list of records with a name among their fields;
any of these below ``processed_files``, ``files_processed`` or a source's name. So the whole of it is walked through,
and whatever stands where a name would stand, and ends as an export's name does, is one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from qbwatch.core.ignored import EXPORT_SUFFIXES

NAME_FIELDS = frozenset(
    {"filename", "file_name", "file", "name", "path", "file_path", "source_file", "_source_file", "last_file"}
)
"""Fields of a record, and columns of a table, that hold a file's name."""

LIST_FIELDS = frozenset({"files_processed", "processed_files"})
"""Columns of a table that hold many, as JSON."""


def names_in(said: Any) -> set[str]:
    """The names of files in decoded JSON, without their folders, as `plain_name` has them."""
    return {plain_name(each) for each in _walk(said) if is_export(each)}


def plain_name(path: str) -> str:
    """A path's last part, whichever way its folders are divided; the same letters in one form of Unicode."""
    return unicodedata.normalize("NFC", path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1])


def is_export(text: str) -> bool:
    """Whether a text ends as an export's name does."""
    stem, dot, suffix = plain_name(text).rpartition(".")
    return bool(stem and dot) and suffix.casefold() in EXPORT_SUFFIXES and "\n" not in text


def _walk(said: Any) -> Iterator[str]:
    """Texts that stand where a name may stand: in a list, as a key, in a field for it."""
    if isinstance(said, str):
        yield said
    elif isinstance(said, list):
        for each in said:
            yield from _walk(each)
    elif isinstance(said, dict):
        for key, value in said.items():
            yield key
            if not isinstance(value, str) or key.casefold() in NAME_FIELDS:
                yield from _walk(value)
