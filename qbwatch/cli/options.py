"""What all commands share: where the configuration is found, and how an answer is printed."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def config_option(command: F) -> F:
    """``--config`` after the command's name; it may also stand before it."""

    def remember(ctx: click.Context, _: click.Parameter, value: str | None) -> str | None:
        return value or (ctx.obj or {}).get("config")

    return click.option(
        "--config",
        "config",
        type=click.Path(dir_okay=False),
        callback=remember,
        help="Configuration file (default: found by itself).",
    )(command)


def json_option(command: F) -> F:
    """``--json``: facts for a program."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def dataset_option(command: F) -> F:
    """``--dataset``, by full or short name; the command gets the full one."""

    def resolve(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        from qbwatch.core.model import QbwatchError
        from qbwatch.datasets import dataset_named

        try:
            return dataset_named(value).full_name if value else None
        except QbwatchError as unknown:
            raise click.BadParameter(f"{unknown.message}; {unknown.hint}") from None

    text = "Only this dataset, such as quickbooks.invoices."
    return click.option("--dataset", callback=resolve, help=text)(command)


def log_to_stderr(*, verbose: bool = False) -> None:
    """What the product logs while a command works: warnings alone, or everything."""
    from qbwatch import log

    log.configure(level="info" if verbose else "error")


def load_config(config: str | None) -> Any:
    """The configuration; typed `Any` so that importing this module stays cheap."""
    from qbwatch.config import load
    from qbwatch.datasets import datasets

    return load(Path(config) if config else None, datasets=datasets().keys())


def print_json(answer: Any) -> None:
    """One JSON document on stdout, safe for any terminal and encoding."""
    click.echo(json.dumps(answer, indent=2, ensure_ascii=True, default=str))


def wrapped(text: str, first: str = "", others: str = "") -> list[str]:
    """Text as lines of at most 79 columns, no word of it lost; a single longer word (a path) stays whole."""
    return textwrap.wrap(
        text, 79, initial_indent=first, subsequent_indent=others, break_on_hyphens=False, break_long_words=False
    )


def counted(count: int, noun: str) -> str:
    """``1 file``, ``2,000 files``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def local_time(moment: str, zone: tzinfo | None) -> str:
    """A moment of an answer (ISO 8601) as the clock on the office's wall shows it, with the zone's short name.

    Without a zone it is that of this machine.
    """
    return f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def styled(text: str, **style: Any) -> str:
    """Colour for a terminal; plain text elsewhere and with ``NO_COLOR``. Never the only carrier of meaning."""
    plain = os.environ.get("NO_COLOR") or not sys.stdout.isatty()
    return text if plain else click.style(text, **style)


def shown(text: str, width: int) -> str:
    """Text cut to a width, with a sign that it was cut."""
    return text if len(text) <= width else text[: max(width - 1, 1)] + "…"
