"""Does every row and every cent add up?

A load is accepted only when all rows that were read have a named fate and when each money and quantity column sums
to the same exact decimal in the file and in the table. Otherwise the transaction rolls back: a wrong table that looks
right is what qbwatch exists to prevent.
"""

from __future__ import annotations

from decimal import Decimal

from qbwatch.core.model import Failure, FailureClass, RowCounts, Sums

REJECT_LIMIT = Decimal("0.10")  # of the rows read; beyond it the whole file is damaged rather than a few lines


def check_rows(rows: RowCounts) -> Failure | None:
    """None when the rows balance."""
    if rows.balances:
        return None
    return Failure(
        FailureClass.DATA,
        "rows_disagree",
        f"{rows.read} rows were read but not all are accounted for: {rows}",
        "nothing of it was loaded; this is a fault of qbwatch: please report it with the file",
    )


def check_sums(in_file: Sums, in_table: Sums) -> Failure | None:
    """None when every column sums to the same in file and table, else a failure that names the columns."""
    wrong = [column for column, total in in_file.items() if in_table.get(column, Decimal(0)) != total]
    if not wrong:
        return None
    shown = ", ".join(
        f"{column} ({in_file[column]} in the file, {in_table.get(column)} in the table)" for column in wrong
    )
    return Failure(
        FailureClass.DATA,
        "sums_disagree",
        f"sums disagree between file and table: {shown}",
        "nothing of it was loaded; was the raw table changed by hand? `qbwatch once --force-seed` folds it anew, then "
        "`qbwatch retry`; else please report it with the file",
    )


def check_rejects(read: int, rejected: int) -> Failure | None:
    """None while the rejected rows are few enough to be single bad lines."""
    if rejected == 0 or rejected <= read * REJECT_LIMIT:
        return None
    return Failure(
        FailureClass.DATA,
        "too_many_rejects",
        f"{rejected} of {read} rows can't be read",
        "the file looks damaged: see its rejected lines with `qbwatch why`, then export it again",
    )
