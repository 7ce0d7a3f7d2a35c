"""What a person may have done over the pipeline's own connection: the daemon does it in turn, a command by itself.

Each errand gets the parameters of its request and answers what is JSON. Raises `QbwatchError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Connection

from qbwatch.core.facts import Json
from qbwatch.core.model import QbwatchError
from qbwatch.datasets import dataset_named
from qbwatch.edges.loader import Loader, LoadStopped
from qbwatch.rebuilding import rebuild, verify
from qbwatch.reverting import revert

Errand = Callable[[Connection, Loader, Json, datetime], Json]


def run_errand(name: str, connection: Connection, loader: Loader, params: Json, at: datetime) -> Json:
    """Do one errand; a stop in the middle of it rolls it back."""
    try:
        return _ERRANDS[name](connection, loader, params, at)
    except LoadStopped:
        raise QbwatchError("it was stopped, and nothing was changed", "ask again once qbwatch is up") from None


def _revert(connection: Connection, loader: Loader, params: Json, at: datetime) -> Json:
    file_id = params.get("file_id")  # where a list was looked at: a name may stand for several versions
    version = file_id if isinstance(file_id, int) else None
    is_rehearsal = bool(params.get("dry_run"))
    return revert(connection, loader, _text(params, "file"), at, dry_run=is_rehearsal, file_id=version)


def _rebuild(connection: Connection, loader: Loader, params: Json, at: datetime) -> Json:
    return rebuild(connection, loader, dataset_named(_text(params, "dataset")), at)


def _verify(connection: Connection, loader: Loader, params: Json, at: datetime) -> Json:
    return verify(connection, loader, dataset_named(_text(params, "dataset")), at)


def _text(params: Json, name: str) -> str:
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise QbwatchError(f"the request lacks {name!r}", "qbwatch revert and qbwatch rebuild send it")
    return value


_ERRANDS: Mapping[str, Errand] = {"revert": _revert, "rebuild": _rebuild, "verify": _verify}
