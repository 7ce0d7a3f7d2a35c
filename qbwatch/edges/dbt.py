"""dbt as qbwatch uses it: one command at a time, in a process of its own, judged by the results of that very run.

Everything a command writes lies below ``dbt/`` in the state folder, so the project itself may be read-only:

    profiles.yml            how to connect; the same for all, without secrets
    target-<id>/            what one command wrote: a fresh one each time, since a dbt that dies early leaves the
                            results of the run before in place. Kept until the next command when something went wrong
    partial_parse.msgpack   the parsed project of the last good run, which saves the next one a second; dbt compares it
                            with the files and doesn't use it when it doesn't fit
    logs/                   dbt's own log, rotated by size
"""

from __future__ import annotations

import errno
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from qbwatch.core.model import QbwatchError
from qbwatch.edges.dbt_connection import PROFILE_NAME, Reached, end_backends, reach, write_profile
from qbwatch.edges.dbt_judge import judge
from qbwatch.edges.dbt_process import Command, Ended, Ending, run
from qbwatch.edges.dbt_result import NodeResult, Outcome, TransformResult

__all__ = ["Dbt", "DbtSettings", "NodeResult", "Outcome", "TransformResult"]

LOG_FILE_BYTES = 5 * 1024 * 1024
_PARSED = "partial_parse.msgpack"
# The machine is short of something for a while; all other faults of files and processes are somebody's to mend.
_SHORTAGES = (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE)

# Tests of the models' own logic say nothing about the data and needn't run with every load.
_BUILD = ("build", "--exclude-resource-type", "unit_test")


@dataclass(frozen=True, slots=True)
class DbtSettings:
    """Where the project and the state folder are, and which database and schemas to build in."""

    project: Path
    state: Path
    database_url: str = field(repr=False)
    target_schema: str = "analytics"
    timeout: timedelta = timedelta(minutes=30)


def _never() -> bool:
    return False


class Dbt:
    """Runs dbt commands. Expected trouble is in the result; nothing of it is raised."""

    def __init__(self, settings: DbtSettings) -> None:
        self._settings = settings
        self._folder = settings.state.absolute() / "dbt"

    def build(
        self, select: Sequence[str] = (), full_refresh: bool = False, should_stop: Callable[[], bool] = _never
    ) -> TransformResult:
        """Build the selected models (all by default) and test the data in them.

        ``should_stop`` is asked ten times a second; once it is true, the build and its queries are ended.
        """
        command = (*_BUILD, "--full-refresh") if full_refresh else _BUILD
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
        try:
            result = self._attempted(command, select, should_stop)
        except OSError as error:
            result = _not_started(error)
        return replace(result, seconds=time.monotonic() - started)

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
        target = self._fresh_target()
        ended = self._run([*command, *self._flags(target), *_selection(select)], reached, should_stop)
        # A service manager that stops us may end the child before we do: that is our stop, not the child's failure.
        result = _cancelled() if ended.was_killed and should_stop() else self._result(ended, target, select)
        self._put_away(target, result)
        return _masked(result, reached)

    def _run(self, arguments: Sequence[str], reached: Reached, should_stop: Callable[[], bool]) -> Ended:
        environment = reached.environment(self._settings.target_schema)
        left_queries = True
        try:
            ended = run(
                Command(arguments, self._folder, environment), self._settings.timeout.total_seconds(), should_stop
            )
            left_queries = ended.was_killed
            return ended
        finally:
            if left_queries:
                self._end_queries()

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

    def _flags(self, target: Path) -> list[str]:
        return [
            *("--project-dir", str(self._settings.project.absolute())),
            *("--profiles-dir", str(self._folder), "--profile", PROFILE_NAME, "--target", PROFILE_NAME),
            *("--target-path", str(target), "--log-path", str(self._folder / "logs")),
            *("--log-file-max-bytes", str(LOG_FILE_BYTES), "--log-level-file", "info"),
            *("--log-format", "json", "--quiet", "--no-print"),
            *("--no-use-colors", "--no-use-colors-file", "--no-send-anonymous-usage-stats"),
        ]

    def _fresh_target(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_profile(self._folder)
        for old in self._folder.glob("target-*"):
            shutil.rmtree(old, ignore_errors=True)
        target = self._folder / f"target-{secrets.token_hex(4)}"
        target.mkdir()
        if (parsed := self._folder / _PARSED).is_file():
            shutil.copyfile(parsed, target / _PARSED)
        return target

    def _put_away(self, target: Path, result: TransformResult) -> None:
        if not result.succeeded:
            return
        if (parsed := target / _PARSED).is_file():
            parsed.replace(self._folder / _PARSED)
        shutil.rmtree(target, ignore_errors=True)


def _selection(select: Sequence[str]) -> list[str]:
    return ["--select", *select] if select else []


def _cancelled() -> TransformResult:
    return TransformResult(
        Outcome.CANCELLED, message="the dbt run was stopped", hint="it is still owed: the next run builds it"
    )


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
