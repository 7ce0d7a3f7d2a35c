"""Checks of folders and disks: can the input be read, is there room, does the kernel allow enough watches?"""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote

from qbwatch.core.checkup import Finding, fail, ok, warn

_WATCH_SHARE = 0.5  # of the kernel's limit; the same user's other programs watch folders too
_SCARCE = 2  # room of less than so many reserves is worth a word before it is gone


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """A folder as the user ``account`` meets it. ``trouble`` says why it can't be used at all; ``unreadable`` names the
    first thing below it that can't be read, with owner and mode, ``unreadable_count`` how many there are."""

    path: str
    account: str
    trouble: str | None = None
    is_missing: bool = False
    folders: int = 0
    files: int = 0
    unreadable: str | None = None
    unreadable_count: int = 0
    remote: str | None = None
    is_cut_short: bool = False


@dataclass(frozen=True, slots=True)
class StateFacts:
    """The state folder: whether ``account`` may write there, and the room on its disk in bytes.

    ``can_be_made``: it doesn't exist, and the daemon may make it.
    """

    path: str
    account: str
    exists: bool
    is_writable: bool
    free: int
    reserve: int
    made_by_unit: bool = False
    can_be_made: bool = False


@dataclass(frozen=True, slots=True)
class VaultFacts:
    """Copies that were opened as a sample, and the first that couldn't be."""

    path: str
    account: str
    sampled: int = 0
    damaged: str | None = None


def judge_folder(check: str, facts: FolderFacts) -> list[Finding]:
    """The input or seed folder."""
    may_read = (
        f"setfacl -R -m u:{facts.account}:rX {quote(facts.path)}; setfacl -R -d -m u:{facts.account}:rX"
        f" {quote(facts.path)}"
    )
    if facts.is_missing:
        fix = f"mkdir -p {quote(facts.path)}  # or mount it, or start the sync client"
        return [fail(check, f"{facts.path} does not exist", fix)]
    if facts.trouble:
        return [fail(check, f"{facts.path}: {facts.trouble}", may_read)]
    if facts.unreadable:
        count = f" and {facts.unreadable_count - 1:,} more" if facts.unreadable_count > 1 else ""
        return [fail(check, f"user {facts.account} can't read {facts.unreadable}{count}", may_read)]
    at_least = "more than " if facts.is_cut_short else ""
    held = f"{at_least}{_counted(facts.files, 'file')} in {_counted(facts.folders, 'folder')}"
    found = [ok(check, f"{facts.path}: {held}, all readable")]
    if facts.remote:
        found.append(
            warn(check, f"{facts.path} lies on {facts.remote}, where the kernel sees no changes of other machines",
                 'set watcher = "polling" in [input]')
        )  # fmt: skip
    return found


def judge_watches(folders: int, limit: int | None, instances: int | None) -> list[Finding]:
    """``folders`` are all that would be watched, ``limit`` and ``instances`` the kernel's (None: it doesn't say)."""
    if limit is None:
        return [warn("inotify", "the kernel doesn't tell its inotify limits", 'set watcher = "polling" in [input]')]
    if folders > limit * _WATCH_SHARE:
        wanted = max(folders * 4, 65536)
        line = f"fs.inotify.max_user_watches={wanted}"
        fix = f"echo {line} > /etc/sysctl.d/60-qbwatch.conf && sysctl --system"
        text = f"{folders:,} folders to watch, and the kernel allows {limit:,} watches for all programs of the user"
        return [(fail if folders > limit else warn)("inotify", text, fix)]
    if instances is not None and instances < 16:
        fix = "echo fs.inotify.max_user_instances=128 > /etc/sysctl.d/60-qbwatch.conf && sysctl --system"
        return [warn("inotify", f"the kernel allows {instances} programs of a user to watch folders", fix)]
    return [ok("inotify", f"{_counted(folders, 'folder')} to watch; the kernel allows {limit:,}")]


def judge_state(facts: StateFacts, size_text: str, reserve_text: str) -> list[Finding]:
    """The state folder and its disk; the texts are ``free`` and ``reserve`` for a person."""
    found = []
    make = f"install -d -o {facts.account} -g {facts.account} -m 0750 {quote(facts.path)}"
    if not facts.exists and facts.made_by_unit:
        found.append(ok("state", f"{facts.path} is made by the unit when it starts"))
    elif not facts.exists and facts.can_be_made:
        found.append(ok("state", f"{facts.path} is made by qbwatch when it starts"))
    elif not facts.exists:
        found.append(fail("state", f"{facts.path} does not exist", make))
    elif not facts.is_writable:
        fix = f"chown -R {facts.account}: {quote(facts.path)}"
        found.append(fail("state", f"user {facts.account} can't write to {facts.path}", fix))
    else:
        found.append(ok("state", f"{facts.path} is writable"))
    return [*found, judge_room("disk of the state", facts.path, facts.free, facts.reserve, (size_text, reserve_text))]


def judge_room(check: str, path: str, free: int, reserve: int, texts: tuple[str, str]) -> Finding:
    """Room on the disk that holds ``path``, against what must stay free."""
    size_text, reserve_text = texts
    fix = f"du -xh --max-depth=2 {quote(path)} | sort -h | tail"
    if free < reserve:
        return fail(check, f"{size_text} are free, less than the reserve of {reserve_text}: no file is taken in", fix)
    if free < reserve * _SCARCE:
        return warn(check, f"{size_text} are free; below {reserve_text} no file is taken in", fix)
    return ok(check, f"{size_text} are free")


def judge_page(folder: str, account: str, *, exists: bool, is_writable: bool) -> list[Finding]:
    """The folder of the status page."""
    if not exists:
        return [fail("status page", f"{folder} does not exist", f"install -d {quote(folder)}")]
    if not is_writable:
        fix = f"setfacl -m u:{account}:rwX {quote(folder)}"
        return [fail("status page", f"user {account} can't write to {folder}", fix)]
    return [ok("status page", f"{folder} is writable")]


def judge_vault(facts: VaultFacts) -> list[Finding]:
    """The copies of what was accepted."""
    if facts.damaged:
        fix = "qbwatch rebuild --verify  # tells what depends on it; restore the vault from a backup"
        return [fail("vault", facts.damaged, fix)]
    if not facts.sampled:
        return [ok("vault", "empty until the first file")]
    return [ok("vault", f"{facts.sampled} copies read, each equal to its hash")]


def judge_sync_client(client: str | None, is_running: bool, start: str) -> list[Finding]:
    """The program that brings the files; ``client`` by the mark that it left above the folder."""
    if client is None:
        return [ok("sync client", "no sync client keeps this folder, as far as one can see")]
    if not is_running:
        return [fail("sync client", f"{client} keeps the input folder and isn't running", start)]
    return [ok("sync client", f"{client} is running")]


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
