"""One attempt at a dbt command: in a fork of the warm dbt where there is one that fits, else in a new process.

Each attempt has a folder of its own to write to, and is judged by what lies there afterwards. Whatever ended badly has
its queries ended too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from qbwatch.core.model import QbwatchError
from qbwatch.edges.dbt_connection import Reached, end_backends, reach
from qbwatch.edges.dbt_folder import DbtFolder
from qbwatch.edges.dbt_graph import readers, relations
from qbwatch.edges.dbt_judge import judge
from qbwatch.edges.dbt_process import Command, Ended, Ending, run
from qbwatch.edges.dbt_result import Outcome, TransformResult
from qbwatch.edges.dbt_warmth import Asked, Launch, Warmth
from qbwatch.edges.raw_names import RAW_SCHEMA


@dataclass(frozen=True, slots=True)
class DbtSettings:
    """Where the project and the state folder are, which database and schemas to build in, and from which."""

    project: Path
    state: Path
    database_url: str = field(repr=False)
    target_schema: str = "analytics"
    raw_schema: str = RAW_SCHEMA
    timeout: timedelta = timedelta(minutes=30)
    timezone: str = "UTC"  # the office's
    role: str = ""  # whom dbt works as, where that isn't who logs in
    warm_for: timedelta = timedelta(minutes=10)  # how long a warm dbt stays with nothing to do


@dataclass(frozen=True, slots=True)
class Attempts:
    """Makes attempts, in the folder for what dbt writes."""

    settings: DbtSettings
    folder: DbtFolder
    warmth: Warmth

    def _environment(self, reached: Reached) -> dict[str, str]:
        return reached.environment(self.settings.target_schema, self.settings.timezone, self.settings.role)

    def make(
        self, command: Sequence[str], reached: Reached, select: Sequence[str], should_stop: Callable[[], bool]
    ) -> TransformResult:
        """One attempt: warm where that is possible, else cold."""
        words = [*command, "--select", *select] if select else command
        asked = self._asked(words)
        ended = self._warm(asked, reached, should_stop)
        if isinstance(ended, Ended):
            return self._judged(ended, asked.target, select, should_stop)
        if should_stop():
            return cancelled()
        if ended is not None:  # it may have come so far that it wrote something
            asked = self._asked(words)
        cold = self._judged(self._cold(asked, reached, should_stop), asked.target, select, should_stop)
        return replace(cold, cold_because=ended or "none was warm")

    def launch(self) -> Launch | None:
        """How to start a warm dbt; None without a database, as a command would have nothing to start with either."""
        reached = reach(self.settings.database_url)
        if isinstance(reached, TransformResult):
            return None
        launch = self._launch_with(reached)
        target = self.folder.fresh_target("warm")
        self.folder.lend_parsed(target)
        flags = self._flags(target)
        arguments = (str(self.settings.warm_for.total_seconds()), *flags)
        return replace(launch, command=replace(launch.command, arguments=arguments), target=target)

    def _asked(self, command: Sequence[str]) -> Asked:
        """The command with all its flags, and a fresh folder to write to."""
        target = self.folder.fresh_target()
        flags = self._flags(target)
        return Asked((command[0], *flags, *command[1:]), target, self.settings.timeout.total_seconds())

    def _flags(self, target: Path) -> list[str]:
        return self.folder.flags(self.settings.project, target, {"raw_schema": self.settings.raw_schema})

    def _warm(self, asked: Asked, reached: Reached, should_stop: Callable[[], bool]) -> Ended | str | None:
        """The command's end in a warm dbt, or why there was none."""
        ended: Ended | str | None = ""
        try:
            ended = self.warmth.run(self._launch_with(reached), asked, should_stop)
            return ended
        finally:
            if isinstance(ended, str) or (isinstance(ended, Ended) and ended.was_killed):
                self._end_queries()

    def _cold(self, asked: Asked, reached: Reached, should_stop: Callable[[], bool]) -> Ended:
        self.folder.lend_parsed(asked.target)
        left_queries = True
        try:
            environment = self._environment(reached)
            ended = run(Command(asked.arguments, self.folder.path, environment), asked.timeout_seconds, should_stop)
            left_queries = ended.was_killed
            return ended
        finally:
            if left_queries:
                self._end_queries()

    def _launch_with(self, reached: Reached) -> Launch:
        environment = self._environment(reached)
        return Launch(self.settings.project.absolute(), Command((), self.folder.path, environment), self.folder.path)

    def _end_queries(self) -> None:
        """A killed process leaves its query running. A database that can't be asked about it has none."""
        try:
            end_backends(self.settings.database_url)
        except QbwatchError:
            return

    def _judged(
        self, ended: Ended, target: Path, select: Sequence[str], should_stop: Callable[[], bool]
    ) -> TransformResult:
        # A service manager that stops us may end the child before we do: that is our stop, not the child's failure.
        is_stopped = ended.was_killed and should_stop()
        result = cancelled() if is_stopped else self._result(ended, target, select)
        places = relations(target)
        result = replace(result, readers=readers(target, places), relations=places)
        if result.succeeded:
            self.folder.put_away(target)
        return result

    def _result(self, ended: Ended, target: Path, select: Sequence[str]) -> TransformResult:
        match ended.ending:
            case Ending.STOPPED:
                return cancelled()
            case Ending.TIMED_OUT:
                return TransformResult(
                    Outcome.TIMED_OUT,
                    message=f"dbt was ended after {self.settings.timeout}, the time it may take",
                    hint="look for a slow model or a lock, or raise transform.timeout",
                )
            case Ending.ITSELF:
                return judge(ended, target, select)


def cancelled() -> TransformResult:
    """What a command comes to that was asked to stop."""
    return TransformResult(
        Outcome.CANCELLED, message="the dbt run was stopped", hint="it is still owed: the next run builds it"
    )
