"""The command line: one small module per group of commands, imported only when its command is called.

Exit codes: 0 done, 1 error, 2 usage or configuration, 3 partial failure. Errors are one line on stderr and a hint.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from qbwatch.cli.group import cli
from qbwatch.core.model import QbwatchError

if TYPE_CHECKING:
    import click


def main() -> None:
    """Entry point of ``qbwatch``."""
    import click

    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    try:
        code = cli.main([each for each in arguments if each != "--debug"], prog_name="qbwatch", standalone_mode=False)
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.ClickException as mistake:
        code = _complain(mistake.format_message(), _usage_of(mistake), 2)
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except QbwatchError as error:
        if debug:
            raise
        code = _complain(error.message, error.hint, exit_code_of(error))
    except Exception as bug:
        if debug:
            raise
        what = str(bug).strip().partition("\n")[0] or type(bug).__name__
        code = _complain(f"a fault of qbwatch: {type(bug).__name__}: {what}", "the same with --debug shows where", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _complain(message: str, hint: str, code: int) -> int:
    """One line of what happened, one of what to do."""
    import click

    click.echo(f"qbwatch: {message}", err=True)
    if hint:
        click.echo(f"  hint: {hint}", err=True)
    return code


def _usage_of(mistake: click.ClickException) -> str:
    """Where the right usage is described."""
    context = getattr(mistake, "ctx", None)
    return f"{context.command_path if context else 'qbwatch'} --help"


def exit_code_of(error: QbwatchError) -> int:
    """2 for a fault of the configuration, which a restart can't mend; 1 for everything else."""
    from qbwatch.core.model import FailureClass

    failure = getattr(error, "failure", None)
    if getattr(error, "is_configuration", False) or (failure and failure.failure_class is FailureClass.CONFIGURATION):
        return 2
    return 1
