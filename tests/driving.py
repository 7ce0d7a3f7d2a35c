"""Driving the terminal interface in a test: keys go in, and what stands on the screen comes out as text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from installation import Installation
from textual.pilot import Pilot

from qbwatch.config import load
from qbwatch.tui.app import QbwatchApp
from qbwatch.tui.desk import Desk
from qbwatch.tui.row_list import RowList


@dataclass
class Driver:
    """A person at the interface."""

    app: QbwatchApp
    pilot: Pilot[None]

    async def keys(self, *keys: str) -> None:
        """Press keys, one after the other."""
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Press the keys of a text."""
        await self.pilot.press(*("space" if sign == " " else sign for sign in text))

    async def until(self, true: Callable[[], object], what: str, timeout: float = 30) -> None:
        """Let the interface work until something is so."""
        deadline = time.monotonic() + timeout
        while not true():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {timeout:g} s in vain for {what}; the screen:\n{self.text}")
            await self.pilot.pause(0.02)

    async def sees(self, *texts: str, timeout: float = 30) -> None:
        """Wait until all of this stands on the screen."""
        await self.until(lambda: all(text in self.text for text in texts), repr(texts), timeout)

    @property
    def text(self) -> str:
        """The screen, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    def list(self, name: str) -> RowList:
        """A list of the screens."""
        return self.app.screen_stack[0].query_one(f"#{name}", RowList)


Story = Callable[[Driver], Awaitable[None]]


def app_of(installation: Installation, *, read_only: bool = False) -> QbwatchApp:
    """The interface of an installation."""
    config = load(installation.config)
    return QbwatchApp(Desk(config), config.quickbooks.timezone, read_only=read_only)


def drive(app: QbwatchApp, story: Story, size: tuple[int, int] = (100, 30)) -> None:
    """Run the interface on a terminal of this size while the story is told."""

    async def told() -> None:
        async with app.run_test(size=size) as pilot:
            await story(Driver(app, pilot))

    asyncio.run(told())
