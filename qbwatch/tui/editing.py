"""Settings that may change at run time: their file in a person's editor, then the reload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from qbwatch.core.model import QbwatchError
from qbwatch.edges.editor import edit
from qbwatch.tui import actions, dialogs

if TYPE_CHECKING:
    from qbwatch.tui.asking import AskingApp


def edit_settings(app: AskingApp) -> None:
    """Lend the terminal to the editor; what was changed is taken over by a reload, which asks first."""
    file = app.answers.config_file
    action = actions.edit_settings(file)
    if file is None:
        app.say(action.effect[0])
        return
    if app.read_only:
        app.say(f"read only; the same at a shell: {action.command}")
        return
    try:
        with app.suspend():
            is_changed = edit(file)
    except SuspendNotSupported:
        app.say(f"this terminal can't be lent to an editor; at a shell: {action.command}")
    except QbwatchError as error:
        app.push_screen(dialogs.answer(f"{action.title}: not done", [error.message, error.hint]))
    else:
        if is_changed:
            app.begin(actions.reload())
        else:
            app.say(f"{action.title}: nothing was changed")
