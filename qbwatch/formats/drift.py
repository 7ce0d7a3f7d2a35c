"""Was this column renamed? A guess for a person to confirm, never acted upon."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

_SAME_WORDS = {"num": "number", "no": "number", "nr": "number", "qty": "quantity", "amt": "amount"}
_LIKELY = 0.75


def likely_renames(lost: Iterable[str], new: Iterable[str]) -> dict[str, str]:
    """Lost columns with the new one that each most likely is now; each new column is guessed at once, the best first.

    Names are in snake_case. Likely are names spelled nearly alike, and a name that contains the other word by word
    (``memo`` and ``memo_description``).
    """
    candidates = list(new)
    pairs = [(likeness(old, name), old, name) for old in lost for name in candidates if name]
    found: dict[str, str] = {}
    for score, old, name in sorted(pairs, key=lambda pair: -pair[0]):
        if score >= _LIKELY and old not in found and name not in found.values():
            found[old] = name
    return found


def likeness(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1."""
    ours, theirs = _words(one), _words(other)
    spelled = SequenceMatcher(None, " ".join(ours), " ".join(theirs)).ratio()
    fewer, more = sorted((set(ours), set(theirs)), key=len)
    return max(spelled, 0.8) if fewer and fewer <= more and len(more) <= 2 * len(fewer) else spelled


def _words(name: str) -> list[str]:
    return [_SAME_WORDS.get(word, word) for word in name.split("_") if word]
