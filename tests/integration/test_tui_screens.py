"""Every screen of the terminal interface in every condition: what stands where, and nothing outside.

The screens are kept as text in tests/data/tui; QBWATCH_APPROVE=1 writes them anew, to be looked at before a commit.
"""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from canned import CONDITIONS, HOSTILE, Canned
from driving import Driver, drive
from textual.widget import Widget
from textual.widgets import Button

from qbwatch.tui.app import QbwatchApp, Tab
from qbwatch.tui.dialogs import TooSmall
from qbwatch.tui.plain import plain

APPROVED = Path(__file__).parents[1] / "data" / "tui"
SCREENS = ("overview", "files", "runs", "dbt", "control", "incidents", "log")
ZONE = ZoneInfo("America/New_York")
SIZES = [(80, 24), (60, 15), (200, 60)]


def app_in(condition: str) -> QbwatchApp:
    """The interface of an installation in this condition."""
    return QbwatchApp(Canned(condition), ZONE)


async def arrive(person: Driver, screen: str) -> None:
    """Go to a screen, and wait until what it asked for is there."""
    await person.until(lambda: person.app.seen, "the status")
    await person.keys(str(SCREENS.index(screen) + 1))
    pane = person.app.pane
    assert pane.id == screen
    await person.until(lambda: not pane._is_asking, "the answer")
    await person.pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("condition", CONDITIONS)
def test_each_screen_looks_as_it_was_approved(condition: str, size: tuple[int, int]) -> None:
    seen: list[str] = []

    async def story(person: Driver) -> None:
        for screen in SCREENS:
            await arrive(person, screen)
            text = "\n".join(text for text in person.text.splitlines() if "only the daemon can tell" not in text)
            seen.append(f"--- {screen}\n{text}")

    drive(app_in(condition), story, size)
    text = "\n".join(seen) + "\n"
    approved = APPROVED / f"{condition}_{size[0]}x{size[1]}.txt"
    if os.environ.get("QBWATCH_APPROVE"):
        approved.parent.mkdir(parents=True, exist_ok=True)
        approved.write_text(text, "utf-8")
    assert text == approved.read_text("utf-8")
    assert not [sign for sign in text if ord(sign) < 32 and sign != "\n"]
    assert "\u202e" not in text


def lie_inside(person: Driver) -> None:
    """All that can be pressed or typed into lies within the screen, and has a size."""
    screen = person.app.screen
    shown = [
        widget
        for widget in screen.query(Widget)
        if all(each.display for each in widget.ancestors_with_self if isinstance(each, Widget))
    ]
    for widget in shown:
        if widget.focusable or isinstance(widget, Button | Tab):
            assert screen.region.contains_region(widget.region), (widget, widget.region, screen.region)
            assert widget.region.area > 0, widget


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_everything_that_can_be_pressed_lies_inside_the_screen(size: tuple[int, int]) -> None:
    async def story(person: Driver) -> None:
        for screen in SCREENS:
            await arrive(person, screen)
            lie_inside(person)
        await arrive(person, "runs")
        await person.keys("n")
        await person.sees("What is to be done next?")
        lie_inside(person)
        await person.keys("escape")
        await arrive(person, "files")
        await person.keys("s", "end", "r")
        for _ in HOSTILE:
            await person.keys("space")
        await person.keys("home", "down", "down", "down", "down", "x")
        await person.sees("Yes, do it")
        lie_inside(person)
        await person.keys("y")
        await person.sees("Close")
        lie_inside(person)
        assert "[/line 0] it can't be done" in person.text
        await person.keys("pagedown", "pagedown")
        await person.keys("c")
        await person.until(lambda: len(person.app.screen_stack) == 1, "the answer to be closed")

    drive(app_in("running"), story, size)


def test_a_dialog_that_is_open_follows_the_size_of_the_terminal() -> None:
    async def story(person: Driver) -> None:
        await arrive(person, "control")
        await person.keys("X")
        for width, height in ((60, 15), (200, 60), (40, 10), (80, 24)):
            await person.pilot.resize_terminal(width, height)
            await person.pilot.pause()
            if height < 15:
                await person.sees("This terminal is 40×10", "needs 60×15")
                assert isinstance(person.app.screen, TooSmall)
            else:
                await person.sees("Yes, do it")
                lie_inside(person)
        await person.keys("n")
        assert person.app.is_running

    drive(app_in("running"), story)


def test_hostile_names_are_shown_as_they_are_and_do_nothing() -> None:
    async def story(person: Driver) -> None:
        await arrive(person, "files")
        for name in HOSTILE[:-1]:
            await person.sees(plain(name))
        await person.keys("home")
        for name in HOSTILE:
            await person.keys("enter")
            await person.sees(plain(name).split()[0], "read as [utf-8]")
            await person.pilot.click("#text", offset=(3, 0))
            await person.keys("escape", "down")
        await arrive(person, "incidents")
        await person.keys("enter")
        await person.sees("Incident 3f2a91b0")
        await person.keys("escape")
        await arrive(person, "dbt")
        await person.keys("down", "enter")
        await person.sees("[red]fct")
        await person.keys("escape")
        assert person.app.is_running

    drive(app_in("healthy"), story, (160, 40))


def test_the_cursor_stays_on_its_row_when_rows_come_and_go() -> None:
    canned = Canned("healthy")

    async def story(person: Driver) -> None:
        await arrive(person, "incidents")
        listed = person.list("incidents-list")
        await person.keys("down", "down", "down", "space")
        assert listed.row is not None
        assert list(listed.marked) == ["3f2a91b3"]
        key = listed.row.key
        kept = canned._alerts({})
        fresh = {**kept, "incidents": [kept["incidents"][0] | {"id": "new"}, *kept["incidents"][3:]]}
        canned._alerts = lambda _: fresh  # type: ignore[method-assign]
        person.app.pane.ask()
        await person.until(lambda: listed.rows[0].key == "new", "the rows to change")
        assert listed.row is not None
        assert listed.row.key == key
        assert list(listed.marked) == ["3f2a91b3"]

    drive(QbwatchApp(canned, ZONE), story)


def test_without_colours_the_cursor_and_every_state_can_still_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def story(person: Driver) -> None:
        await arrive(person, "files")
        await person.keys("down", "space")
        lines = person.text.splitlines()
        assert sum(text.lstrip().startswith(">") for text in lines) == 1
        assert sum(text.lstrip().startswith("*") for text in lines) == 1
        assert all(state in person.text for state in ("loaded", "pending", "quarantined", "retrying"))

    drive(app_in("broken"), story)


@pytest.mark.parametrize("light", [False, True])
def test_the_palette_and_the_help_open_on_dark_and_on_light(light: bool) -> None:
    async def story(person: Driver) -> None:
        await person.until(lambda: person.app.seen, "the status")
        await person.keys("question_mark")
        await person.sees("Everywhere", "Ctrl-P")
        await person.keys("escape", "ctrl+p")
        await person.type("go to inc")
        await person.sees("Go to Incidents")
        await person.keys("enter")
        await person.until(lambda: person.app.pane.id == "incidents", "the screen")
        await person.keys("q")
        assert person.app.theme == ("textual-light" if light else "textual-dark")

    drive(QbwatchApp(Canned("healthy"), ZONE, light=light), story)
