"""From the status and the ledger's facts to what stands on the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from qbwatch.core.facts import Json, Severity
from qbwatch.page.charts import Bars, bars, days_until, strips
from qbwatch.page.facts import Arrived, PageFacts, RefusedPart
from qbwatch.page.headline import headline
from qbwatch.page.problem import CODE
from qbwatch.page.refusals import in_words
from qbwatch.page.troubles import Trouble, Whose, troubles_of
from qbwatch.page.view import Figure, Recent, Task, View, Waiting
from qbwatch.page.words import day, file_name, is_mart, moment, place_of, short_moment, title_of

_REFUSED_SHOWN, _WAITING_SHOWN = 20, 12
_FRESH = {"fresh": "", "warn": "getting old", "stale": "too old", "never": "no figures yet"}
_STATES = {
    "settling": "still arriving",
    "pending": "next in turn",
    "loading": "being loaded",
    "retrying": "is tried again by itself",
}


def compose(status: Json, facts: PageFacts | None, zone: ZoneInfo, today: date) -> View:
    """Everything on the page. Without ``facts`` (Postgres can't be asked) files are told as the status knows them."""
    is_known, facts = facts is not None, facts or _from_status(status)
    status = _without_own(status)
    troubles = troubles_of(status, ("quarantined_file",))
    refused_count = max(facts.refused_count, len(facts.refused))
    shown = facts.refused[:_REFUSED_SHOWN]
    by_whose = {whose: tuple(_task(each, zone) for each in troubles if each.whose is whose) for whose in Whose}
    days = days_until(today)
    relations = status["freshness"]
    pending = status["pending"]
    return View(
        headline=headline(status, troubles, refused_count),
        remark=_remark(status, zone),
        for_office=(*(_refusal(each, zone) for each in shown), *by_whose[Whose.OFFICE]),
        for_server=by_whose[Whose.SERVER],
        for_nobody=by_whose[Whose.NOBODY],
        refused_more=refused_count - len(shown),
        waiting=tuple(_waiting(each) for each in pending["files"][:_WAITING_SHOWN]),
        waiting_count=pending["count"],
        recent=tuple(_recent(each, zone) for each in facts.recent) if is_known else None,
        marts=_figures(each for each in relations if is_mart(each["relation"])),
        datasets=_figures(each for each in relations if not is_mart(each["relation"])),
        sales=_sales(facts),
        rows=bars("Rows loaded", "rows", {each: Decimal(count) for each, count in facts.rows.items()}, today),
        arrivals=strips(facts.arrivals, _titles(facts), today),
        days=(day(days[0]), day(days[-1])),
        clock=place_of(zone),
        version=str(status["version"]),
    )


def _without_own(status: Json) -> Json:
    """The status but for the page's own trouble, which is over when this can be read."""
    problems = [each for each in status["problems"] if each["code"] != CODE]
    is_ok = not problems and status["health"] == Severity.WARNING
    return {**status, "problems": problems, "health": "ok" if is_ok else status["health"]}


def _from_status(status: Json) -> PageFacts:
    refused = tuple(
        RefusedPart(
            each["name"], each.get("sheet"), each["dataset"], "", "", datetime.fromisoformat(each["since"])
        )
        for each in status["quarantined"]
    )  # fmt: skip
    return PageFacts(refused, len(refused))


def _remark(status: Json, zone: ZoneInfo) -> str:
    if status["answered_by"] != "cache":
        return ""
    at = moment(datetime.fromisoformat(status["as_of"]), zone)
    return f"What stands below is the last that was known, of {at}."


def _refusal(part: RefusedPart, zone: ZoneInfo) -> Task:
    words = in_words(part)
    title = f"{words.title}: {words.what}" if part.dataset else words.what[:1].upper() + words.what[1:]
    since = short_moment(part.since, zone)
    return Task("Refused", True, title, words.do, since, (words.name,), command=words.command)


def _task(trouble: Trouble, zone: ZoneInfo) -> Task:
    return Task(
        "Wrong" if trouble.is_error else "Check",
        trouble.is_error,
        trouble.title,
        trouble.do,
        "" if trouble.since is None else short_moment(trouble.since, zone),
        trouble.names,
        trouble.count - len(trouble.names) if trouble.names else 0,
        trouble.command,
    )


def _waiting(entry: Json) -> Waiting:
    what = title_of(entry["dataset"]) if entry["dataset"] else ""
    return Waiting(file_name(entry["name"]), what, _STATES.get(str(entry["state"]), str(entry["state"])))


def _recent(each: Arrived, zone: ZoneInfo) -> Recent:
    match each.state:
        case "loaded":
            kind, outcome = "loaded", "loaded" if each.rows is None else f"loaded, {each.rows:,} rows"
        case "quarantined":
            kind, outcome = "refused", "refused"
        case "skipped":
            kind, outcome = "skipped", "not needed"
        case _:
            kind, outcome = "waiting", "waits"
    what = title_of(each.dataset) if each.dataset else ""
    return Recent(file_name(each.name), what, kind, outcome, short_moment(each.at, zone))


def _figures(entries: Iterable[Json]) -> tuple[Figure, ...]:
    return tuple(
        Figure(
            title_of(each["relation"]),
            "–" if each["rows"] is None else f"{each['rows']:,}",
            day(date.fromisoformat(each["current_through"])) if each["current_through"] else "–",
            _FRESH[each["state"]],
            each["state"] in ("warn", "stale"),
        )
        for each in entries
    )


def _sales(facts: PageFacts) -> Bars | None:
    """The days up to the newest document: those after it say nothing yet."""
    if not facts.sales:
        return None
    return bars("Sales", "in money", {each.day: each.amount for each in facts.sales}, facts.sales[-1].day)


def _titles(facts: PageFacts) -> Sequence[tuple[str, str]]:
    return sorted(((name, title_of(name)) for name in facts.arrivals), key=lambda pair: pair[1])
