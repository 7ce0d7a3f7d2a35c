"""``qbwatch init``: a first configuration, asked for and tried out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qbwatch.cli.options import config_option, wrapped
from qbwatch.core.model import QbwatchError

if TYPE_CHECKING:
    from qbwatch.core.config_text import FirstAnswers
    from qbwatch.first_answers import Tried

_GROUP = "qbwatch"


@click.command(short_help="Write a first configuration, after asking.")
@click.option("--input", "input_folder", metavar="DIR", help="The folder with the exports.")
@click.option("--seed", metavar="DIR", help="A folder of full exports.")
@click.option("--state", metavar="DIR", help="Where qbwatch keeps its own (default: the usual place).")
@click.option("--database", metavar="URL", help="A libpq URL, or: embedded.")
@click.option("--timezone", metavar="ZONE", help="Zone of the office's clock.")
@click.option("--date-order", type=click.Choice(["mdy", "dmy", "ymd"]), help="How the exporter writes dates.")
@click.option("--alert", multiple=True, metavar="URL", help="Whom to tell of trouble; may be given again.")
@click.option("--untested", is_flag=True, help="Write it although an answer doesn't work yet.")
@config_option
def init(config: str | None, untested: bool, **given: Any) -> int:
    """Write a first configuration, with comments: asks on a terminal for what can't be guessed, tries each answer out,
    and writes the file (and the folder that holds it) and nothing else. A file that is there is never overwritten.

    Without a terminal everything comes from the options.

    \b
    Examples:
      qbwatch init
      qbwatch init --input /srv/exports --database postgresql:///dashboard
    """
    from qbwatch import log
    from qbwatch.core.config_text import config_text
    from qbwatch.first_answers import try_text

    log.configure(level="error")
    file = Path(config or os.environ.get("QBWATCH_CONFIG") or _usual_file()).absolute()
    if os.path.lexists(file):
        raise QbwatchError(f"{file} is there already, and is left as it is", "edit it, or name another: --config FILE")
    text = config_text(_Asking(given, keep=untested).answers())
    try_text(text)
    _write(file, text)
    click.echo("\n".join(_next_steps(file)))
    return 0


class _Asking:
    """Takes each answer from its option, else from the person, else from what is usual; and tries it out."""

    def __init__(self, given: dict[str, Any], *, keep: bool) -> None:
        self._given, self._keep = given, keep
        self._is_talking = sys.stdin.isatty() and sys.stdout.isatty()

    def answers(self) -> FirstAnswers:
        """All answers."""
        from qbwatch.core.config_text import FirstAnswers
        from qbwatch.first_answers import try_database, try_folder, try_zone, usual_folders, usual_zone

        usual_input, usual_seed = usual_folders(os.environ)
        folder = self._one("input_folder", "Folder with the exports", try_folder, usual_input)
        if folder is None:
            raise click.UsageError("without a terminal, name the folder with the exports: --input DIR")
        sibling = Path(folder).with_name("seed")
        seed_there = str(sibling) if sibling.is_dir() and sibling != Path(folder) else usual_seed
        seed = self._one("seed", "Folder of full exports (empty: none)", try_folder, seed_there or "")
        database = self._one("database", "Database", try_database, "postgresql:///dashboard")
        zone = self._one("timezone", "Zone of the office's clock", try_zone, usual_zone())
        order = self._given["date_order"] or self._order()
        assert database is not None
        assert zone is not None
        return FirstAnswers(folder, database, zone, order, seed or None, self._given["state"], self._alerts())

    def _one(self, name: str, question: str, tried: Callable[[str], Tried], usual: str | None) -> str | None:
        answer = self._given[name]
        if answer is None and not self._is_talking:
            answer = usual
            if not answer:
                return None
        while True:
            said = click.prompt(question, default=usual, show_default=bool(usual)) if answer is None else answer
            if not said.strip() and usual == "":
                return None
            if (value := self._tried(tried(said), is_asked=answer is None)) is not None:
                return value

    def _tried(self, tried: Tried, *, is_asked: bool) -> str | None:
        """The value, once it works or is wanted all the same; None to ask again."""
        if tried.trouble is None:
            click.echo("\n".join(wrapped(tried.says, "  ok: ", "      ")))
            return tried.value
        if self._keep and not tried.is_malformed:
            click.echo("\n".join(wrapped(tried.trouble, "  not yet: ", "      ")))
            return tried.value
        if not is_asked:
            otherwise = "" if tried.is_malformed else "; or write it all the same: --untested"
            raise QbwatchError(tried.trouble, (tried.fix or "correct it") + otherwise)
        click.echo("\n".join(wrapped(tried.trouble, "  ", "  ")))
        if tried.fix:
            click.echo(f"    → {tried.fix}")
        if tried.is_malformed or not click.confirm("  Take it all the same?", default=False):
            return None
        return tried.value

    def _order(self) -> str:
        if not self._is_talking:
            return "mdy"
        question = "Dates in the exports: mdy (04/17/2025), dmy or ymd"
        said: str = click.prompt(question, type=click.Choice(["mdy", "dmy", "ymd"]), default="mdy", show_choices=False)
        return said

    def _alerts(self) -> list[str]:
        from qbwatch.first_answers import try_alert

        found = [self._tried(try_alert(url), is_asked=False) for url in self._given["alert"]]
        while self._is_talking and not self._given["alert"]:
            said = click.prompt(
                "Whom to tell, as mailto://… or slack://… (empty: no more)", default="", show_default=False
            )
            if not said.strip():
                break
            found.append(self._tried(try_alert(said.strip()), is_asked=True))
        return [url for url in found if url]


def _usual_file() -> str:
    if os.geteuid() == 0:
        return "/etc/qbwatch/qbwatch.toml"
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(home, "qbwatch", "qbwatch.toml")


def _write(file: Path, text: str) -> None:
    """A new file, readable by its owner and group alone: it may hold a password."""
    import shutil

    try:
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        if os.geteuid() == 0:
            shutil.chown(file, group=_GROUP)
    except LookupError:
        return  # the group comes with the account; the next steps say so
    except OSError as error:
        raise QbwatchError(f"can't write {file}: {(error.strerror or str(error)).lower()}", "as root, or elsewhere: "
                           "--config FILE") from error  # fmt: skip


def _next_steps(file: Path) -> list[str]:
    lines = [f"Written: {file}", "Next:"]
    if os.geteuid() != 0:
        return [*lines, "  qbwatch doctor", "  qbwatch plan", "  qbwatch systemd-unit --user"]
    import grp

    try:
        grp.getgrnam(_GROUP)
    except KeyError:
        lines.append(f"  useradd --system --home-dir /var/lib/qbwatch --shell /usr/sbin/nologin {_GROUP}")
        lines.append(f"  chgrp {_GROUP} {file}")
    named = "" if str(file) == "/etc/qbwatch/qbwatch.toml" else f" --config {file}"
    return [
        *lines,
        f"  qbwatch doctor{named}",
        f"  qbwatch systemd-unit{named} > /etc/systemd/system/qbwatch.service",
        f"  qbwatch systemd-unit --alert{named} > /etc/systemd/system/qbwatch-alert@.service",
        "  systemctl daemon-reload && systemctl enable --now qbwatch",
    ]
