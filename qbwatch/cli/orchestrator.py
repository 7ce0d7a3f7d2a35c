"""``qbwatch-orchestrator``: the command line of the script that qbwatch took the place of, for crontabs and habits.

Each call is answered by its command of today, which is named in one line on stderr.
"""

from __future__ import annotations

import argparse
import shlex
import sys

from qbwatch.cli import main as qbwatch

_MODES = ("seed", "incremental", "full")


def main() -> None:
    """Entry point of ``qbwatch-orchestrator``."""
    words = mapped(sys.argv[1:])
    sys.stderr.write(f"qbwatch-orchestrator: this is now `{shlex.join(['qbwatch', *words])}`\n")
    sys.argv = ["qbwatch", *words]
    qbwatch()


def mapped(arguments: list[str]) -> list[str]:
    """The words after ``qbwatch`` that do today what these did. Leaves with 2 and a usage for what never was."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    modes = {mode for mode in (asked.mode, asked.load_mode) if mode}
    modes |= {mode for mode in ("seed", "incremental") if getattr(asked, mode)}
    if len(modes) > 1 or (asked.force_seed and asked.force_incremental):
        parser.error(f"only one of {', '.join(sorted(modes) or ('--force-seed', '--force-incremental'))} at a time")
    force = _force(modes, asked)
    config = ["--config", asked.config] if asked.config else []
    if asked.status:
        return ["status", *config]
    if asked.tui:
        return ["tui", *config]
    return ["plan" if asked.dry_run else "once", *force, *config]


def _force(modes: set[str], asked: argparse.Namespace) -> list[str]:
    """Seed meant everything anew, which today has to be asked for; incremental is what happens by itself; full was
    both, and today's seed takes the new files with it."""
    if asked.force_incremental:
        return ["--force-incremental"]
    return ["--force-seed"] if asked.force_seed or modes & {"seed", "full"} else []


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="qbwatch-orchestrator",
        description="The old command line. Each call is answered by a command of qbwatch, which it names.",
        epilog="qbwatch decides by itself whether a run seeds or continues: `qbwatch once` is all that a crontab needs,"
        " and with the daemon (`qbwatch run`) not even that.",
        allow_abbrev=False,
    )
    parser.add_argument("--mode", choices=_MODES, help="what to load")
    parser.add_argument("--load-mode", choices=_MODES, help="the same")
    for name in ("seed", "incremental", "force-seed", "force-incremental", "status", "dry-run", "tui"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--source", choices=["quickbooks", "all"], help="quickbooks is the only one")
    parser.add_argument("--config", help="the configuration file")
    return parser


if __name__ == "__main__":
    main()
