"""Faults of the database that last as long as a test wants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from faulty import Lab
from holding import held


@contextmanager
def away(lab: Lab) -> Iterator[None]:
    """Postgres is gone, as if the power had failed."""
    lab.server.stop("immediate")
    try:
        yield
    finally:
        lab.server.start()


@contextmanager
def read_only(lab: Lab) -> Iterator[None]:
    """The server refuses to write."""
    lab.system("ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        yield
    finally:
        lab.system("SET default_transaction_read_only = off", "ALTER SYSTEM RESET default_transaction_read_only")


@contextmanager
def locked(lab: Lab) -> Iterator[None]:
    """A person holds a lock on a table that is loaded into."""
    with held(lab.url, "quickbooks_invoices"):
        yield
