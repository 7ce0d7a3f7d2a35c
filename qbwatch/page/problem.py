"""Why the page can't be written, as a problem of the status. (It doesn't stand on the page: that can be read.)"""

from __future__ import annotations

import errno
from datetime import datetime

from qbwatch.core.facts import Problem, Severity
from qbwatch.core.failure import of_errno
from qbwatch.core.model import FailureClass, QbwatchError

CODE = "page_unwritable"

_RIGHTS = (
    "give qbwatch's user the right to write there; under systemd, name the folder in a ReadWritePaths= of the unit"
)
_HINTS = {
    errno.ENOENT: "create that folder, or correct page.file; it is tried again by itself",
    errno.ENOTDIR: "correct page.file: its folder is no folder",
    errno.EISDIR: "correct page.file: it names a folder",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: _RIGHTS,
}


def of_error(error: OSError | QbwatchError, at: datetime) -> Problem:
    """What kept the page or a receipt from being written."""
    if isinstance(error, QbwatchError):
        return _problem(FailureClass.CONFIGURATION, error.message, error.hint, at)
    reason = (error.strerror or type(error).__name__).lower()
    if (hint := _HINTS.get(error.errno or 0)) is not None:
        return _problem(FailureClass.CONFIGURATION, reason, hint, at)
    failure = of_errno(error.errno, reason)
    return _problem(failure.failure_class, reason, failure.hint, at)


def of_silence(seconds: float, at: datetime) -> Problem:
    """Its folder hangs, as that of a share whose server is gone."""
    reason = f"its folder has not answered for {seconds:.0f} s"
    return _problem(FailureClass.INFRASTRUCTURE, reason, "is its disk or share mounted and well?", at)


def _problem(failure_class: FailureClass, reason: str, hint: str, at: datetime) -> Problem:
    return Problem(CODE, failure_class, Severity.WARNING, f"the status page can't be written: {reason}", hint, at)
