"""What all commands share: where the configuration is found, and how an answer is printed."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Callable
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


def load_config(config: str | None) -> Any:
    """The configuration; typed `Any` so that importing this module stays cheap."""
    from qbwatch.config import load
    from qbwatch.datasets import datasets

    return load(Path(config) if config else None, datasets=datasets().keys())


def print_json(answer: Any) -> None:
    """One JSON document on stdout, safe for any terminal and encoding."""
    click.echo(json.dumps(answer, indent=2, ensure_ascii=True, default=str))


def styled(text: str, **style: Any) -> str:
    """Colour for a terminal; plain text elsewhere and with ``NO_COLOR``. Never the only carrier of meaning."""
    plain = os.environ.get("NO_COLOR") or not sys.stdout.isatty()
    return text if plain else click.style(text, **style)


def wrapped(text: str, first: str, others: str) -> list[str]:
    """Text as lines within 80 columns, no word of it lost; ``first`` and ``others`` stand before the lines."""
    return textwrap.wrap(text, 79, initial_indent=first, subsequent_indent=others, break_on_hyphens=False)


def shown(text: str, width: int) -> str:
    """Text cut to a width, with a sign that it was cut."""
    return text if len(text) <= width else text[: max(width - 1, 1)] + "…"
