"""Under which account the private Postgres runs, and what that account may reach.

Postgres refuses to run as root. When we are root, it runs as an unprivileged account that exists already: none is
created for it, and no folder that isn't ours is opened for it. What it cannot reach is found out by asking the
kernel (a ``test`` run as that account), because modes, groups and access lists together decide.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qbwatch.core.model import QbwatchError

FALLBACK_ACCOUNTS = ("qbwatch", "postgres", "nobody")

# Nothing of our own environment reaches Postgres: no NOTIFY_SOCKET, no PG… variables, no locale, no credentials folder.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Answer:
    """How a program ended, and what it said on the way."""

    ok: bool
    said: str

    @property
    def last_line(self) -> str:
        """The line that usually holds the reason."""
        return self.said.splitlines()[-1] if self.said else "it says nothing"


@dataclass(frozen=True, slots=True)
class Account:
    """The account Postgres runs as."""

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """True when it is the account we run as ourselves."""
        return self.uid == os.geteuid()

    def run(self, command: Sequence[str | Path], timeout: float) -> Answer:
        """Run a program as this account, in a session of its own so that a terminal's Ctrl-C doesn't reach it.

        Output goes through files, not pipes: a server that the program leaves behind would keep a pipe open for ever.
        Raises `OSError` when it cannot be executed, `QbwatchError` when it takes longer than ``timeout`` seconds.
        """
        switch = {} if self.is_ours else {"user": self.uid, "group": self.gid, "extra_groups": []}
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            try:
                done = subprocess.run(  # type: ignore[call-overload]
                    [str(word) for word in command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd="/",
                    env=_ENVIRONMENT,
                    start_new_session=True,
                    umask=0o077,
                    timeout=timeout,
                    check=False,
                    **switch,
                )
            except subprocess.TimeoutExpired:
                raise QbwatchError(f"{command[0]} did not finish within {timeout:g} s") from None
            output.seek(0)
            return Answer(done.returncode == 0, output.read().strip())

    def first_closed(self, folder: Path) -> Path | None:
        """The outermost folder on the way to ``folder`` (itself included) that this account may not enter."""
        chain = [*reversed(folder.parents), folder]
        script = 'for folder do [ -x "$folder" ] || { printf %s "$folder"; exit 1; }; done'
        answer = self.run(["/bin/sh", "-c", script, "sh", *chain], timeout=10)
        return None if answer.ok else Path(answer.said)


def name_of(uid: int) -> str:
    """Login name of a user id. Raises `QbwatchError` when the system has none (peer authentication needs it)."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise QbwatchError(
            f"user id {uid} has no name on this system, so Postgres cannot run as it",
            "run qbwatch as a user that is listed in /etc/passwd",
        ) from None


def account_for(directory: Path) -> Account:
    """The account that runs (or shall run) the Postgres below ``directory``.

    An ordinary user runs it himself. Root takes the owner of the folder, or of the nearest existing folder above it,
    so that a look by root at the daemon's own Postgres doesn't change whose it is; where that is root again, the
    first of `FALLBACK_ACCOUNTS` that exists.
    """
    uid = os.geteuid()
    if uid == 0:
        existing = next(folder for folder in (directory / "data", directory, *directory.parents) if folder.exists())
        uid = existing.stat().st_uid
    if uid != 0:
        return Account(name_of(uid), uid, pwd.getpwuid(uid).pw_gid)
    return _fallback_account()


def _fallback_account() -> Account:
    for name in FALLBACK_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise QbwatchError(
        "Postgres does not run as root, and there is no account qbwatch, postgres or nobody to run it as",
        "useradd --system --shell /usr/sbin/nologin qbwatch",
    )


def create_for(account: Account, directory: Path) -> None:
    """Create ``directory`` and the folders above it that are missing, private, and owned like the folder they lie in.

    So what root starts in a user's state folder stays that user's, and what it starts in root's own stays root's.
    """
    missing = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    for folder in reversed(missing):
        owner = folder.parent.stat().st_uid
        with suppress(FileExistsError):  # someone else starts it at the same time
            folder.mkdir(mode=0o700)
        if owner == account.uid and not account.is_ours:
            os.chown(folder, account.uid, account.gid, follow_symlinks=False)


def is_our_own(folder: Path, directory: Path) -> bool:
    """True when ``folder``, on the way to ``directory``, is qbwatch's, so that search permission may be added to it.

    Those are ``directory``, the state folder around it when it bears our name, and whatever lies in a temporary folder
    made by us (``/tmp/qbwatch-…``). Everything else belongs to someone else, even where root could change it.
    """
    if folder.stat().st_uid != os.geteuid():
        return False
    if folder == directory or (folder == directory.parent and folder.name == "qbwatch"):
        return True
    temporary = Path(tempfile.gettempdir()).absolute()
    return folder.is_relative_to(temporary) and str(folder.relative_to(temporary)).startswith("qbwatch-")


def open_the_way(account: Account, directory: Path) -> None:
    """Let ``account`` reach ``directory``, adding search permission (no more) to closed folders that are our own.

    Raises `QbwatchError` naming a closed folder that isn't ours. The outermost is looked at first, so nothing of ours
    is opened in vain.
    """
    while (closed := account.first_closed(directory)) is not None:
        mode = closed.stat().st_mode
        if mode & 0o011 != 0o011 and is_our_own(closed, directory):
            closed.chmod(mode | 0o011)
        elif account.first_closed(directory) == closed:  # else another starter has just opened it
            raise QbwatchError(
                f"Postgres runs as {account.name}, which cannot reach {directory}: {closed} is closed to it",
                "give qbwatch a state folder that others may enter, such as /var/lib/qbwatch, or run it as that user",
            )
