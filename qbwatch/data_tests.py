"""dbt's tests when a person asks for them: those of the data and those of the models' logic, all of them.

What they found goes into the ledger, so the status and the alerts tell of it until the next test of the same finds
nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from qbwatch.core.facts import Json
from qbwatch.edges import dbt_history, runs
from qbwatch.edges.dbt import Dbt, NodeResult, Outcome
from qbwatch.log import get_logger

log = get_logger(__name__)


def run_tests(
    connection: Connection,
    dbt: Dbt,
    select: Sequence[str],
    should_stop: Callable[[], bool],
    now: Callable[[], datetime],
) -> Json:
    """Run the tests outside of any transaction, and note what came of them. The answer of ``qbwatch test --json``."""
    result = dbt.test(select, should_stop=should_stop)
    with connection.begin():
        dbt_history.record_nodes(connection, None, result, now())
        owed = sorted({debt.dataset for debt in runs.debts(connection)})
    log.info("tested", outcome=result.outcome.value, seconds=round(result.seconds, 1), tests=len(result.nodes),
             message=result.message)  # fmt: skip
    return {
        "outcome": "passed" if result.outcome is Outcome.BUILT else result.outcome.value,
        "message": result.message,
        "hint": result.hint,
        "seconds": round(result.seconds, 2),
        "owed": owed,
        "tests": [_told(node) for node in result.nodes],
    }


def _told(node: NodeResult) -> Json:
    return {
        "name": node.name,
        "status": node.status,
        "seconds": round(node.seconds, 3),
        "rows": node.rows,
        "message": node.message,
        "found_in": node.found_in,
    }
