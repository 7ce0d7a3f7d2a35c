"""Exact sums of columns of amounts, by Arrow's decimals where those are surely wide enough."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from qbwatch.core.model import Sums
from qbwatch.core.money import EXACT

_AMOUNT = pa.decimal128(38, 8)
_LONGEST = 20  # characters: of a million such amounts the sum has less than 38 digits


def add_sums(sums: Sums, columns: Mapping[str, Any]) -> None:
    """Add each column of plain amounts, as text, to the sum of its name."""
    if not columns:
        return
    together = pa.concat_arrays(list(columns.values()))
    amounts, places = _decimals(together), _decimal_places(together)
    size = len(together) // len(columns)
    for start, name in zip(range(0, len(together), size), columns, strict=True):
        if amounts is None:
            total = _sum_of_texts(columns[name])
        else:
            total = pc.sum(amounts.slice(start, size)).as_py() or Decimal(0)
            total = total.quantize(Decimal(1).scaleb(-(pc.max(places.slice(start, size)).as_py() or 0)), context=EXACT)
        sums[name] = EXACT.add(sums[name], total)


def _decimals(texts: Any) -> Any | None:
    if (pc.max(pc.binary_length(texts)).as_py() or 0) > _LONGEST:
        return None
    try:
        return texts.cast(_AMOUNT)
    except pa.ArrowInvalid:  # more decimal places than fit
        return None


def _decimal_places(texts: Any) -> Any:
    """How many each text is written with: a sum has as many as the longest of its parts."""
    point = pc.find_substring(texts, ".")
    behind = pc.subtract(pc.subtract(pc.binary_length(texts), point), 1)
    return pc.if_else(pc.less(point, 0), 0, behind)


def _sum_of_texts(column: Any) -> Decimal:
    total = Decimal(0)
    for text in column.to_pylist():
        if text is not None:
            total = EXACT.add(total, Decimal(text))
    return total
