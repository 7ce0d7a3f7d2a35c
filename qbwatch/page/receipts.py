"""A receipt: a short text file beside the page, for each file that was refused, for as long as it is.

Its first words are its name's, so that it is seen in a list of files; its last line tells it from anybody else's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from itertools import groupby
from zoneinfo import ZoneInfo

from qbwatch.page.facts import RefusedPart
from qbwatch.page.refusals import in_words
from qbwatch.page.words import moment, place_of

PREFIX, SUFFIX = "NOT LOADED ", ".txt"
MARK = "This note is qbwatch's own: it disappears by itself once the file is in order. Please don't write into it.\n"
_UNFIT = re.compile(r'[\x00-\x1f<>:"/\\|?*]')  # in a name, for Windows, where the office will see it
_LONGEST = 180  # bytes of the file's name in that of its receipt, which may have 255 in all


def receipt_name(name: str) -> str:
    """The receipt of a file (shown name), as a file name that any system takes; no two files share one."""
    plain = _UNFIT.sub("_", name).encode("utf-8", "replace")[:_LONGEST].decode("utf-8", "ignore").rstrip(". ")
    if plain != name:
        plain += f" {hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:6]}"
    return f"{PREFIX}{plain}{SUFFIX}"


def is_receipt(content: str) -> bool:
    """Whether a file's content is that of a receipt, and nobody else's."""
    return content.endswith(MARK)


def receipts(refused: Sequence[RefusedPart], zone: ZoneInfo) -> dict[str, str]:
    """Name and content of the receipt of each refused file; a file with several refused parts has one."""
    by_file = groupby(sorted(refused, key=lambda part: (part.name, part.sheet or "")), lambda part: part.name)
    return {receipt_name(name): _receipt(name, list(parts), zone) for name, parts in by_file}


def _receipt(name: str, parts: list[RefusedPart], zone: ZoneInfo) -> str:
    since = min(part.since for part in parts)
    lines = [f"{name} was not loaded.", ""]
    for part, words in ((part, in_words(part)) for part in parts):
        where = f"Sheet {part.sheet}: " if part.sheet else ""
        lines += [f"Why:         {where}{words.what}.", f"What to do:  {words.do}", ""]
    lines += [
        f"Since {moment(since, zone)} ({place_of(zone)}). Nothing of it is in the figures; all other files are loaded.",
        "",
    ]
    return "\n".join(lines) + "\n" + MARK
