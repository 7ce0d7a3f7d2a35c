"""What does systemd have to be told? The unit for one configuration, made of the one that is shipped.

Lines of the template are kept with the comments above them, so what is printed explains itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

_HOMES = ("/home", "/root", "/run/user")
_TEMPORARY = ("/tmp", "/var/tmp")
_HOOKS = ("ReadWritePaths", "LoadCredential", "OnFailure")  # the template has them as comments, to be filled in

# What a user's own systemd can't do without further rights, or has no use for.
_SYSTEM_ONLY = frozenset(
    {
        "After", "Wants", "User", "Group", "StateDirectory", "StateDirectoryMode", "RuntimeDirectory",
        "RuntimeDirectoryMode", "ConfigurationDirectory", "ConfigurationDirectoryMode", "ProtectSystem", "ProtectHome",
        "PrivateTmp", "PrivateDevices", "CapabilityBoundingSet", "AmbientCapabilities", "ProtectKernelTunables",
        "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups", "ProtectClock", "ProtectHostname",
        "KeyringMode", "ReadWritePaths", "RemoveIPC",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What the unit depends on. ``program`` are the words that call qbwatch, ``config`` its file where that has to be
    named; ``read`` every path that it must be
    able to read, ``status_page`` the folder into which it writes one; ``credentials`` files by their credential's name.
    """

    program: Sequence[str]
    account: str
    state: PurePosixPath
    socket: PurePosixPath
    read: Sequence[PurePosixPath]
    status_page: PurePosixPath | None = None
    credentials: Mapping[str, PurePosixPath] = field(default_factory=dict)
    is_user: bool = False
    config: PurePosixPath | None = None


def unit_for(template: str, facts: UnitFacts) -> str:
    """The unit as text."""
    settings = {
        "ExecStart": [_command(facts, "run")],
        "ExecStartPre": ["-" + _command(facts, "doctor", "--quick")],
        "ExecReload": [_command(facts, "reload")],
    }
    dropped: set[str] = set()
    if facts.is_user:
        dropped |= _SYSTEM_ONLY
        settings["WantedBy"] = ["default.target"]  # multi-user.target is no target of a user's own systemd
    else:
        settings |= {"User": [facts.account], "Group": [facts.account]}
        settings |= _sandbox(facts)
        dropped |= {name for name in ("StateDirectory", "RuntimeDirectory") if name not in settings}
        dropped |= {f"{name}Mode" for name in dropped}
    if facts.credentials:
        settings["LoadCredential"] = [f"{name}:{_path(file)}" for name, file in sorted(facts.credentials.items())]
    body = [line for group in _groups(template.splitlines()) for line in _written(group, settings, dropped)]
    return "\n".join([*_head(facts), "", *_without_double_blanks(body)]) + "\n"


