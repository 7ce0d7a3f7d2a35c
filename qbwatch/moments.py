"""The moments at which a process may die, by their names, and a way to die there.

With ``QBWATCH_STOP_AT`` a test has the process killed, as by kill -9, when it first comes to the named moment. Without,
a moment is one comparison.
"""

from __future__ import annotations

import os
import signal
from enum import StrEnum


class Moment(StrEnum):
    """In the order in which a file meets them."""

    SETTLED = "settled"
    VAULTED = "vaulted"
    RECORDED = "recorded"  # in the ledger, not yet committed
    ADMITTED = "admitted"
    RUN_STARTED = "run started"
    CLAIMED = "claimed"
    STAGED = "staged"
    FOLDED = "folded"
    BEFORE_COMMIT = "before commit"
    AFTER_COMMIT = "after commit"
    DBT_STARTS = "dbt starts"
    DBT_RUNS = "dbt runs"
    DBT_DONE = "dbt done"
    DEBT_CLEARED = "debt cleared"
    RUN_FINISHED = "run finished"


_STOP_AT = os.environ.get("QBWATCH_STOP_AT")


def passing(moment: Moment) -> None:
    """Die here if that was asked for."""
    if moment == _STOP_AT:
        os.kill(os.getpid(), signal.SIGKILL)
