"""What an iterator gives, made by another process while what it gave before is used.

A thread would not do: most of what there is to be made and used holds Python's lock.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from qbwatch.edges.tied_child import tie_to

Item = TypeVar("Item")


class MakerLost(Exception):
    """The process ended before all was made."""


@contextmanager
def made_ahead(items: Iterator[Item]) -> Iterator[Iterator[Item]]:
    """The items, in their order. What making them raises is raised, its cause too; and `MakerLost`.

    The process is a fork of this one, which must have no threads of its own, and is ended with the block.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    maker = multiprocessing.get_context("fork").Process(target=_make, args=(items, sender, os.getpid()), daemon=True)
    maker.start()
    sender.close()
    try:
        yield _received(receiver)
    finally:
        receiver.close()
        maker.kill()
        maker.join()


def _make(items: Iterator[Any], sender: Connection, parent: int) -> None:
    tie_to(parent)
    try:
        for item in items:
            sender.send((item, None, None))
        sender.send(None)
    except BrokenPipeError:  # nobody wants the rest
        pass
    except Exception as error:  # noqa: BLE001 (whoever asked raises it)
        sender.send((None, error, error.__cause__))


def _received(receiver: Connection) -> Iterator[Any]:
    try:
        while (said := receiver.recv()) is not None:
            item, error, cause = said
            if error is not None:
                raise error from cause
            yield item
    except EOFError as end:
        raise MakerLost from end
