"""dbt as qbwatch uses it: one command at a time, in a process of its own, judged by the results of that very run.

The process is a fork of a warm dbt where there is one that fits (`Dbt.warm_up`), else a new one.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from qbwatch.edges.dbt_attempt import Attempts, DbtSettings, cancelled
from qbwatch.edges.dbt_connection import Reached, end_backends, reach
from qbwatch.edges.dbt_folder import LOG_FILE_BYTES, DbtFolder
from qbwatch.edges.dbt_judge import unstored, with_rows
from qbwatch.edges.dbt_progress import NodeInHand, node_in_hand
from qbwatch.edges.dbt_project import Project
from qbwatch.edges.dbt_relations import Version, versions
from qbwatch.edges.dbt_result import NodeResult, Outcome, Relation, TransformResult
from qbwatch.edges.dbt_warmth import Launch, Stamp, Warmth, stamp_of

__all__ = ["LOG_FILE_BYTES", "Dbt", "DbtSettings", "NodeResult", "Outcome", "TransformResult"]

# The machine is short of something for a while; all other faults of files and processes are somebody's to mend.
_SHORTAGES = (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE)

# Tests of the models' own logic say nothing about the data and needn't run with every load; nor do tests that a project
# marks for the asking. `Dbt.test` runs them all.
_BUILD = ("build", "--exclude-resource-type", "unit_test", "--exclude", "tag:on_demand")

# Rows that break a test are kept for whoever is told of them.
_TEST = ("test", "--store-failures")

# dbt would leave out the tests that look at a view along with the view; a selection of what stands on a source names
# its tests without dbt's help.
_NO_VIEWS = ("config.materialized:view", "--indirect-selection", "empty")


def _never() -> bool:
    return False


class Dbt:
    """Runs dbt commands, one at a time. Expected trouble is in the result; nothing of it is raised."""

    def __init__(self, settings: DbtSettings) -> None:
        self._settings = settings
        self._folder = DbtFolder(settings.state.absolute() / "dbt")
        self._warmth = Warmth(self._folder.put_away)
        self._attempts = Attempts(settings, self._folder, self._warmth)
        self._turn = threading.Lock()
        self._began_at: datetime | None = None

    def warm_up(self) -> None:
        """A command is to be expected: have a warm dbt ready for it. Returns at once; for any thread, at any time."""
        self._warmth.prepare(self._launch)

    def allow(self, timeout: timedelta) -> None:
        """How long a command may take, from the next one on."""
        self._settings = replace(self._settings, timeout=timeout)
        self._attempts = replace(self._attempts, settings=self._settings)

    def close(self) -> None:
        """End the warm dbt. Commands are run cold from now on."""
        self._warmth.close()

    @property
    def target_schema(self) -> str:
        """What the names of the schemas begin with."""
        return self._settings.target_schema

    @property
    def warm_pid(self) -> int | None:
        """The warm dbt's process, while there is one."""
        return self._warmth.pid

    @property
    def node_in_hand(self) -> NodeInHand | None:
        """How far the command has come that is being run, as far as dbt has said; None while none is."""
        began_at = self._began_at
        return node_in_hand(self._folder.log, began_at) if began_at else None

    @property
    def project(self) -> Project:
        """The project, and which state of it everything was built from."""
        return Project(self._settings.project.absolute(), self._folder.path)

    def project_stamp(self) -> Stamp:
        """What the project is now; equal to one of before while none of its files was touched."""
        return stamp_of(self._settings.project.absolute(), {})

    def versions(self, relations: Iterable[Relation]) -> Mapping[Relation, Version]:
        """Which of the relations the database has, each with what changes once anybody makes it anew or replaces it;
        empty when the database can't be asked."""
        return versions(self._settings.database_url, relations)

    def build(
        self,
        select: Sequence[str] = (),
        full_refresh: bool = False,
        should_stop: Callable[[], bool] = _never,
        with_views: bool = True,
    ) -> TransformResult:
        """Build the selected models (all by default) and test the data in them.

        ``should_stop`` is asked ten times a second; once it is true, the build and its queries are ended. Without
        views, ``select`` must name what stands on sources (``source:…+``).
        """
        command = _BUILD if with_views else (*_BUILD, *_NO_VIEWS)
        command = (*command, "--full-refresh") if full_refresh else command
        return self._timed(command, select, should_stop)

    def test(self, select: Sequence[str] = (), should_stop: Callable[[], bool] = _never) -> TransformResult:
        """Run the selected tests (all by default), those of the data and those of the models' logic, and store the rows
        that break them."""
        return self._timed(_TEST, select, should_stop)

    def leftovers(self) -> int:
        """End the queries that a dbt of an earlier, killed process left running; gives their number.

        For the start, when no command of ours can be running. Raises `QbwatchError` when the database is away.
        """
        return end_backends(self._settings.database_url)

    def _timed(self, command: Sequence[str], select: Sequence[str], should_stop: Callable[[], bool]) -> TransformResult:
        started = time.monotonic()
        with self._my_turn(should_stop) as is_mine:
            try:
                result = self._attempted(command, select, should_stop) if is_mine else cancelled()
            except OSError as error:
                result = _not_started(error)
        return replace(result, seconds=time.monotonic() - started)

    @contextmanager
    def _my_turn(self, should_stop: Callable[[], bool]) -> Iterator[bool]:
        """Wait for another thread's command; False when asked to stop before it was over."""
        while not (is_mine := self._turn.acquire(timeout=0.1)) and not should_stop():
            pass
        try:
            if is_mine:
                self._began_at = datetime.now(UTC)
            yield is_mine
        finally:
            if is_mine:
                self._began_at = None
                self._turn.release()

    def _attempted(
        self, command: Sequence[str], select: Sequence[str], should_stop: Callable[[], bool]
    ) -> TransformResult:
        if trouble := self._trouble_with(select):
            return trouble
        if should_stop():
            return cancelled()
        reached = reach(self._settings.database_url)
        if isinstance(reached, TransformResult):
            return reached
        result = self._attempts.make(command, reached, select, should_stop)
        if _may_be_the_parsed(result) and self._folder.forget_parsed():
            why = result.cold_because
            result = replace(self._attempts.make(command, reached, select, should_stop), cold_because=why)
        if command[0] == "build" and (names := unstored(result)):
            result = with_rows(result, self._attempts.make(_TEST, reached, names, should_stop))
        return _masked(result, reached)

    def _launch(self) -> Launch | None:
        return None if self._trouble_with(()) else self._attempts.launch()

    def _trouble_with(self, select: Sequence[str]) -> TransformResult | None:
        if not (self._settings.project / "dbt_project.yml").is_file():
            return TransformResult(
                Outcome.CONFIGURATION,
                message=f"there is no dbt project in {self._settings.project}",
                hint="set transform.project to the folder that holds dbt_project.yml, or remove it to use our own",
            )
        wrong = next((part for part in select if part.startswith("-") or not part.strip()), None)
        if wrong is not None:
            return TransformResult(
                Outcome.CONFIGURATION, message=f"{wrong!r} is no selection", hint="name models, e.g. fct_orders+"
            )
        return None


def _may_be_the_parsed(result: TransformResult) -> bool:
    """dbt came to nothing: the project is wrong, or what is kept of its last parsing."""
    return result.outcome is Outcome.CONFIGURATION and not result.nodes and not result.readers


def _not_started(error: OSError) -> TransformResult:
    outcome = Outcome.INFRASTRUCTURE if error.errno in _SHORTAGES else Outcome.CONFIGURATION
    return TransformResult(
        outcome, message=f"dbt was not started: {error}", hint="check the state folder: its owner, its mode, its disk"
    )


def _masked(result: TransformResult, reached: Reached) -> TransformResult:
    nodes = tuple(
        replace(node, message=None if node.message is None else reached.masked(node.message)) for node in result.nodes
    )
    return replace(result, nodes=nodes, message=reached.masked(result.message))
