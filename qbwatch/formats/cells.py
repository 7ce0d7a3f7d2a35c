"""A cell's text → what Postgres is told, by the column's declared type.

Every reader returns the text of an exact value (or None for a blank), ready for COPY; it raises `ValueError` with a
reason a person understands. Typed here and not in the database, so that the line and the column can be named.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial

from qbwatch.core.dates import DateOrder, parse_date
from qbwatch.core.money import NotAnAmount, is_blank, parse_amount, parse_percent
from qbwatch.datasets import ColumnType

Reader = Callable[[str], str | None]

DAMAGED_ID = "an identifier that a spreadsheet turned into a rounded number"
_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]+")
_LEFT_OVER = re.compile(r"#{3,}|#(?:REF|VALUE|DIV/0|NUM|NULL)!|#NAME\?|#N/A")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_BOOLEANS = {"true": "true", "false": "false", "y": "true", "n": "false", "yes": "true", "no": "false"}


class NotText(ValueError):
    """The cell holds what no text column can keep."""


def read_text(text: str) -> str | None:
    """Text as it stands, trailing blanks and all; only an empty cell is null."""
    if is_blank(text):
        return None
    if "\x00" in text:
        raise NotText("holds a NUL character")
    return text


def is_damaged_id(text: str) -> bool:
    """True for ``1.91431E+18``: what a spreadsheet shows of a long number, and saves with its last digits gone."""
    return _SCIENTIFIC.fullmatch(text.strip()) is not None


def is_damaged(text: str) -> bool:
    """True for what a spreadsheet leaves of a long number, of a column too narrow, and of a broken formula."""
    return is_damaged_id(text) or _LEFT_OVER.fullmatch(text.strip()) is not None


def read_id(text: str) -> str | None:
    """An identifier as text; the thousands comma that the exporter puts into numbers (``"9,876"``) is dropped."""
    kept = read_text(text)
    if kept and is_damaged_id(kept):
        raise ValueError(DAMAGED_ID)
    return kept.replace(",", "") if kept and _GROUPED.fullmatch(kept.strip()) else kept


def read_amount(text: str) -> str | None:
    """An exact decimal in plain notation."""
    amount = parse_amount(text)
    return None if amount is None else f"{amount:f}"


def read_percent(text: str) -> str | None:
    """A percentage, with its sign or without (``6.625%`` and ``6.625`` are the same)."""
    percent = parse_percent(text)
    return read_amount(text) if percent is None else f"{percent:f}"


def read_rate(text: str) -> str | None:
    """A price; None for a percentage, which `read_rate_percent` reads."""
    return None if parse_percent(text) is not None else read_amount(text)


def read_rate_percent(text: str) -> str | None:
    """The percentage of a rate that is one (``-10%`` → -10), else None."""
    try:
        percent = parse_percent(text)
    except NotAnAmount:
        return None  # `read_rate` says so, once
    return None if percent is None else f"{percent:f}"


def read_boolean(text: str) -> str | None:
    """``true``/``false`` in the spellings that exporters and spreadsheets use."""
    if is_blank(text):
        return None
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        raise ValueError("neither true nor false") from None


def read_negation(text: str) -> str | None:
    """A truth value under a header that says the opposite of its column (``HIDDEN`` of an active record is ``N``)."""
    said = read_boolean(text)
    return None if said is None else str(said == "false").lower()


def read_date(order: DateOrder, text: str) -> str | None:
    """A day, in the order that is configured for the source."""
    day = parse_date(text, order)
    return None if day is None else day.isoformat()


@cache
def date_reader(order: DateOrder) -> Reader:
    """`read_date` in one order; always the same, and one that another process can be told of."""
    return partial(read_date, order)


def reader_for(kind: ColumnType, order: DateOrder) -> Reader:
    """The reader of cells of a declared type."""
    readers: dict[ColumnType, Reader] = {
        ColumnType.TEXT: read_text,
        ColumnType.ID: read_id,
        ColumnType.DATE: date_reader(order),
        ColumnType.MONEY: read_amount,
        ColumnType.QUANTITY: read_amount,
        ColumnType.NUMBER: read_amount,
        ColumnType.PERCENT: read_percent,
        ColumnType.RATE: read_rate,
        ColumnType.BOOLEAN: read_boolean,
    }
    return readers[kind]
