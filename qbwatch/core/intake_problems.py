"""What the intake has to tell a person about files, in words."""

from __future__ import annotations

from datetime import datetime

from qbwatch.core.filename import escaped
from qbwatch.core.ignored import conflicted_with
from qbwatch.core.intake_state import IntakeProblem
from qbwatch.core.model import FailureClass
from qbwatch.core.settle import Restless

DEAF = "watch_deaf"
_AS_IT_IS = ("utf-8", "surrogateescape")


def conflict(path: bytes, since: datetime) -> IntakeProblem:
    """A sync client kept two versions of a file."""
    original = conflicted_with(path.decode(*_AS_IT_IS)) or ""
    return IntakeProblem(
        code="conflicted_copy",
        failure_class=FailureClass.DATA,
        summary=f"{escaped(path)} is a conflicted copy of {escaped(original.encode(*_AS_IT_IS))} and isn't loaded",
        hint="Compare the two, keep the right one under the plain name, and delete the other.",
        since=since,
        file=escaped(path),
    )


def unreadable(path: bytes, since: datetime) -> IntakeProblem:
    """A settled file that may not be read."""
    return IntakeProblem(
        code="file_unreadable",
        failure_class=FailureClass.CONFIGURATION,
        summary=f"{escaped(path)} has settled but can't be read",
        hint="Give the user of qbwatch the right to read it; it is tried again by itself.",
        since=since,
        file=escaped(path),
    )


def restless(file: Restless) -> IntakeProblem:
    """A file that doesn't come to rest."""
    does = "is still open for writing" if file.writing else "keeps changing"
    return IntakeProblem(
        code="file_unsettled",
        failure_class=FailureClass.DATA,
        summary=f"{escaped(file.path)} {does}; half a file isn't loaded, so it waits",
        hint="Let its writer finish: write under another name, then rename. It is taken as soon as it rests.",
        since=file.since,
        file=escaped(file.path),
        is_doubt=True,
    )


def deaf(folder: str, since: datetime) -> IntakeProblem:
    """A watch that was granted and tells nothing."""
    summary = f"events about {folder} don't arrive; its files are found by polling"
    hint = 'On a network or cloud drive that is how it is: set `watcher = "polling"`. Else restart qbwatch.'
    return IntakeProblem(DEAF, FailureClass.INFRASTRUCTURE, summary, hint, since)


def emptied(root: str, directory: bytes, before: int, since: datetime) -> IntakeProblem:
    """A folder that held many files holds none."""
    return IntakeProblem(
        code="folder_emptied",
        failure_class=FailureClass.INFRASTRUCTURE,
        summary=f"the {root} folder {escaped(directory)} is empty, and {before} files were known in it: "
        "it is gone or not mounted",
        hint="Mount it, or start the sync client. Nothing that was loaded is touched. If it was emptied on purpose, "
        "the next file ends this message.",
        since=since,
        is_doubt=True,
    )
