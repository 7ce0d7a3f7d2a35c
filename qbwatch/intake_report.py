"""What does the intake say of itself? A snapshot of its roots, in the time of day, for the status and the alerts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, islice

from qbwatch.core.intake_state import IntakeProblem, IntakeState, Watcher
from qbwatch.core.model import FailureClass
from qbwatch.edges.postgres import DATABASE_ERRORS, failure_of
from qbwatch.edges.vault import VaultError
from qbwatch.intake_root import Root

_TOLD = 20  # files with the same trouble that are told one by one
_NAMED = 200  # settling files that are told by name: a snapshot is made every second, also while thousands settle


def summary(roots: Sequence[Root], problems: Sequence[IntakeProblem], shift: timedelta) -> IntakeState:
    """The roots together. ``shift`` leads from the steady clock to the time of day; ``problems`` are those of all."""
    settling = chain.from_iterable(((root.name, *each) for each in root.settler.settling()) for root in roots)
    told = [*problems, *_not_too_many(problem for root in roots for problem in root.problems())]
    return IntakeState(
        watcher=Watcher.POLLING if any(root.folder.is_polled for root in roots) else Watcher.INOTIFY,
        watch_alive=all(root.folder.is_alive for root in roots),
        is_quiet=all(root.settler.is_quiet for root in roots),
        settling=tuple((name, path, since + shift) for name, path, since in islice(settling, _NAMED)),
        settling_count=sum(len(root.settler) for root in roots),
        ignored=sum((root.sightings.ignored() for root in roots), Counter()),
        polled_because=next((root.folder.polled_because for root in roots if root.folder.is_polled), None),
        vanished=sum(root.sightings.vanished for root in roots),
        problems=tuple(replace(problem, since=problem.since + shift) for problem in told),
    )


def _not_too_many(problems: Iterable[IntakeProblem]) -> Iterator[IntakeProblem]:
    """The first files of each trouble by name, and how many more have the same: one cause is no thousand incidents."""
    counts: Counter[str] = Counter()
    others: dict[str, IntakeProblem] = {}
    for problem in problems:
        counts[problem.code] += 1
        if counts[problem.code] <= _TOLD:
            yield problem
        else:
            others.setdefault(problem.code, problem)
    for code, first in others.items():
        yield replace(first, file=None, summary=f"{counts[code] - _TOLD} more files like this: {first.summary}")


def waiting_for(error: Exception, at: datetime) -> IntakeProblem:
    """Why settled files wait; named after its cause, so that whoever else runs into it tells of the same problem."""
    code, reason, hint = "intake_waits", str(error), ""
    if isinstance(error, VaultError):
        code, reason, hint = error.failure.code, error.failure.reason, error.failure.hint
    elif isinstance(error, DATABASE_ERRORS):
        failure = failure_of(error)
        code, reason, hint = failure.code, failure.reason, failure.hint
    hint = hint or "Nothing is lost: the files are taken as soon as it works again."
    summary = f"settled files can't be taken in: {reason}"
    return IntakeProblem(code, FailureClass.INFRASTRUCTURE, summary, hint, at)
