"""What is told when the daemon is down and stays down: the one message that it can't send itself.

The words for how it ended are systemd's (systemd.exec(5), "Environment Variables Set or Propagated by the Service
Manager"): the unit that tells is started with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from qbwatch.core.message import Message, one_line

_CONFIGURATION = "2"  # the exit code after which the daemon isn't started again
_MEANWHILE = (
    "Meanwhile: nothing is loaded, and nothing is lost. The tables stay as they are; new files wait in the input "
    "folder, and are taken once it runs."
)
_HOW = {
    "watchdog": "it hung again and again, and was ended",
    "oom-kill": "the kernel was short of memory and ended it again and again",
    "timeout": "it did not become ready, or did not stop, in time",
    "start-limit-hit": "it was started too often within an hour",
    "resources": "systemd could not set its folders or limits up",
    "protocol": "it ended without a word to systemd",
}


@dataclass(frozen=True, slots=True)
class Crash:
    """How the daemon ended. ``unit`` and ``host`` name it; ``mistakes`` are those of a configuration that is wrong."""

    unit: str
    host: str
    result: str = ""
    status: str = ""
    mistakes: Sequence[str] = ()

    @property
    def is_configuration(self) -> bool:
        """Whether it waits for a corrected configuration, and never even began."""
        return self.result == "exit-code" and self.status == _CONFIGURATION


def crash_of(environ: Mapping[str, str], unit: str, host: str, mistakes: Sequence[str] = ()) -> Crash:
    """The crash as systemd tells it to a unit that ``OnFailure=`` starts; from 251 on, before that it says less."""
    result, status = environ.get("MONITOR_SERVICE_RESULT", ""), environ.get("MONITOR_EXIT_STATUS", "")
    return Crash(environ.get("MONITOR_UNIT") or unit, host, result, status, mistakes)


def about_crash(crash: Crash, now: datetime, known: tuple[datetime, str | None] | None) -> Message:
    """The message. ``known``: the moment of the last known status, and that of the last success in it."""
    how = _how(crash)
    unit = crash.unit.removesuffix(".service")
    lines = [f"{unit} on {crash.host} is down, and stays down until a person starts it: {how}.", *crash.mistakes, ""]
    if crash.is_configuration:
        lines += ["What to do: correct the configuration, then:", f"- `systemctl restart {unit}`"]
    else:
        lines += [
            "What to do: see why, mend it, then start it again:",
            f"- `journalctl -u {unit} -n 100`",
            "- `qbwatch doctor`",
            f"- `systemctl reset-failed {unit}; systemctl start {unit}`",
        ]
    lines += ["", _MEANWHILE]
    lines += ["", f"Told at: {now:%Y-%m-%d %H:%M} UTC"]
    if known is not None:
        at, success = known
        lines.append(f"Last heard of: {at:%Y-%m-%d %H:%M %Z}; last success: {success or 'none yet'}")
    return Message(one_line(f"qbwatch: {unit} on {crash.host} is down and stays down: {how}"), "\n".join(lines))


def _how(crash: Crash) -> str:
    if crash.is_configuration:
        return "its configuration is wrong"
    if crash.result in _HOW:
        return _HOW[crash.result]
    if crash.result in ("signal", "core-dump"):
        return f"it was ended by signal {crash.status} again and again"
    return f"it ended with exit code {crash.status} again and again" if crash.status else "it failed again and again"
