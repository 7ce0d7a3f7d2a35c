"""What may a unit see and write? Paths of a configuration as settings of systemd, and how systemd spells them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

_HOMES = (PurePosixPath("/home"), PurePosixPath("/run/user"))  # each has a home per user in it
_ROOTS_HOME = PurePosixPath("/root")
_TEMPORARY = ("/tmp", "/var/tmp")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.")


def own_folders(
    state: PurePosixPath, runtime: PurePosixPath, others: Sequence[PurePosixPath]
) -> tuple[dict[str, list[str]], list[PurePosixPath]]:
    """State and runtime folder as systemd's own where they lie in its places; and what must be opened for writing.

    ``others`` may be missing at a start (``-``): what is written there is no reason to stay down.
    """
    settings: dict[str, list[str]] = {}
    writable: list[PurePosixPath] = []
    for name, base, folder in (("StateDirectory", "/var/lib", state), ("RuntimeDirectory", "/run", runtime)):
        if folder.is_relative_to(base) and folder != PurePosixPath(base):
            settings[name] = [as_path(folder.relative_to(base))]
        elif not any(folder.is_relative_to(other) for other in writable):
            writable.append(folder)
    optional = [folder for folder in others if not folder.is_relative_to(state)]
    words = [as_path(folder) for folder in writable] + [as_path(PurePosixPath(f"-{folder}")) for folder in optional]
    if words:
        settings["ReadWritePaths"] = [" ".join(dict.fromkeys(words))]
    return settings, [*writable, *optional]


def homes_for(seen: Iterable[PurePosixPath]) -> dict[str, list[str]]:
    """The homes that hold something of ``seen`` are shown, read-only; all others don't exist for the service."""
    homes = {home for path in seen if (home := _home_of(path)) is not None}
    if not homes:
        return {"ProtectHome": ["yes"]}
    if any(home in _HOMES for home in homes):
        return {"ProtectHome": ["read-only"]}  # something lies in /home itself, so that none can be hidden
    return {"ProtectHome": ["tmpfs"], "BindReadOnlyPaths": [" ".join(as_path(home) for home in sorted(homes))]}


def private_tmp(seen: Iterable[PurePosixPath]) -> dict[str, list[str]]:
    """A /tmp of its own, unless something of ``seen`` lies in the one of all."""
    is_needed = any(path.is_relative_to(folder) for path in seen for folder in _TEMPORARY)
    return {"PrivateTmp": ["no" if is_needed else "yes"]}


def mounts_for(paths: Iterable[PurePosixPath]) -> str:
    """The mount units that may hold the paths, as words: one for each folder on the way. systemd passes over those that
    don't exist."""
    folders = dict.fromkeys(folder for path in paths for folder in reversed([path, *path.parents]) if folder.name)
    return " ".join(f"{_escaped(folder)}.mount" for folder in folders)


def as_path(path: PurePosixPath) -> str:
    """A path as systemd reads it: ``%`` begins a specifier, a blank ends a path."""
    text = str(path).replace("\\", "\\\\").replace("%", "%%")
    return '"' + text.replace('"', '\\"') + '"' if any(sign in text for sign in " \t\"'") else text


def as_word(word: str) -> str:
    """A word of a command line, in which ``$`` would begin a variable too."""
    return as_path(PurePosixPath(word)).replace("$", "$$") if word.startswith("/") else word


def _home_of(path: PurePosixPath) -> PurePosixPath | None:
    if path.is_relative_to(_ROOTS_HOME):
        return _ROOTS_HOME
    for homes in _HOMES:
        if path.is_relative_to(homes):
            return homes.joinpath(*path.relative_to(homes).parts[:1])
    return None


def _escaped(path: PurePosixPath) -> str:
    """As ``systemd-escape --path`` does it: the name of a mount's unit."""
    text = "-".join("".join(_sign(sign) for sign in part) for part in path.parts[1:])
    return "\\x2e" + text[1:] if text.startswith(".") else text


def _sign(sign: str) -> str:
    if sign in _PLAIN:
        return sign
    return "".join(f"\\x{byte:02x}" for byte in sign.encode("utf-8", "surrogateescape"))
