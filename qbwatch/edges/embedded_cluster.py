"""Making the private cluster's files: initdb, the three configuration files, and the folder of its socket.

When we are root, a cluster may lie in another user's folder. So whatever is written there is written to a new file
and renamed into place, which follows no link that was laid there.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from qbwatch.core.model import QbwatchError
from qbwatch.edges.embedded_account import Account, name_of
from qbwatch.edges.embedded_install import Install
from qbwatch.edges.embedded_postmaster import SOCKET_NAME
from qbwatch.edges.embedded_settings import ROLE, hba_conf, ident_conf, postgresql_conf

_LONGEST_SOCKET_PATH = 107  # bytes, without the final NUL of sockaddr_un
_INITDB_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Cluster:
    """The files of one cluster: ``directory/data``, owned by ``account``."""

    directory: Path
    account: Account
    durable: bool

    @property
    def data(self) -> Path:
        """The cluster itself; closed to everyone but its account."""
        return self.directory / "data"

    def create(self, install: Install) -> None:
        """Run initdb beside the final place and move it there, so that one cut short is never taken for a cluster."""
        draft = self.directory / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._hand_over(draft)
        unicode = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8") if install.major >= 17 else ()
        fast = () if self.durable else ("--no-sync",)
        who = ("--username", ROLE, "--auth=peer")
        how = ("--encoding=UTF8", "--no-locale", *unicode, *fast)
        answer = self.account.run([install.program("initdb"), "-D", draft, *who, *how], _INITDB_SECONDS)
        if not answer.ok:
            raise QbwatchError(f"the embedded Postgres cannot be set up in {draft}: {answer.last_line}")
        draft.rename(self.data)
        _sync(self.directory)  # else a power cut could take the name away again, and with it all that came after

    def configure(self) -> None:
        """Write its configuration: settings, and who may connect (who starts it, whose folder it is, and root)."""
        logins = {"root", name_of(os.geteuid()), name_of(self.directory.stat().st_uid)}
        self._write("postgresql.conf", postgresql_conf(self.socket_directory(), durable=self.durable))
        self._write("pg_hba.conf", hba_conf())
        self._write("pg_ident.conf", ident_conf(logins))

    def socket_directory(self) -> Path:
        """The data folder; where its path doesn't do for a socket, a short private folder that is remembered there.

        It doesn't when it is too long, or holds a comma, at which libpq would cut it into several.
        """
        if len(os.fsencode(self.data / SOCKET_NAME)) <= _LONGEST_SOCKET_PATH and "," not in str(self.data):
            return self.data
        note = self.data / "socket-directory"
        if note.exists() and self._is_private(Path(note.read_text())):
            return Path(note.read_text())
        folder = Path(tempfile.mkdtemp(prefix="qbwatch-", dir="/tmp"))  # TMPDIR may be long as well
        self._hand_over(folder)
        self._write(note.name, str(folder))
        return folder

    def _is_private(self, folder: Path) -> bool:
        """True for a folder (no link) of the account that is closed to all others: /tmp is open to anyone's tricks."""
        try:
            found = folder.lstat()
        except OSError:
            return False
        return found.st_mode == 0o040700 and found.st_uid == self.account.uid

    def _hand_over(self, place: Path | int) -> None:
        """Give a path or descriptor to the account. What is ours already stays untouched: a service that is kept from
        privileged calls may not even say chown to itself."""
        if not self.account.is_ours:
            os.chown(place, self.account.uid, self.account.gid, follow_symlinks=isinstance(place, int))

    def _write(self, name: str, text: str) -> None:
        descriptor, draft = tempfile.mkstemp(prefix=name, dir=self.data)  # mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            self._hand_over(file.fileno())
            os.fsync(file.fileno())
        os.replace(draft, self.data / name)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
