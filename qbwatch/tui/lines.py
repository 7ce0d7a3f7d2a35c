"""Lines to be shown: bits of text, each with a tone. Pure; the one place where they get colours is `as_text`."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from rich.text import Text

from qbwatch.tui.plain import plain


class Tone(StrEnum):
    """How a bit is meant. A colour never says it alone: the words do."""

    USUAL = ""
    TITLE = "title"
    DIM = "dim"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


_STYLES = {
    Tone.USUAL: "",
    Tone.TITLE: "bold",
    Tone.DIM: "dim",
    Tone.GOOD: "#2e9e4f",  # these three read well on dark and on light, and have a near one among 16 colours
    Tone.WARN: "#c07f00",
    Tone.BAD: "bold #d64545",
}

Bit = tuple[object, Tone]
Line = tuple[Bit, ...]


def line(*bits: object) -> Line:
    """A line of texts, and of (text, tone) where the tone isn't the usual one."""
    return tuple(bit if isinstance(bit, tuple) else (bit, Tone.USUAL) for bit in bits)


def title(text: object) -> Line:
    """A heading."""
    return ((text, Tone.TITLE),)


def style_of(tone: Tone) -> str:
    """Rich's words for a tone."""
    return _STYLES[tone]


def as_text(lines: Iterable[Line]) -> Text:
    """The lines as one text, in which every sign stands for itself."""
    text = Text(no_wrap=False, end="")
    for number, bits in enumerate(lines):
        if number:
            text.append("\n")
        for said, tone in bits:
            text.append(plain(said), style=_STYLES[tone])
    return text


def words(lines: Iterable[Line]) -> str:
    """The lines without tones."""
    return "\n".join("".join(plain(said) for said, _ in bits) for bits in lines)


STATE_TONES = {
    "loaded": Tone.GOOD,
    "success": Tone.GOOD,
    "pass": Tone.GOOD,
    "fresh": Tone.GOOD,
    "ok": Tone.GOOD,
    "warn": Tone.WARN,
    "warning": Tone.WARN,
    "retrying": Tone.WARN,
    "paused": Tone.WARN,
    "acknowledged": Tone.WARN,
    "partial_failure": Tone.WARN,
    "cancelled": Tone.WARN,
    "skipped": Tone.DIM,
    "recovered": Tone.DIM,
    "quarantined": Tone.BAD,
    "error": Tone.BAD,
    "fail": Tone.BAD,
    "runtime error": Tone.BAD,
    "stale": Tone.BAD,
    "never": Tone.WARN,
    "open": Tone.BAD,
    "down": Tone.BAD,
}
"""The tone of a word of the ledger; any other has the usual one."""


def toned(word: str) -> Bit:
    """A word of the ledger in its tone."""
    return word, STATE_TONES.get(word, Tone.USUAL)
