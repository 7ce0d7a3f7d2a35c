"""What a person can have done: what it does, the command that does the same, and what is asked of the daemon. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from qbwatch.config_changes import live_settings
from qbwatch.core.facts import Json
from qbwatch.tui.plain import counted

Call = tuple[str, Json]

_NAMED = 8  # files that a question lists


@dataclass(frozen=True, slots=True)
class Action:
    """Something to be asked for. ``rehearsal`` is asked first, and its answer shown as the effect.

    ``calls`` are done one after the other; the first that fails ends them.
    """

    title: str
    effect: tuple[str, ...]
    command: str
    calls: tuple[Call, ...]
    rehearsal: Call | None = None


def retry(parts: Sequence[Json]) -> Action:
    """Try parts again."""
    is_one = len(parts) == 1
    effect = f"{counted(len(parts), 'part')} {'goes' if is_one else 'go'} back into the queue, and "
    effect += f"{'is' if is_one else 'are'} tried at once."
    return _about("Retry", "retry", parts, effect)


def skip(parts: Sequence[Json]) -> Action:
    """Leave parts out."""
    effect = f"{counted(len(parts), 'part')} will be left out, also when the same bytes come again, until a retry."
    return _about("Skip", "skip", parts, effect)


def accept(parts: Sequence[Json]) -> Action:
    """Load held parts in spite of their question."""
    effect = "The question is answered with yes, that is right: it is loaded, and never asked again for these bytes."
    return _about("Accept", "accept", parts, effect)


def revert(part: Json) -> Action:
    """Take a file's effect back, with all its parts."""
    params = {"file": part["path"], "file_id": part["file_id"]}
    effect = (
        f"{part['path']}, for {part['as_of']}:",
        "the raw tables become what all other accepted files say. dbt follows.",
    )
    command = f"qbwatch revert {quote(part['path'])}"
    call = ("revert", {**params, "dry_run": False})
    return Action("Revert", effect, command, (call,), ("revert", {**params, "dry_run": True}))


def run_now(force: str | None = None) -> Action:
    """One run: ``force`` is a mode, ``full`` for seed and then incremental, or None for what qbwatch decides."""
    effect = {
        None: "Loads what is new or unfinished, then builds what dbt owes. Decides the mode by itself.",
        "incremental": "Loads what is new or unfinished, and calls the run incremental whatever was loaded before.",
        "seed": "Folds all raw tables anew from the vault, and builds all of dbt from scratch. Can take long.",
        "full": "First a seed: folds and builds everything anew. Then an incremental run of what is new.",
    }[force]
    modes: list[str | None] = ["seed", "incremental"] if force == "full" else [force]
    commands = [f"qbwatch once --force-{mode}" if mode else "qbwatch once" for mode in modes]
    calls: tuple[Call, ...] = tuple(("once", {"force": mode, "dataset": None, "files": []}) for mode in modes)
    return Action(f"Run {force or 'now'}", (effect,), " && ".join(commands), calls)


def pause() -> Action:
    """Begin nothing more."""
    effect = "Nothing more is begun. A run under way ends after its current step; what is left of it waits."
    return Action("Pause", (effect, "Files are still taken in, and what you ask for is still done."), "qbwatch pause",
                  (("pause", {}),))  # fmt: skip


def resume() -> Action:
    """Go on."""
    return Action("Resume", ("The daemon goes on with what waits.",), "qbwatch resume", (("resume", {}),))


def stop_run(current: Json | None) -> Action:
    """Cancel what is under way."""
    what = f"Run {current['id']} is cancelled now" if current else "What is under way is cancelled now"
    effect = f"{what}: the file in hand rolls back and stays pending, dbt is interrupted and its queries cancelled."
    return Action("Stop the run", (effect, "The daemon is paused then."), "qbwatch stop-run", (("stop-run", {}),))


def transform(models: Sequence[str] = (), *, full: bool = False) -> Action:
    """dbt build."""
    select = " ".join(models)
    what = f"Builds and tests {', '.join(models)}" if models else "Builds and tests all that stands on loaded data"
    command = "qbwatch transform" + (f" --select {quote(select)}" if select else "") + " --full-refresh" * full
    effect = f"{what}{', from scratch' if full else ''}. Nothing is loaded."
    return Action("Transform", (effect,), command, (("transform", {"select": select or None, "full_refresh": full}),))


def run_tests(names: Sequence[str] = ()) -> Action:
    """dbt's tests."""
    what = f"Tests {', '.join(names)}" if names else "Runs all tests of the data and of the models"
    command = "qbwatch test" + "".join(f" --select {quote(name)}" for name in names)
    effect = f"{what}; rows that break a rule are kept to be looked at."
    return Action("Test the data", (effect,), command, (("test", {"select": list(names)}),))


def reload() -> Action:
    """Take over a changed configuration."""
    effect = "The daemon reads its configuration anew. What is wrong changes nothing; what needs a restart is named."
    return Action("Reload the configuration", (effect,), "qbwatch reload", (("reload", {}),))


def edit_settings(file: Path | None) -> Action:
    """Change the settings in a person's editor."""
    if file is None:
        nothing = ("There is no configuration file: all comes from the environment, and needs a restart.",)
        return Action("Edit the settings", nothing, "qbwatch init", ())
    effect = (
        "Opens it in your editor (EDITOR); what was changed is then taken over by a reload, which asks first.",
        "These count at once, all others from the next start on:",
        f"  {', '.join(live_settings())}",
    )
    return Action(f"Edit {file}", effect, f"${{EDITOR:-vi}} {quote(str(file))} && qbwatch reload", ())


def acknowledge(incident: Json) -> Action:
    """A person knows of an incident."""
    effect = "No more reminders of it. Its recovery is still told."
    call = ("ack", {"incident": incident["id"]})
    return Action("Acknowledge", (incident["summary"], effect), f"qbwatch alerts ack {incident['id']}", (call,))


def try_alerts() -> Action:
    """A message through every service."""
    effect = "A test message goes out through every configured service, one by one."
    return Action("Test the alerts", (effect,), "qbwatch alerts test", (("alerts-test", {}),))


def take_out(request: Json) -> Action:
    """Have a request not done."""
    effect = f"{request['request']} {request['detail']}, asked for by {request['by']}, will not be done."
    return Action("Take out of the queue", (effect, "Whoever waits for it is told."), "(only here)",
                  (("take-out", {"request": request["id"]}),))  # fmt: skip


def move(request: Json, places: int) -> Action:
    """Have a request done later, or earlier."""
    return Action("Move", (), "(only here)", (("move", {"request": request["id"], "places": places}),))


def _about(title: str, method: str, parts: Sequence[Json], effect: str) -> Action:
    names = list(dict.fromkeys(part["path"] for part in parts))
    shown = [f"  {name}" for name in names[:_NAMED]]
    more = [f"  and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    files = " ".join(quote(name) for name in names)
    return Action(
        title, (effect, *shown, *more), f"qbwatch {method} {files}", ((method, {"items": [p["id"] for p in parts]}),)
    )
