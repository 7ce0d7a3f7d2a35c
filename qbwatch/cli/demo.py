"""``qbwatch demo``: the whole product on generated exports."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qbwatch.cli.options import shown, styled, wrapped

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from qbwatch.demo.play import Ending


@click.command(short_help="Show the whole product at work, on generated exports.")
@click.option("--keep", is_flag=True, help="Leave everything running at the end, and print how to look at it.")
@click.option("--directory", type=click.Path(file_okay=False), help="Where to put it (default: a temporary folder).")
def demo(keep: bool, directory: str | None) -> int:
    """Show the whole product at work: a private Postgres, the daemon, generated exports dropped in waves, one of them
    damaged, dbt, and the status at the end.

    Needs nothing but the extra "embedded", and touches nothing outside its own folder. Exit code 0 when every figure
    agrees with the books of the fictional firm, else 1.

    \b
    Example:
      qbwatch demo --keep
    """
    from qbwatch.demo.play import play

    today = datetime.now().astimezone().date()
    stage = _Bar() if sys.stdout.isatty() else _Lines()
    with stage:
        is_right = play(
            Path(directory) if directory else None, today, stage, lambda end: _finish(stage, end, keep), keep=keep
        )
    return 0 if is_right else 1


class _Lines:
    """Plain lines, for a log or a pipe."""

    def __init__(self) -> None:
        self._doing = ""

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def say(self, line: str) -> None:
        """Print a line."""
        click.echo(line)
        sys.stdout.flush()

    def progress(self, done: int, total: int, doing: str) -> None:
        """Print what is being done when it is something new; single steps of a run are left to the bar."""
        headline = doing.split(":")[0]
        if headline != self._doing:
            self._doing = headline
            self.say(f"[{done}/{total}] {headline} …")


class _Bar:
    """A progress bar at the foot of the terminal, with the lines that stay above it."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            BarColumn(24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
        )
        self._progress: Progress = Progress(*columns, transient=True)
        self._task: TaskID = self._progress.add_task("", total=1)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(line, markup=False, highlight=False)

    def progress(self, done: int, total: int, doing: str) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done, total=total, description=shown(doing, 60))


def _finish(stage: _Bar | _Lines, ending: Ending, keep: bool) -> None:
    from qbwatch.cli.status_text import render

    stage.__exit__()
    lines = ["", styled("qbwatch status", bold=True), *render(ending.status)]
    lines += ["", styled("The newest rows of analytics_mart.fct_orders", bold=True)]
    lines.append(f"  {'number':<10}{'date':<12}{'customer':<30}{'status':<16}{'total':>10}")
    lines += [
        f"  {number:<10}{day:<12}{shown(customer, 28):<30}{status:<16}{total:>10}"
        for number, day, customer, status, total in ending.orders
    ]
    lines += ["", styled("What the firm's books say, and what the database says", bold=True)]
    lines += [
        f"  {figure.name:<38}{figure.in_books!s:>12}{figure.in_database!s:>12}  {'=' if figure.agrees else 'DIFFERS'}"
        for figure in ending.figures
    ]
    lines += _about_the_damaged(ending)
    lines += _how_to_go_on(ending, keep)
    click.echo("\n".join(lines))


def _about_the_damaged(ending: Ending) -> list[str]:
    part = ending.damaged["parts"][0]
    return [
        "",
        styled("The damaged file", bold=True),
        *wrapped(
            f"{ending.damaged['name']} is {part['state']}; nothing of it was loaded, all others were.", "  ", "  "
        ),
        *wrapped(f"why: {part['reason']}", "  ", "       "),
        *wrapped(f"do:  {part['hint']}", "  ", "       "),
    ]


def _how_to_go_on(ending: Ending, keep: bool) -> list[str]:
    site = ending.site
    config = f"--config {site.config}"
    if not keep:
        return ["", "To look around yourself: qbwatch demo --keep"]
    from qbwatch.config import load
    from qbwatch.database import embedded_of

    url = embedded_of(load(site.config, {})).url_if_running()
    pid = site.daemon.pid if site.daemon else 0
    return [
        "",
        styled("It goes on running. Look around:", bold=True),
        f"  qbwatch status {config}",
        f"  qbwatch files {config}",
        f"  qbwatch why {ending.damaged['name']} {config}",
        f"  cp some_export.csv {site.drop_folder}/input/",
        f"  psql '{url}'",
        f"  {site.page}      # the status page: open it in a browser",
        f"  less {site.log}",
        # The daemon stops its Postgres first, which needs the folder until it is down.
        f"  kill {pid}; tail --pid={pid} -f /dev/null; rm -r {site.root}      # to end it",
    ]
