"""Does a file hold what it says it holds?

A file that is online only, or a download that was interrupted after its space was reserved, has its full size and
consists of NUL bytes: all of it, or from some place on. In text no such run occurs; in a workbook short ones do, so
there only a file of nothing else is hollow.
"""

from __future__ import annotations

from collections.abc import Iterable

_RUN = b"\0" * 16  # in UTF-32, the most generous of encodings, five may follow each other; a hole may be small
_TEXT = ("csv", "tsv", "tab", "txt", "iif")


def is_hollow(name: str, blocks: Iterable[bytes]) -> bool:
    """True when nothing but NUL bytes is in it, or, for text, a run of them. ``blocks``: the content in order.

    Of a run that lies across two blocks enough lies in one of them when blocks are larger than two runs.
    """
    is_text = name.rstrip().rpartition(".")[2].casefold() in _TEXT
    size, nuls_only = 0, True
    for block in blocks:
        size += len(block)
        nuls_only = nuls_only and not block.strip(b"\0")
        if not nuls_only and not is_text:
            return False
        if is_text and _RUN in block:
            return True
    return bool(size) and nuls_only
