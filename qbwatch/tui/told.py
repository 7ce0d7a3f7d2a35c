"""The daemon's answers to what was asked of it, in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qbwatch.core.facts import Json
from qbwatch.tui.plain import counted


def sentence(method: str, said: Json) -> str:
    """What came of it."""
    teller = _TELLERS.get(method)
    return teller(said) if teller else "done"


def effect_of_revert(said: Json) -> tuple[str, ...]:
    """What a revert would do, or did."""
    would = ("would remove", "restore") if said["dry_run"] else ("removed", "restored")
    lines = [f"{would[0]} {counted(said['removed'], 'row')}, {would[1]} {said['restored']:,}"]
    lines += [f"counts again: {name}, its former version" for name in said["restored_files"]]
    return tuple(lines)


def _run(said: Json) -> str:
    run = said["run"]
    if run is None:
        return "all is current: no new files, nothing unfinished, nothing owed"
    told = (
        f"run {run['id']} ({run['mode']}): {run['status'].replace('_', ' ')}, {counted(run['loaded'], 'file')} loaded"
    )
    told += f", {run['set_aside']} set aside" if run["set_aside"] else ""
    return told + (f"; {run['error']}" if run["error"] else "")


def _tests(said: Json) -> str:
    tests = said["tests"]
    if not tests:
        return f"{said['message']}; {said['hint']}"
    bad = [each["name"] for each in tests if each["status"] not in ("pass", "success")]
    return f"{counted(len(tests), 'test')}, {len(tests) - len(bad)} passed" + (
        f"; not: {', '.join(bad)}" if bad else ""
    )


def _reloaded(said: Json) -> str:
    if not said["loaded"]:
        return "it is wrong, so nothing changed: " + "; ".join(map(str, said["mistakes"]))
    told = "changed: " + ", ".join(said["changed"]) if said["changed"] else "nothing changed at once"
    return told + (f"; only a restart changes {', '.join(said['needs_restart'])}" if said["needs_restart"] else "")


def _services(said: Json) -> str:
    return "; ".join(f"{each['service']}: {each['error'] or 'delivered'}" for each in said["services"])


def _paused(said: Json) -> str:
    return "paused" + ("; the current run ends after its current step" if said.get("was_running") else "")


def _items(said: Json) -> str:
    return counted(said["items"], "part") if "items" in said else "done"


_TELLERS: Mapping[str, Callable[[Json], str]] = {
    "once": _run,
    "transform": _run,
    "test": _tests,
    "reload": _reloaded,
    "alerts-test": _services,
    "pause": _paused,
    "resume": lambda said: "going on" if said["was_paused"] else "it was not paused",
    "stop-run": lambda _: "cancelled; what it had in hand waits as before. The daemon is paused",
    "retry": lambda said: _items(said) + " back in the queue",
    "skip": lambda said: _items(said) + " left out",
    "accept": lambda said: _items(said) + " accepted and back in the queue",
    "revert": lambda said: "; ".join(effect_of_revert(said)),
    "ack": lambda said: f"incident {said['acknowledged']} is acknowledged",
    "take-out": lambda said: f"{said['request']} is taken out of the queue",
    "move": lambda said: f"{said['request']} is moved in the queue",
}
