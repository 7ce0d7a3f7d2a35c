"""A run's outcome as the commands and the control socket give it."""

from __future__ import annotations

from dataclasses import asdict

from qbwatch.core.facts import Json
from qbwatch.pipeline import RunOutcome


def outcome_json(outcome: RunOutcome | None) -> Json:
    """A run's outcome as JSON; ``{"run": null}`` when there was nothing to do."""
    if outcome is None:
        return {"run": None}
    return {
        "run": {
            "id": outcome.run_id,
            "mode": outcome.mode.value,
            "status": outcome.status.value,
            "loaded": outcome.loaded,
            "set_aside": outcome.set_aside,
            "rows": asdict(outcome.rows),
            "transform": outcome.transform.outcome.value if outcome.transform else None,
            "impact": outcome.impact,
            "error": outcome.error,
        }
    }
