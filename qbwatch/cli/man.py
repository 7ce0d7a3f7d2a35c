"""``qbwatch man`` and ``qbwatch completion``: the manual page and the shells' completion, made of the same help."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from qbwatch import __version__

_NO_BREAK = "\b"


@click.command(short_help="Print the manual page.")
@click.pass_context
def man(ctx: click.Context) -> int:
    """Print the manual page of all commands, made of the same text as their help.

    \b
    Examples:
      qbwatch man | man -l -
      qbwatch man > /usr/local/share/man/man1/qbwatch.1
    """
    click.echo("\n".join(_page(ctx.find_root())))
    return 0


@click.command(short_help="Print the completion for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print what makes a shell complete the commands and options of qbwatch.

    \b
    Examples:
      qbwatch completion bash > /etc/bash_completion.d/qbwatch
      qbwatch completion zsh > ~/.zfunc/_qbwatch
      qbwatch completion fish > ~/.config/fish/completions/qbwatch.fish
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(ctx.find_root().command, {}, "qbwatch", "_QBWATCH_COMPLETE").source())
    return 0


def _page(root: click.Context) -> Iterator[str]:
    yield f'.TH QBWATCH 1 "" "qbwatch {__version__}" "User commands"'
    yield ".SH NAME"
    yield _plain("qbwatch - loads QuickBooks exports into Postgres, runs dbt, and says whether the data is right")
    yield ".SH SYNOPSIS"
    yield ".B qbwatch"
    yield _plain("[--config FILE] [--debug] [COMMAND [ARGUMENTS]]")
    yield ".SH DESCRIPTION"
    yield from _told(root.command.help or "")
    yield ".SH OPTIONS"
    yield from _options(root.command, root)
    yield ".SH COMMANDS"
    group = root.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(root):
        command = group.get_command(root, name)
        assert command is not None
        yield from _command(command, click.Context(command, info_name=name, parent=root))
    yield ".SH EXIT STATUS"
    yield _plain("0 done; 1 error; 2 mistake of usage or configuration; 3 some files failed. Of status --check: 0 ok,")
    yield _plain("1 warning, 2 critical, 3 unknown.")
    yield ".SH FILES"
    yield _plain("/etc/qbwatch/qbwatch.toml, ~/.config/qbwatch/qbwatch.toml: the configuration")


def _command(command: click.Command, ctx: click.Context) -> Iterator[str]:
    pieces = " ".join(command.collect_usage_pieces(ctx))
    yield ".SS " + _plain(f"{ctx.command_path} {pieces}")
    yield from _told(command.help or "")
    yield from _options(command, ctx)
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            assert inner is not None
            yield from _command(inner, click.Context(inner, info_name=name, parent=ctx))


def _told(text: str) -> Iterator[str]:
    """Paragraphs; one that begins with the sign for it keeps its lines, as in the help."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = [line for line in paragraph.splitlines() if line.strip() != _NO_BREAK]
        yield ".PP"
        if _NO_BREAK in paragraph:
            yield from (".nf", *(_plain(line) for line in lines), ".fi")
        else:
            yield from (_plain(line.strip()) for line in lines)


def _options(command: click.Command, ctx: click.Context) -> Iterator[str]:
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None and "--help" not in param.opts:
            yield ".TP"
            yield ".B " + _plain(record[0])
            yield _plain(record[1])


def _plain(text: str) -> str:
    """Text that roff takes as it is: no backslash, dot or quote of it means anything, and a minus is one."""
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    safe = "".join(char if char.isascii() else f"\\[u{ord(char):04X}]" for char in safe)
    return "\\&" + safe if safe.startswith((".", "'")) else safe
