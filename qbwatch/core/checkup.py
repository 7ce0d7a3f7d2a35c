"""Is everything around the daemon as it should be? The words of `qbwatch doctor`; each kind of check is its own module.

A check is a pure function from facts to findings. Whoever gathers the facts never writes anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """``fail``: qbwatch can't do its work until this is mended. ``warn``: it can, and something is less than it could
    be, or will fail one day."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, in a line. ``fix`` is the command (or the edit) that mends it."""

    check: str
    verdict: Verdict
    summary: str
    fix: str = ""

    def to_json(self) -> dict[str, str | None]:
        """As ``qbwatch doctor --json`` shows it."""
        return {"check": self.check, "verdict": self.verdict.value, "summary": self.summary, "fix": self.fix or None}


def ok(check: str, summary: str) -> Finding:
    """Nothing is to be done."""
    return Finding(check, Verdict.OK, summary)


def warn(check: str, summary: str, fix: str) -> Finding:
    """Something that a person should look at."""
    return Finding(check, Verdict.WARN, summary, fix)


def fail(check: str, summary: str, fix: str) -> Finding:
    """Something that keeps qbwatch from its work."""
    return Finding(check, Verdict.FAIL, summary, fix)


def worst(findings: Iterable[Finding]) -> Verdict:
    """The gravest verdict; ``ok`` for none."""
    verdicts = {finding.verdict for finding in findings}
    return next((verdict for verdict in (Verdict.FAIL, Verdict.WARN) if verdict in verdicts), Verdict.OK)
