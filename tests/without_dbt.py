"""The real command, with a dbt that builds nothing: for tests of everything before dbt, on hundreds of files.

Run as a program in place of ``python -m qbwatch.cli``; all else is the product as it is. QBWATCH_TEST_PATIENCE is for
how many seconds work that could start waits for files that still settle.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from qbwatch import assembly, worker
from qbwatch.edges.dbt import Dbt, DbtSettings
from qbwatch.edges.dbt_result import NodeResult, Outcome, TransformResult

COMMAND = (sys.executable, __file__)


class IdleDbt(Dbt):
    """Says that all is built, at once."""

    def __init__(self, settings: DbtSettings) -> None:
        super().__init__(settings)

    def build(
        self,
        select: Sequence[str] = (),
        full_refresh: bool = False,
        should_stop: Callable[[], bool] = lambda: False,
        with_views: bool = True,
    ) -> TransformResult:
        """Build nothing."""
        node = NodeResult("model.fct_orders", "fct_orders", "model", "success", 0.0, 0, None)
        return TransformResult(Outcome.BUILT, (node,))


if __name__ == "__main__":
    worker._BATCH_PATIENCE = float(os.environ.get("QBWATCH_TEST_PATIENCE", worker._BATCH_PATIENCE))
    assembly.Dbt = IdleDbt  # type: ignore[misc]
    from qbwatch.cli import main

    main()
