"""A reader beside the writer: what another session sees, from the first answer to the last."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg


@contextmanager
def watched(url: str, query: str) -> Iterator[list[Any]]:
    """Asks a query for one value again and again from another session; gives its answers as they change."""
    done = threading.Event()
    seen: list[Any] = []

    def ask() -> None:
        with psycopg.connect(url, autocommit=True) as other:
            while not done.is_set():
                ((answer,),) = other.execute(query).fetchall()  # type: ignore[call-overload]
                if not seen or seen[-1] != answer:
                    seen.append(answer)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        yield seen
    finally:
        done.set()
        asker.join()
