"""What does systemd have to be told? The units for one configuration, made of those that are shipped.

Lines of the template are kept with the comments above them, so what is printed explains itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from qbwatch.core.unit_paths import as_path, as_word, homes_for, mounts_for, own_folders, private_tmp

_HOOKS = ("ReadWritePaths", "LoadCredential", "BindReadOnlyPaths")  # the template has them as comments, to be filled in
_MORE = ("Wants", "After")  # likewise, beside lines of the same name that stay

# What a user's own systemd can't do without further rights, or has no use for.
_SYSTEM_ONLY = frozenset(
    {
        "After", "Wants", "User", "Group", "StateDirectory", "StateDirectoryMode", "RuntimeDirectory",
        "RuntimeDirectoryMode", "ConfigurationDirectory", "ConfigurationDirectoryMode", "ProtectSystem", "ProtectHome",
        "PrivateTmp", "PrivateDevices", "CapabilityBoundingSet", "AmbientCapabilities", "ProtectKernelTunables",
        "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups", "ProtectClock", "ProtectHostname",
        "KeyringMode", "ReadWritePaths", "RemoveIPC", "BindReadOnlyPaths", "PrivateMounts", "DevicePolicy",
        "PrivateUsers", "ProtectProc", "ProcSubset", "IPAddressDeny", "IPAddressAllow", "LogRateLimitIntervalSec",
        "LogRateLimitBurst", "+Wants", "+After",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What the units depend on. ``program`` are the words that call qbwatch, ``config`` its file where that has to be
    named; ``runs`` every path that any command of it must be able to read, ``read`` what the daemon reads besides,
    ``status_page`` the folder into which it writes one; ``credentials`` files by their credential's name.
    """

    program: Sequence[str]
    account: str
    state: PurePosixPath
    socket: PurePosixPath
    read: Sequence[PurePosixPath]
    runs: Sequence[PurePosixPath] = ()
    status_page: PurePosixPath | None = None
    credentials: Mapping[str, PurePosixPath] = field(default_factory=dict)
    is_user: bool = False
    config: PurePosixPath | None = None


def unit_for(template: str, facts: UnitFacts) -> str:
    """The daemon's unit as text."""
    settings = {
        "ExecStart": [_command(facts, "run")],
        "ExecStartPre": ["-" + _command(facts, "doctor", "--quick")],
        "ExecReload": [_command(facts, "reload")],
        **_account_and_secrets(facts),
    }
    dropped: set[str] = set()
    if facts.is_user:
        settings["WantedBy"] = ["default.target"]  # multi-user.target is no target of a user's own systemd
    else:
        settings |= _sandbox(facts)
        dropped = {name for name in ("StateDirectory", "RuntimeDirectory") if name not in settings}
        dropped |= {f"{name}Mode" for name in dropped}
    return _filled(template, settings, dropped, facts, _head(facts))


def alert_unit_for(template: str, facts: UnitFacts) -> str:
    """The unit that tells when the daemon's has failed for good."""
    settings = {"ExecStart": [_command(facts, "alerts", "crashed")], **_account_and_secrets(facts)}
    if not facts.is_user:
        seen = [*facts.runs, facts.state]
        settings |= homes_for(seen) | private_tmp(seen)
    return _filled(template, settings, set(), facts, _alert_head(facts))


def _account_and_secrets(facts: UnitFacts) -> dict[str, list[str]]:
    settings = {} if facts.is_user else {"User": [facts.account], "Group": [facts.account]}
    if facts.credentials:
        settings["LoadCredential"] = [f"{name}:{as_path(file)}" for name, file in sorted(facts.credentials.items())]
    return settings


def _sandbox(facts: UnitFacts) -> dict[str, list[str]]:
    """Folders of its own where the configuration has them in systemd's places, else paths that must be opened."""
    page = [facts.status_page] if facts.status_page else []
    settings, writable = own_folders(facts.state, facts.socket.parent, page)
    seen = [*facts.runs, *facts.read, *writable]
    settings |= homes_for(seen) | private_tmp(seen)
    if mounts := mounts_for(facts.read):
        settings |= {"+Wants": [mounts], "+After": [mounts]}
    return settings


def _filled(
    template: str, settings: dict[str, list[str]], dropped: set[str], facts: UnitFacts, head: Sequence[str]
) -> str:
    dropped = dropped | _SYSTEM_ONLY if facts.is_user else dropped
    body = [line for group in _groups(template.splitlines()) for line in _written(group, settings, dropped)]
    if facts.is_user:
        body = [_for_a_user(line) for line in body]
    return "\n".join([*head, "", *_without_double_blanks(body)]) + "\n"


def _for_a_user(line: str) -> str:
    """What a template says of root's secrets, of a user's own."""
    if "credentials" not in line and "only root" not in line:
        return line
    return line.replace("/etc/qbwatch", "%h/.config/qbwatch").replace("only root can", "only you can")


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


def _head(facts: UnitFacts) -> list[str]:
    if facts.is_user:
        return [
            "# qbwatch as a service of one user, for this configuration. Install it as that user:",
            "#   mkdir -p ~/.config/systemd/user",
            "#   qbwatch systemd-unit --user > ~/.config/systemd/user/qbwatch.service",
            "#   systemctl --user daemon-reload && systemctl --user enable --now qbwatch",
            "# and let it run while nobody is logged in: loginctl enable-linger",
            "# The unit that its OnFailure= names is printed by: qbwatch systemd-unit --user --alert",
        ]
    return [
        "# qbwatch as a system service, for this configuration. Install it as root:",
        "#   qbwatch systemd-unit > /etc/systemd/system/qbwatch.service",
        "#   qbwatch systemd-unit --alert > /etc/systemd/system/qbwatch-alert@.service",
        "#   systemctl daemon-reload && systemctl enable --now qbwatch",
        "# What you add yourself belongs into a drop-in (systemctl edit qbwatch). Works with systemd 252 and later.",
    ]


def _alert_head(facts: UnitFacts) -> list[str]:
    user, folder = (" --user", "~/.config/systemd/user") if facts.is_user else ("", "/etc/systemd/system")
    return [
        "# Tells somebody that qbwatch stays down: started by OnFailure= of qbwatch.service. Install it beside that:",
        f"#   qbwatch systemd-unit{user} --alert > {folder}/qbwatch-alert@.service",
        f"#   systemctl{user} daemon-reload",
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
            lines += [f"{key.lstrip('+')}={value}" for value in settings[key]]
        else:
            lines.append(line)
    return lines


def _key(line: str) -> str:
    """The setting of a line, also of one that is only shown as a comment, to be filled in; with a ``+`` where that
    comes in addition to others of its name."""
    name, equals, _ = line.lstrip("#").partition("=")
    if not equals or not name.isalnum():
        return ""
    if line[:1] != "#":
        return name
    return f"+{name}" if name in _MORE else name if name in _HOOKS else ""


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
    return " ".join(as_word(word) for word in [*facts.program, *words, *config])
