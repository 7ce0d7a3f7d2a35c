"""All keys, by screen."""

from __future__ import annotations

from qbwatch.tui.lines import Line, line, title

_KEYS = {
    "Everywhere": {
        "1 … 7": "Overview, Files, Runs, dbt, Control, Incidents, Log",
        "/": "filter the list by words; Escape ends it",
        "arrows, j k": "move; PageUp, PageDown, Home, End too; the mouse does as well",
        "Enter": "open the row: all that is known of it",
        "Space": "mark the row; what is done is done to all marked ones",
        "p u X g": "pause, resume, stop the run, run now",
        "Ctrl-P": "the command palette; themes, dark and light, are in it",
        "?  q": "this help; quit",
    },
    "Files": {
        "r a x v": "retry, accept, skip, revert",
        "l": "load now",
        "s o O": "which states; order by; the other way round",
        "dataset:…": "in the filter: only this dataset",
    },
    "Runs": {"n": "ask for a run", "x": "take a request out of the queue", "K J": "a request earlier, later",
             "Tab": "the other list"},
    "dbt": {"b B": "build the model, all", "t T": "test it, run all tests", "Enter": "message, rows that break a rule"},
    "Incidents": {"a": "acknowledge: no more reminders", "T": "send a test through every alert service"},
    "Log": {"f": "follow the end", "c": "copy the line to the terminal's clipboard"},
}  # fmt: skip

HELP: list[Line] = [
    entry
    for section, keys in _KEYS.items()
    for entry in (title(section), *(line(f"  {key:<12} {what}") for key, what in keys.items()), ())
]
