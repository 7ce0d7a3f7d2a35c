"""A daemon whose surroundings fail, and what must be true while they do, and afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from holding import drop_all, items
from installation import Installation
from psycopg import sql
from raw_content import raw_content
from small_files import small_files
from waiting import wait_until

from qbwatch.demo.exports import ExportFile
from qbwatch.edges.embedded import DATABASE, EmbeddedPostgres

EXTRA = """
[transform]
project = "{project}"

[freshness]
default = "off"
"""
_numbers = count(1)


@dataclass(slots=True)
class Lab:
    """A server that may be mistreated, and one daemon on a database of it. ``pid`` is the daemon's."""

    server: EmbeddedPostgres
    installation: Installation
    database: str
    pid: int = 0

    def start(self) -> None:
        """Start the daemon."""
        self.installation.start()
        assert self.installation.daemon is not None
        self.pid = self.installation.daemon.pid

    @property
    def url(self) -> str:
        """The straight way to the database, whatever way the daemon takes."""
        return url_of(self.server, self.database)

    def system(self, *statements: str) -> None:
        """Change the server's settings."""
        with psycopg.connect(url_of(self.server, "postgres"), autocommit=True) as connection:
            for statement in (*statements, "SELECT pg_reload_conf()"):
                connection.execute(statement)  # type: ignore[call-overload]

    def restart(self) -> None:
        """As if the power failed for a moment."""
        self.server.stop("immediate")
        self.server.start()

    def drop(self, files: Sequence[ExportFile]) -> None:
        """Put files into the watched folder."""
        drop_all(files, self.installation.root / "drop")

    def is_at(self, where: str) -> bool:
        """Whether a session of the daemon's is at something just now; ``where`` is about pg_stat_activity."""
        query = f"""SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '{self.database}'
                    AND application_name = 'qbwatch' AND {where})"""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query).fetchone()  # type: ignore[call-overload]
            return bool(row and row[0])

    def problems(self) -> list[str]:
        """Codes of what the status complains of."""
        return [problem["code"] for problem in self.installation.status()["problems"]]

    def wait_for_one_problem(self, *codes: str, timeout: float = 60) -> dict[str, Any]:
        """Wait until the status complains of one of these; the problem. It is the only one as long as it lasts, and has
        a hint."""
        seen = [wait_until(lambda: self._told(codes), timeout, f"one of {codes}") for _ in range(4)]
        for told in seen:
            assert [problem["code"] in codes for problem in told] == [True], (codes, told)
            assert told[0]["hint"], told
        return dict(seen[-1][0])

    def _told(self, codes: Sequence[str]) -> list[dict[str, Any]]:
        """What the status complains of. That a busy machine was too slow to ask the ledger counts only if expected."""
        problems: list[dict[str, Any]] = self.installation.status()["problems"]
        if "database_down" in codes:
            return problems
        return [problem for problem in problems if "did not answer within" not in problem["summary"]]

    def assert_well(self, files: Sequence[ExportFile], expected: dict[str, list[str]]) -> dict[str, Any]:
        """The same daemon went on by itself: each file loaded at its first own try, the right rows, no problem left."""
        status = self.installation.wait_settled(len(files), timeout=120)
        assert self.installation.daemon is not None
        assert self.installation.daemon.pid == self.pid
        assert items(self.installation) == {file.name: ("loaded", 1, 0) for file in files}
        wait_until(lambda: self.problems() == [], 60, f"the problems to be over: {json.dumps(status['problems'])}")
        found = raw_content(self.url)
        assert {table: rows for table, rows in found.items() if rows} == expected
        return status


def url_of(server: EmbeddedPostgres, database: str) -> str:
    """The libpq URL of a database of a server, also while it is down."""
    return f"postgresql://qbwatch@/{database}?host={server.data}"


@contextmanager
def new_database(server: EmbeddedPostgres) -> Iterator[str]:
    """The name of an empty database of the server's."""
    name = f"faulty_{next(_numbers)}"
    with psycopg.connect(url_of(server, DATABASE), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    yield name


def expected_of(
    install: Callable[..., Installation], files: Sequence[ExportFile], project: Path
) -> dict[str, list[str]]:
    """The raw tables after one undisturbed run over the files."""
    quiet = install(extra=settings(project))
    drop_all(files, quiet.root / "drop")
    done = quiet.run("once")
    assert done.returncode == 0, done.stderr
    return {table: rows for table, rows in raw_content(quiet.url).items() if rows}


FEW = small_files(6)


def settings(project: Path, more: str = "") -> str:
    """What is added to an installation's configuration."""
    return EXTRA.format(project=project) + more
