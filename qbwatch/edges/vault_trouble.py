"""What can be wrong with the vault itself, as failures with a reason and a hint."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

from qbwatch.core.failure import of_errno, of_lost_copy
from qbwatch.core.model import Failure, FailureClass, QbwatchError
from qbwatch.edges.disk_room import size_text

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class VaultError(QbwatchError):
    """The vault can't be written or read; `failure` says why. Never the file's fault: it passes (disk full, rights,
    broken disk), or a copy is lost and a person can bring it back."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason, failure.hint)
        self.failure = failure


def no_room(directory: Path, free: int, reserve: int, size: int) -> VaultError:
    """A file of that size would leave less than the reserve on the vault's disk; sizes in bytes."""
    return VaultError(
        Failure(
            FailureClass.INFRASTRUCTURE,
            "disk_reserve",
            f"{size_text(free)} are free on the disk of {directory}, and {size_text(reserve)} of them are"
            f" the reserve; the next file needs {size_text(size)}",
            "Free space on that disk (or lower [state] reserve); files wait and are taken as soon as there is room.",
        )
    )


def lost_copy(*, is_damaged: bool) -> VaultError:
    """A copy is gone, or no longer what was kept."""
    return VaultError(of_lost_copy(is_damaged=is_damaged))


def unavailable(directory: Path, error: OSError) -> VaultError:
    """A fault of the disk, of rights or of mounts: it passes, whoever mends it."""
    reason = error.strerror or str(error)
    failure = replace(of_errno(error.errno, reason), failure_class=FailureClass.INFRASTRUCTURE)
    if error.errno in _FULL:
        reason = f"no space left for the vault in {directory}"
        hint = "Free space on that disk (or raise the quota); waiting files are taken as soon as there is room."
    else:
        reason = f"the vault in {directory} can't be used: {reason}"
        hint = "Check that the folder exists, belongs to the user of qbwatch, and that its disk is mounted for writing."
    return VaultError(replace(failure, reason=reason, hint=hint))
