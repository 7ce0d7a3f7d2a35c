"""The whole story of one file, one run, one node or one incident, as lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from qbwatch.core.facts import Json
from qbwatch.core.filename import part_name
from qbwatch.tui.lines import Line, Tone, line, title, toned
from qbwatch.tui.plain import clock, counted, date_and_time

_REJECTS = 50
_TERMS = ("structural", "inserted", "updated", "unchanged", "rejected")


def story_of_file(said: Json, zone: tzinfo | None) -> list[Line]:
    """Every version: seen, settled, recognised as, each part's attempts, accounts and rejects."""
    lines: list[Line] = []
    for version in said["versions"]:
        full = "a full export" if version["full"] else "a window of what changed"
        lines += [
            title(version["path"]),
            line(f"  seen     {date_and_time(version['first_seen_at'], zone)}, {version['size_bytes']:,} bytes"),
            line(f"  settled  {date_and_time(version['settled_at'], zone)}, sha256 {version['content_hash'][:16]}…"),
            line(f"  for      {date_and_time(version['as_of'], zone)} (from its {version['as_of_basis']}), {full}"),
        ]
        if version["repeats"]:
            lines.append(line(f"  again    {version['repeats']} time(s): duplicate, the same bytes"))
        for part in version["parts"]:
            lines += _part(part, zone)
        lines.append(())
    return lines or [line("the ledger knows nothing of it (any more)")]


def _part(part: Json, zone: tzinfo | None) -> Iterator[Line]:
    sheet = "" if part["sheet"] is None else f", sheet {part['sheet']}"
    run = f", run {part['run_id']}" if part["run_id"] else ""
    yield line("  ", toned(part["state"]), f" as {part['dataset'] or 'no known dataset'}{sheet}")
    yield line(
        f"    {counted(part['attempt'], 'try').replace('trys', 'tries')}{run}, {clock(part['changed_at'], zone)}"
    )
    if part["next_attempt_at"]:
        yield line(f"    next try {date_and_time(part['next_attempt_at'], zone)}")
    if part["reason"]:
        yield line(("    why: ", Tone.TITLE), part["reason"])
    if part["hint"]:
        yield line(("    do:  ", Tone.TITLE), part["hint"])
    yield from accounts(part["rows"])
    for name, total in part["sums"].items():
        yield line(f"    sum of {name}: {total}")
    if part["difference"]:
        said = part["difference"]
        yield line(
            f"    {said['changed']:,} changed, {said['new']:,} new, {said['gone']:,} gone against {said['name']}"
        )
    if part["answers"].get("accepted"):
        yield line("    accepted by a person: ", ", ".join(part["answers"]["accepted"]))
    for note in part["notes"]:
        yield line("    ", note)
    for reject in part["rejects"][:_REJECTS]:
        column = f", column {reject['column']!r}" if reject["column"] else ""
        yield line(
            ("    rejected ", Tone.WARN), f"line {reject['line']}{column}: {reject['text']!r}: {reject['reason']}"
        )
    if len(part["rejects"]) > _REJECTS:
        yield line(f"    … and {len(part['rejects']) - _REJECTS} more rejected rows: qbwatch why --json")


def accounts(rows: Json | None) -> Iterator[Line]:
    """What became of the rows that were read."""
    if rows:
        equation = " + ".join(f"{rows[name]:,} {name}" for name in _TERMS if rows[name])
        yield line(f"    {rows['read']:,} rows read" + (f" = {equation}" if equation else ""))
        if rows["removed"]:
            yield line(f"    {rows['removed']:,} rows removed")


def story_of_run(run: Json, zone: tzinfo | None) -> list[Line]:
    """Why it was done, its loads, and dbt's nodes with times and messages."""
    seconds = "" if run["seconds"] is None else f", {run['seconds']:,.1f} s"
    lines = [
        line((f"Run {run['id']} ({run['mode']}) ", Tone.TITLE), toned(run["status"])),
        line("  why      ", run["why"]),
        line(f"  started  {date_and_time(run['started_at'], zone)}{seconds}, step {run['step']}"),
        *accounts(run["rows"]),
    ]
    if run["error"]:
        lines.append(line(("  failure: ", Tone.BAD), run["error"]))
    if run["loads"]:
        lines += [(), title(counted(len(run["loads"]), "part"))]
    for load in run["loads"]:
        lines.append(
            line(
                "  ",
                toned(load["state"]),
                f"  {part_name(load['name'], load['sheet'])}  ",
                (load["dataset"] or "?", Tone.DIM),
            )
        )
        if load["reason"]:
            lines.append(line("      ", load["reason"]))
    if run["nodes"]:
        lines += [(), title(f"{counted(len(run['nodes']), 'dbt node')}, {run['dbt']['seconds']:,.1f} s in all")]
    for node in run["nodes"]:
        rows = "" if node["rows"] is None else f"{node['rows']:,} rows"
        lines.append(line("  ", toned(node["status"]), f"  {node['seconds']:.2f} s  {node['name']}  {rows}"))
        if node["message"] and node["status"] not in ("success", "pass"):
            lines.append(line("      ", node["message"]))
    return lines


def story_of_node(node: Json, rows: Json | None, zone: tzinfo | None) -> list[Line]:
    """One model or test, and the rows that break its rule."""
    lines = [
        line((f"{node['resource_type']} {node['name']} ", Tone.TITLE), toned(node["status"])),
        line(f"  {date_and_time(node['finished_at'], zone)}, {node['seconds']:.2f} s, run {node['run_id'] or '-'}"),
    ]
    if node["rows"] is not None:
        lines.append(line(f"  {node['rows']:,} rows"))
    if node["message"]:
        lines.append(line("  ", node["message"]))
    if rows is not None:
        lines += [(), title(f"Rows that break the rule: select * from {rows['found_in']}")]
        for row in rows["rows"]:
            lines.append(
                line("  ", ", ".join(f"{name}={value}" for name, value in zip(rows["columns"], row, strict=True)))
            )
    return lines


def story_of_incident(incident: Json, zone: tzinfo | None) -> list[Line]:
    """One cause of trouble, from first sight to recovery."""
    return [
        line((f"Incident {incident['id']} ", Tone.TITLE), toned(standing(incident))),
        line("  ", incident["summary"]),
        line(("  → ", Tone.DIM), incident["hint"]),
        line(f"  {incident['class']}, {incident['code']}, {incident['severity']}"),
        line(f"  since {date_and_time(incident['opened_at'], zone)}, told {date_and_time(incident['told_at'], zone)}"),
        line(f"  acknowledged {date_and_time(incident['acknowledged_at'], zone)}"),
        line(f"  recovered    {date_and_time(incident['recovered_at'], zone)}"),
        line(f"  about {incident['count']}: ", ", ".join(incident["names"])),
    ]


def standing(incident: Json) -> str:
    """Open, acknowledged or recovered."""
    if incident["recovered_at"]:
        return "recovered"
    return "acknowledged" if incident["acknowledged_at"] else "open"
