"""The command line: one small module per group of commands, imported only when its command is called.

Exit codes: 0 done, 1 error, 2 usage or configuration, 3 partial failure. Errors are one line on stderr and a hint.
"""

from __future__ import annotations

import os
import sys

from qbwatch.cli.group import cli
from qbwatch.core.model import QbwatchError


def main() -> None:
    """Entry point of ``qbwatch``."""
    import click

    debug = "--debug" in sys.argv[1:]
    try:
        code = cli.main(prog_name="qbwatch", standalone_mode=False)
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.ClickException as mistake:
        mistake.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except QbwatchError as error:
        if debug:
            raise
        click.echo(f"qbwatch: {error.message}", err=True)
        if error.hint:
            click.echo(f"  hint: {error.hint}", err=True)
        code = exit_code_of(error)
    sys.exit(code if isinstance(code, int) else 0)


def exit_code_of(error: QbwatchError) -> int:
    """2 for a fault of the configuration, which a restart can't mend; 1 for everything else."""
    from qbwatch.core.model import FailureClass

    failure = getattr(error, "failure", None)
    if getattr(error, "is_configuration", False) or (failure and failure.failure_class is FailureClass.CONFIGURATION):
        return 2
    return 1
