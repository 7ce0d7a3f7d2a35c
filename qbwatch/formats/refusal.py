"""A file that may not be loaded at all: the reason as a value, carried to whoever quarantines it."""

from __future__ import annotations

from qbwatch.core.model import Failure, FailureClass, QbwatchError


class Refusal(QbwatchError):
    """The whole part is refused; `failure` says why. Raised while reading, before anything of it is loaded."""

    def __init__(self, code: str, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.failure = Failure(FailureClass.DATA, code, reason, hint)
