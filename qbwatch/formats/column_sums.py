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
    for name, column in columns.items():
        sums[name] = EXACT.add(sums[name], _sum(column))


def _sum(column: Any) -> Decimal:
    if column.null_count == len(column):
        return Decimal(0)
    if pc.max(pc.binary_length(column)).as_py() <= _LONGEST:
        try:
            total: Decimal = pc.sum(column.cast(_AMOUNT)).as_py()
        except pa.ArrowInvalid:
            pass  # more decimal places than fit
        else:
            return total
    total = Decimal(0)
    for text in column.to_pylist():
        if text is not None:
            total = EXACT.add(total, Decimal(text))
    return total
