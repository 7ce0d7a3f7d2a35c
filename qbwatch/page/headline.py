"""The first line of the page: is it current and right?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from qbwatch.core.facts import Json
from qbwatch.core.model import FailureClass
from qbwatch.page.troubles import Trouble
from qbwatch.page.view import Headline, Tone, View
from qbwatch.page.words import counted, day_and_year, is_mart, moment

_LATE = ("stale", "nothing_arrives")


def headline(status: Json, troubles: Sequence[Trouble], refused: int) -> Headline:
    """The verdict on the whole: the worst of what is wrong gives its tone, and what it is about its words."""
    through = _through(status)
    if not status["freshness"] and not status["problems"]:
        return Headline(Tone.OK, "Ready: nothing is loaded yet", "Put the first exports into the folder.")
    if status["answered_by"] == "cache":
        return Headline(Tone.ERROR, "Can’t tell: the database is out of reach", "")
    if status["daemon"]["state"] == "down":
        return Headline(Tone.ERROR, "Not watched: qbwatch isn’t running", through)
    errors = sum(each.is_error for each in troubles) + refused
    match status["health"]:
        case "ok":
            return Headline(Tone.OK, "Current and right", through)
        case "warning":
            count = counted(len(troubles), "thing")
            return Headline(Tone.WARNING, "Usable, with " + count + " to look at", through)
        case _:
            detail = "Nothing of it is in the figures, and everything else is." if errors == refused else ""
            return Headline(Tone.ERROR, _wrong(status, refused, errors), f"{detail} {through}".strip())


def stopped(view: View, at: datetime, zone: ZoneInfo) -> View:
    """The same page, once qbwatch has stopped: its verdict is of that moment."""
    before = view.headline.text
    detail = f"Since {moment(at, zone)} new files aren’t loaded, until it is started again. When it stopped: {before}."
    return replace(view, headline=Headline(Tone.STOPPED, "qbwatch was stopped", detail))


def ended(view: View, at: datetime, zone: ZoneInfo) -> View:
    """The same page at the end of a run by itself: its verdict is of that moment, and nobody watches from then on."""
    detail = f"As of the run of {moment(at, zone)}; new files are loaded with the next one."
    return replace(view, headline=replace(view.headline, detail=f"{view.headline.detail} {detail}".strip()))


def _wrong(status: Json, refused: int, errors: int) -> str:
    codes = {(each["code"], each["class"]) for each in status["problems"] if each["severity"] == "error"}
    is_late = any(code in _LATE or kind == FailureClass.MISSING_FILES for code, kind in codes)
    is_all_late = all(code in _LATE or kind == FailureClass.MISSING_FILES for code, kind in codes)
    if is_late and is_all_late:
        return "Not current: new exports are missing"
    if errors == refused:
        return f"Not complete: {counted(refused, 'file')} {'was' if refused == 1 else 'were'} refused"
    return ("Neither current nor right: " if is_late else "Not right: ") + f"{counted(errors, 'thing')} to mend"


def _through(status: Json) -> str:
    if any(each["code"] == "transform_failed" for each in status["problems"]):
        return "Until that is mended, the dashboard shows its earlier figures."
    days = [each["current_through"] for each in status["freshness"] if is_mart(each["relation"])]
    known = [each for each in days if each]
    if not known:
        return "The dashboard has no figures yet." if status["freshness"] else ""
    return f"The dashboard is complete through {day_and_year(date.fromisoformat(min(known)))}."
