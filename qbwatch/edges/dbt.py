"""dbt as qbwatch uses it: one command at a time, in a process of its own, judged by the results of that very run.

The process is a fork of a warm dbt where there is one that fits (`Dbt.warm_up`), else a new one.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from qbwatch.core.model import QbwatchError
from qbwatch.edges.dbt_connection import Reached, end_backends, reach
from qbwatch.edges.dbt_folder import LOG_FILE_BYTES, DbtFolder
from qbwatch.edges.dbt_graph import readers
from qbwatch.edges.dbt_judge import judge
from qbwatch.edges.dbt_process import Command, Ended, Ending, run
from qbwatch.edges.dbt_result import NodeResult, Outcome, TransformResult
from qbwatch.edges.dbt_warmth import Asked, Launch, Stamp, Warmth, stamp_of

__all__ = ["LOG_FILE_BYTES", "Dbt", "DbtSettings", "NodeResult", "Outcome", "TransformResult"]

# The machine is short of something for a while; all other faults of files and processes are somebody's to mend.
_SHORTAGES = (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE)

# Tests of the models' own logic say nothing about the data and needn't run with every load; nor do tests that a project
# marks for the asking. `Dbt.test` runs them all.
_BUILD = ("build", "--exclude-resource-type", "unit_test", "--exclude", "tag:on_demand")


@dataclass(frozen=True, slots=True)
class DbtSettings:
    """Where the project and the state folder are, and which database and schemas to build in."""

    project: Path
    state: Path
    database_url: str = field(repr=False)
    target_schema: str = "analytics"
    timeout: timedelta = timedelta(minutes=30)
    timezone: str = "UTC"  # the office's
    warm_for: timedelta = timedelta(minutes=10)  # how long a warm dbt stays with nothing to do


def _never() -> bool:
    return False


class Dbt:
    """Runs dbt commands, one at a time. Expected trouble is in the result; nothing of it is raised."""

    def __init__(self, settings: DbtSettings) -> None:
        self._settings = settings
        self._folder = DbtFolder(settings.state.absolute() / "dbt")
        self._warmth = Warmth(self._folder.put_away)
        self._turn = threading.Lock()

    def warm_up(self) -> None:
        """A command is to be expected: have a warm dbt ready for it. Returns at once; for any thread, at any time."""
        self._warmth.prepare(self._launch)

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

    def project_stamp(self) -> Stamp:
        """What the project is now; equal to one of before while none of its files was touched."""
        return stamp_of(self._settings.project.absolute(), {})

    def build(
        self,
        select: Sequence[str] = (),
        full_refresh: bool = False,
        should_stop: Callable[[], bool] = _never,
        with_views: bool = True,
    ) -> TransformResult:
        """Build the selected models (all by default) and test the data in them.

        ``should_stop`` is asked ten times a second; once it is true, the build and its queries are ended.
        """
        command = _BUILD if with_views else (*_BUILD, "config.materialized:view")
        command = (*command, "--full-refresh") if full_refresh else command
        return self._timed(command, select, should_stop)

    def test(self, select: Sequence[str] = (), should_stop: Callable[[], bool] = _never) -> TransformResult:
        """Run the selected tests (all by default): those of the data and those of the models' logic."""
        return self._timed(("test",), select, should_stop)

    def leftovers(self) -> int:
        """End the queries that a dbt of an earlier, killed process left running; gives their number.

        For the start, when no command of ours can be running. Raises `QbwatchError` when the database is away.
        """
        return end_backends(self._settings.database_url)

    def _timed(self, command: Sequence[str], select: Sequence[str], should_stop: Callable[[], bool]) -> TransformResult:
        started = time.monotonic()
        with self._my_turn(should_stop) as is_mine:
            try:
                result = self._attempted(command, select, should_stop) if is_mine else _cancelled()
            except OSError as error:
                result = _not_started(error)
        return replace(result, seconds=time.monotonic() - started)

    @contextmanager
    def _my_turn(self, should_stop: Callable[[], bool]) -> Iterator[bool]:
        """Wait for another thread's command; False when asked to stop before it was over."""
        while not (is_mine := self._turn.acquire(timeout=0.1)) and not should_stop():
            pass
        try:
            yield is_mine
        finally:
            if is_mine:
                self._turn.release()

    def _attempted(
        self, command: Sequence[str], select: Sequence[str], should_stop: Callable[[], bool]
    ) -> TransformResult:
        if trouble := self._trouble_with(select):
            return trouble
        if should_stop():
            return _cancelled()
        reached = reach(self._settings.database_url)
        if isinstance(reached, TransformResult):
            return reached
        result = self._tried([*command, *_selection(select)], reached, select, should_stop)
        if _may_be_the_parsed(result) and self._folder.forget_parsed():
            why = result.cold_because
            result = replace(
                self._tried([*command, *_selection(select)], reached, select, should_stop), cold_because=why
            )
        return _masked(result, reached)

    def _tried(
        self, command: Sequence[str], reached: Reached, select: Sequence[str], should_stop: Callable[[], bool]
    ) -> TransformResult:
        """One try: warm where that is possible, else cold."""
        asked = self._asked(command)
        ended = self._warm(asked, reached, should_stop)
        if isinstance(ended, Ended):
            return self._judged(ended, asked.target, select, should_stop)
        if should_stop():
            return _cancelled()
        if ended is not None:  # it may have come so far that it wrote something
            asked = self._asked(command)
        cold = self._judged(self._cold(asked, reached, should_stop), asked.target, select, should_stop)
        return replace(cold, cold_because=ended or "none was warm")

    def _asked(self, command: Sequence[str]) -> Asked:
        """The command with all its flags, and a fresh folder to write to."""
        target = self._folder.fresh_target()
        flags = self._folder.flags(self._settings.project, target)
        return Asked((command[0], *flags, *command[1:]), target, self._settings.timeout.total_seconds())

    def _judged(
        self, ended: Ended, target: Path, select: Sequence[str], should_stop: Callable[[], bool]
    ) -> TransformResult:
        # A service manager that stops us may end the child before we do: that is our stop, not the child's failure.
        is_stopped = ended.was_killed and should_stop()
        result = _cancelled() if is_stopped else self._result(ended, target, select)
        result = replace(result, readers=readers(target))
        if result.succeeded:
            self._folder.put_away(target)
        return result

    def _warm(self, asked: Asked, reached: Reached, should_stop: Callable[[], bool]) -> Ended | str | None:
        """The command's end in a warm dbt, or why there was none."""
        ended: Ended | str | None = ""
        try:
            ended = self._warmth.run(self._launch_with(reached), asked, should_stop)
            return ended
        finally:
            if isinstance(ended, str) or (isinstance(ended, Ended) and ended.was_killed):
                self._end_queries()

    def _cold(self, asked: Asked, reached: Reached, should_stop: Callable[[], bool]) -> Ended:
        self._folder.lend_parsed(asked.target)
        left_queries = True
        try:
            environment = reached.environment(self._settings.target_schema, self._settings.timezone)
            ended = run(Command(asked.arguments, self._folder.path, environment), asked.timeout_seconds, should_stop)
            left_queries = ended.was_killed
            return ended
        finally:
            if left_queries:
                self._end_queries()

    def _launch(self) -> Launch | None:
        """How to start a warm dbt; None where a command would have nothing to start with either."""
        if self._trouble_with(()):
            return None
        reached = reach(self._settings.database_url)
        if isinstance(reached, TransformResult):
            return None
        launch = self._launch_with(reached)
        target = self._folder.fresh_target("warm")
        self._folder.lend_parsed(target)
        flags = self._folder.flags(self._settings.project, target)
        arguments = (str(self._settings.warm_for.total_seconds()), *flags)
        return replace(launch, command=replace(launch.command, arguments=arguments), target=target)

    def _launch_with(self, reached: Reached) -> Launch:
        environment = reached.environment(self._settings.target_schema, self._settings.timezone)
        return Launch(self._settings.project.absolute(), Command((), self._folder.path, environment), self._folder.path)

    def _end_queries(self) -> None:
        """A killed process leaves its query running. A database that can't be asked about it has none."""
        try:
            end_backends(self._settings.database_url)
        except QbwatchError:
            return

    def _result(self, ended: Ended, target: Path, select: Sequence[str]) -> TransformResult:
        match ended.ending:
            case Ending.STOPPED:
                return _cancelled()
            case Ending.TIMED_OUT:
                return TransformResult(
                    Outcome.TIMED_OUT,
                    message=f"dbt was ended after {self._settings.timeout}, the time it may take",
                    hint="look for a slow model or a lock, or raise transform.timeout",
                )
            case Ending.ITSELF:
                return judge(ended, target, select)

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


def _selection(select: Sequence[str]) -> list[str]:
    return ["--select", *select] if select else []


def _cancelled() -> TransformResult:
    return TransformResult(
        Outcome.CANCELLED, message="the dbt run was stopped", hint="it is still owed: the next run builds it"
    )


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