def settings_of(text: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Every setting of a unit's text: ``(section, key)`` and its values, in order; comments are left out."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    section = ""
    for line in text.replace("\\\n", " ").splitlines():
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            section = stripped[1:-1]
        elif "=" in stripped and not stripped.startswith(("#", ";")):
            key, _, value = stripped.partition("=")
            place = (section, key.strip())
            found[place] = (*found.get(place, ()), value.strip()) if value.strip() else ()
    return found


def differences(wanted: str, installed: str) -> list[str]:
    """In words: each setting in which an installed unit differs from the one that this configuration wants."""
    ours, theirs = settings_of(wanted), settings_of(installed)
    said = []
    for section, key in dict.fromkeys([*ours, *theirs]):
        want, have = ours.get((section, key), ()), theirs.get((section, key), ())
        if want != have:
            said.append(f"{key}={' '.join(have) or '(none)'}, not {' '.join(want) or '(none)'}")
    return said


def _sandbox(facts: UnitFacts) -> dict[str, list[str]]:
    """Folders of its own where the configuration has them in systemd's places, else paths that must be opened."""
    settings: dict[str, list[str]] = {}
    writable: list[PurePosixPath] = []
    for name, base, folder in (
        ("StateDirectory", "/var/lib", facts.state),
        ("RuntimeDirectory", "/run", facts.socket.parent),
    ):
        if folder.is_relative_to(base) and folder != PurePosixPath(base):
            settings[name] = [_path(folder.relative_to(base))]
        elif not any(folder.is_relative_to(other) for other in writable):
            writable.append(folder)
    if facts.status_page and not facts.status_page.is_relative_to(facts.state):
        writable.append(facts.status_page)
    if writable:
        settings["ReadWritePaths"] = [" ".join(_path(folder) for folder in dict.fromkeys(writable))]
    seen = [*facts.read, *writable]
    settings["ProtectHome"] = ["read-only" if _any_below(seen, _HOMES) else "yes"]
    settings["PrivateTmp"] = ["no" if _any_below(seen, _TEMPORARY) else "yes"]
    return settings


def _any_below(paths: Iterable[PurePosixPath], folders: Sequence[str]) -> bool:
    return any(path.is_relative_to(folder) for path in paths for folder in folders)


def _head(facts: UnitFacts) -> list[str]:
    if facts.is_user:
        return [
            "# qbwatch as a service of one user, for this configuration. Install it as that user:",
            "#   mkdir -p ~/.config/systemd/user",
            "#   qbwatch systemd-unit --user > ~/.config/systemd/user/qbwatch.service",
            "#   systemctl --user daemon-reload && systemctl --user enable --now qbwatch",
            "# and let it run while nobody is logged in: loginctl enable-linger",
        ]
    return [
        "# qbwatch as a system service, for this configuration. Install it as root:",
        "#   qbwatch systemd-unit > /etc/systemd/system/qbwatch.service",
        "#   systemctl daemon-reload && systemctl enable --now qbwatch",
        "# What you add yourself belongs into a drop-in (systemctl edit qbwatch). Works with systemd 252 and later.",
    ]


def _groups(lines: list[str]) -> list[list[str]]:
    """Runs of lines that belong together: comments, then the settings that they explain. The template's head, which
    speaks of the template, is left out."""
    groups: list[list[str]] = []
    body = lines[next(place for place, line in enumerate(lines) if line.startswith("[")) :]
    for line in body:
        is_new = not groups or not line or line.startswith("[") or groups[-1][-1].startswith("[") or not groups[-1][-1]
        if is_new or (_is_comment(line) and not _is_comment(groups[-1][-1])):
            groups.append([line])
        else:
            groups[-1].append(line)
    return groups


def _written(group: list[str], settings: dict[str, list[str]], dropped: set[str]) -> list[str]:
    keys = [_key(line) for line in group]
    named = [key for key in keys if key]
    if named and all(key in dropped for key in named):
        return []
    lines: list[str] = []
    told: set[str] = set()
    for line, key in zip(group, keys, strict=True):
        if key in dropped or key in told:
            continue
        if key in settings:
            told.add(key)
            lines += [f"{key}={value}" for value in settings[key]]
        else:
            lines.append(line)
    return lines


def _key(line: str) -> str:
    """The setting of a line, also of one that is only shown as a comment, to be filled in."""
    name, equals, _ = line.lstrip("#").partition("=")
    return name if equals and name.isalnum() and (line[:1] != "#" or name in _HOOKS) else ""


def _is_comment(line: str) -> bool:
    return line.startswith("#") and not _key(line)


def _without_double_blanks(lines: list[str]) -> list[str]:
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return kept


def _command(facts: UnitFacts, *words: str) -> str:
    config = ["--config", str(facts.config)] if facts.config else []
    return " ".join(_word(word) for word in [*facts.program, *words, *config])


def _path(path: PurePosixPath) -> str:
    """A path as systemd reads it: ``%`` begins a specifier, a blank ends a path."""
    text = str(path).replace("\\", "\\\\").replace("%", "%%")
    return '"' + text.replace('"', '\\"') + '"' if any(sign in text for sign in " \t\"'") else text


def _word(word: str) -> str:
    """A word of a command line, in which ``$`` would begin a variable too."""
    return _path(PurePosixPath(word)).replace("$", "$$") if word.startswith("/") else word
