"""The page as HTML: one file that needs nothing else, neither a script nor a font nor the network.

Jinja2 escapes every value that goes in. The templates lie beside this module.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from qbwatch.page.view import GENERATOR, REWRITTEN_AFTER, View
from qbwatch.page.words import moment


def render(view: View, written_at: datetime, zone: ZoneInfo) -> str:
    """The whole file; equal views differ only in ``written_at``, shown on the office's clock."""
    hours = int(REWRITTEN_AFTER / timedelta(hours=1))
    written = {"text": moment(written_at, zone), "iso": written_at.astimezone(zone).isoformat(timespec="minutes")}
    return _template().render(view=view, written=written, hours=hours, generator=GENERATOR)


@cache
def _template() -> Template:
    loader = PackageLoader("qbwatch.page", "template")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html")
