"""Which columns are written as their reader would return them, so that no text of theirs need be read by itself?"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from qbwatch.formats import cells

Column = Any  # of Arrow, which has no types

# Texts that their reader returns as they are, but for an identifier's commas; the percentages of a rate are another
# reader's affair.
_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"
_AS_WRITTEN: dict[cells.Reader, str] = {
    # Neither a comma nor a plus, and no blank; or digits in thousands, and then the commas are to go.
    cells.read_id: r"^([!-*.-~-]+|[0-9]{1,3}(,[0-9]{3})+)$",
    cells.read_amount: _NUMBER,
    cells.read_rate: _NUMBER,
}


def is_as_written(column: Column, read: cells.Reader) -> bool:
    """Whether `as_written` is what the reader would make of it."""
    if read is cells.read_text:  # a text that begins so may be nothing but blanks
        return not some(pc.less(column, "!")) and not some(pc.greater_equal(column, "\x7f"))
    if read is cells.read_rate_percent:
        return not some(pc.match_substring(column, "%"))
    pattern = _AS_WRITTEN.get(read)
    return pattern is not None and every(pc.match_substring_regex(column, pattern))


def as_written(column: Column, read: cells.Reader) -> Column:
    """What the reader would make of a column that `is_as_written`."""
    if read is cells.read_rate_percent:
        return pa.nulls(len(column), pa.string())
    return pc.replace_substring(column, ",", "") if read is cells.read_id else column


def every(flags: Column) -> bool:
    """Whether all of these are true, those that are null left out."""
    return bool(pc.all(flags, min_count=0).as_py())


def some(flags: Column) -> bool:
    """Whether one of these is true."""
    return bool(pc.any(flags, min_count=0).as_py())
