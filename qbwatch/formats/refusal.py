"""A file that may not be loaded at all: the reason as a value, carried to whoever quarantines it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qbwatch.core.model import Failure, FailureClass, QbwatchError


class Refusal(QbwatchError):
    """The whole part is refused; `failure` says why. Raised while reading, before anything of it is loaded.

    ``told`` is what a person may see who checks the file, amounts among it: it never goes to a log or an alert.
    """

    def __init__(self, code: str, reason: str, hint: str, told: Mapping[str, Any] | None = None) -> None:
        reason = reason.replace("\x00", "␀")  # the ledger keeps no NUL
        super().__init__(reason, hint)
        self.failure = Failure(FailureClass.DATA, code, reason, hint)
        self.told = dict(told or {})
