"""Is this name somebody's temporary, or no export at all?

Sync clients, browsers, office programs and operating systems leave files beside the exports. A name alone decides here,
and the answer is the name of the rule, so that an ignored file is never simply missing. The rules look at what stands
*around* a name (a leading dot, a last suffix), never at words in it: ``partial.csv`` and ``tmp 2024.csv`` are exports.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from fnmatch import fnmatchcase

CONFLICTED_COPY = "conflicted copy"
NOT_AN_EXPORT = "not an export"
SYMBOLIC_LINK = "symbolic link"
NOT_A_REGULAR_FILE = "not a regular file"

EXPORT_SUFFIXES = frozenset({"csv", "tsv", "tab", "txt", "xls", "xlsx", "xlsm", "xlsb", "ods", "iif"})

# A sync client in conflict keeps the other version in brackets behind the name, in the language of its user and nearly
# always with the date: `(PC's conflicted copy 2024-01-31)`, `(Copie en conflit de PC 2024-01-31)`.
_CONFLICT_WORD = (
    r"confli|konfli|конфл|競合|冲突|衝突|충돌|motstrid|modstrid|ristiriita|çakış|問題のあるコピー|mâu thuẫn|ขัดแย้ง"
    r"|bercanggah"
)
_CONFLICT = re.compile(
    rf"""\s*\([^()]*(?:{_CONFLICT_WORD})[^()]*\d{{4}}[-.]\d\d[-.]\d\d[^()]*\)
      |  \s*\([^()]*(?:conflict(?:ed|ing)\ copy|conflict\ copy|in\ konflikt\ stehende\ kopie|konfliktkopie
             |copie\ en\ conflit|copia\ en\ conflicto|copia\ conflictiva|copia\ in\ conflitto|cópia\ em\ conflito
             |conflicterende\ kopie|競合コピー|冲突副本|衝突複本)[^()]*\)
      |  \s*\((?:case|unicode\ encoding|selective\ sync|whitespace)\ conflict(?:\ \d+)?\)
      |  \s*\(sfconflict\ [^()]*\)
      |  \.sync-conflict-\d{{8}}-\d{{6}}(?:-[0-9a-z]+)?
      |  _conflict-\d{{8}}-\d{{6}}
    """,
    re.VERBOSE | re.IGNORECASE,
)

# The first rule that fits gives its name, so the special ones stand above the general ones.
_FILE_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (rule, re.compile(pattern, re.IGNORECASE | re.DOTALL))
    for rule, pattern in (
        ("office lock file", r"~\$.*|\.~lock\..*#"),
        ("system file", r"\._.*|thumbs\.db(:.*)?|ehthumbs\.db|desktop\.ini|\.ds_store|icon\r"),
        ("syncthing temporary", r"(\.syncthing\.|~syncthing~).*\.tmp"),
        ("rclone partial", r".*\.[0-9a-z]{8}\.partial"),
        ("rsync temporary", r"\..*\.(csv|tsv|tab|txt|xls|xlsx|xlsm|xlsb|ods|iif)\.[0-9a-z]{6}"),
        ("browser download", r".*\.(part|crdownload|opdownload|download|aria2|filepart|!ut)"),
        ("partial transfer", r".*\.partial"),
        ("temporary file", r".*\.(tmp|temp|swp|swx)|.*~"),
        ("hidden", r"\..*"),
        ("compressed archive", r".*\.(zip|7z|rar|gz|tgz|bz2|xz|zst|tar)"),
    )
)
_FOLDER_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (rule, re.compile(pattern, re.IGNORECASE | re.DOTALL))
    for rule, pattern in (
        ("dropbox cache", r"\.dropbox\.cache"),
        ("rsync temporary", r"\.~tmp~|\.rsync-(partial|tmp)"),
        ("syncthing temporary", r"\.stversions|\.stfolder.*"),
        ("system folder", r"@eadir|#recycle|\$recycle\.bin|system volume information|lost\+found|__macosx|\.trash.*"),
        ("hidden", r"\..*"),
    )
)


def ignored_by(name: str, extra_patterns: Sequence[str]) -> str | None:
    """The name of the rule that ignores a file, or None when it is to be read.

    ``name`` may be a path relative to the watched folder (``/`` between its parts): a file inside somebody's cache is
    ignored by the folder's rule. ``extra_patterns`` are shell patterns of the configuration; they are compared without
    case with each part of the path, or with the whole of it when they hold a ``/``.
    """
    *folders, last = unicodedata.normalize("NFC", name).split("/")
    for folder in folders:
        if rule := ignored_folder_by(folder, ()):
            return rule
    return (
        _first(_FILE_RULES, last)
        or (CONFLICTED_COPY if _CONFLICT.search(last) else None)
        or _pattern(name, extra_patterns)
        or (None if _suffix(last) in EXPORT_SUFFIXES else NOT_AN_EXPORT)
    )


def ignored_folder_by(name: str, extra_patterns: Sequence[str]) -> str | None:
    """The name of the rule by which nothing in a folder of this name (one part of a path) is read, or None."""
    name = unicodedata.normalize("NFC", name)
    return (
        _first(_FOLDER_RULES, name)
        or (CONFLICTED_COPY if _CONFLICT.search(name) else None)
        or _pattern(name, extra_patterns)
    )


def conflicted_with(name: str) -> str | None:
    """The name of the file that a conflicted copy is a copy of (``Invoices.csv``), or None when it is no such copy."""
    composed = unicodedata.normalize("NFC", name)  # a Mac writes accents as signs of their own
    original = _CONFLICT.sub("", composed)
    return original if original != composed else None


def _first(rules: tuple[tuple[str, re.Pattern[str]], ...], name: str) -> str | None:
    return next((rule for rule, pattern in rules if pattern.fullmatch(name)), None)


def _pattern(name: str, patterns: Sequence[str]) -> str | None:
    whole = name.casefold()
    for pattern in patterns:
        candidates = [whole] if "/" in pattern else whole.split("/")
        if any(fnmatchcase(candidate, pattern.casefold()) for candidate in candidates):
            return f"pattern {pattern}"
    return None


def _suffix(name: str) -> str:
    # A blank at the end of a name (a slip of the keyboard) doesn't make it another kind of file.
    return name.rstrip().rpartition(".")[2].casefold() if "." in name else ""
