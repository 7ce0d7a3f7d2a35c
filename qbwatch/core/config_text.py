"""A first configuration as text: what was answered, and for everything else what it would be, as comments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FirstAnswers:
    """What can't be guessed. ``state`` and ``socket`` only where they differ from the usual places."""

    input: str
    database: str
    timezone: str
    date_order: str = "mdy"
    seed: str | None = None
    state: str | None = None
    alerts: Sequence[str] = ()


def config_text(answers: FirstAnswers) -> str:
    """The TOML text."""
    seed = _given("seed_directory", answers.seed, '"/srv/quickbooks-csv/seed"')
    state = _given("directory", answers.state, '"/var/lib/qbwatch"')
    urls = f"urls = [{', '.join(map(_quoted, answers.alerts))}]" if answers.alerts else '#urls = ["mailto://…"]'
    return f"""\
# The configuration of qbwatch. `qbwatch doctor` checks it with everything around it; `qbwatch reload` makes a change
# count, and says what needs a restart. A line that begins with # shows what holds without it. README.md explains every
# key.

[input]
# The folder into which the exports are synced. It is only ever read.
directory = {_quoted(answers.input)}
# A folder of full exports, to begin with:
{seed}
# How long a file must rest before it is taken, and how often the folders are read as a whole:
#settle = "2s"
#rescan = "5m"
# Further names to pass over, such as "*draft*":
#ignore = []

[state]
# Copies of all accepted files, and everything else that is qbwatch's own. Not inside the input folder.
{state}
# What stays free on that disk:
#reserve = "500MB"

[database]
# Any libpq URL, or "embedded" for a private Postgres in the state folder. A password is better kept in the credential
# database_url (see the unit) than here.
url = {_quoted(answers.database)}

[quickbooks]
# How the exporter writes dates: mdy (04/17/2025), dmy or ymd. It is never guessed.
date_order = {_quoted(answers.date_order)}
# The office's clock, which the names of the files show:
timezone = {_quoted(answers.timezone)}

[freshness]
# How old data may be, in business days of this country, and days on which the firm rests besides:
#default = "2 business days"
#country = "US"
#closed = ["2026-12-24"]

[expect]
# Exports that should arrive, and by when on the office's clock; learned where nothing is said:
#"quickbooks.invoices" = {{ every = "business day", by = "06:00" }}

[alerts]
# Whom to tell of trouble, by https://github.com/caronc/apprise/wiki; try it with `qbwatch alerts test`.
{urls}
# Who gets what none of them takes:
#fallback = ["ntfy://…"]
# A watchman elsewhere, asked every few minutes, who notices that this machine is silent:
#heartbeat = "https://hc-ping.com/…"
#heartbeat_every = "5m"
# After how long the same trouble is told again, and whether names and amounts are left out of the messages:
#remind = "24h"
#redact = true
# Also tell of runs that went well: "never", "daily" or "every_run":
#on_success = "never"

[page]
# The status as a file for people without a login, outside the folders above, and notes beside it for refused files:
#file = "/srv/quickbooks-csv/status/qbwatch.html"
#receipts = false
"""


def _given(key: str, value: str | None, usual: str) -> str:
    return f"#{key} = {usual}" if value is None else f"{key} = {_quoted(value)}"


def _quoted(text: str) -> str:
    """A string of TOML: JSON's escapes are TOML's, except that it wants DEL escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
