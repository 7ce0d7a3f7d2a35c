"""A private Postgres in the state folder, for ``[database] url = "embedded"``, the demo and the tests.

It is reached through a Unix socket alone, by the user who started it and root, whom the kernel vouches for (``peer``).
It is a daemon of its own: it outlives whoever started it, even by kill -9, and the next `EmbeddedPostgres.start` finds
it running, or brings it up again after a crash.

Below the folder: ``data`` (the cluster, its log, its socket), and ``install-…`` where the programs had to be copied.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from qbwatch.core.model import QbwatchError
from qbwatch.edges.embedded_account import Account, Answer, account_for, create_for, name_of, open_the_way
from qbwatch.edges.embedded_cluster import Cluster
from qbwatch.edges.embedded_install import Install, find_install, reachable_install
from qbwatch.edges.embedded_postmaster import forget_stale_locks, is_alive, read_postmaster, server_pid
from qbwatch.edges.embedded_settings import ROLE

DATABASE = "dashboard"
_START_SECONDS = 120  # recovery after a crash replays what was written since the last checkpoint
_STOP_SECONDS = 60
_PAUSE_SECONDS = 0.02
_ATTEMPTS = 3
_ORPHANS = "pre-existing shared memory block"  # backends of a killed server; they notice its death within moments


class EmbeddedPostgres:
    """The private Postgres below ``directory`` (``/var/lib/qbwatch/postgres``).

    ``durable=False`` is for databases that may be lost in a power cut: those of tests and the demo.
    """

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self.directory = directory.absolute()
        self.data = self.directory / "data"
        self.durable = durable

    def start(self) -> str:
        """Make it run, whatever state it is in, and give the libpq URL of database ``dashboard``.

        Creates cluster and database when new, starts it when down (also after a crash), adopts it when it runs. Safe to
        call from several processes at once. Raises `QbwatchError` when it cannot run here.
        """
        try:
            account = self._prepare_directory()
            with self._locked():
                return self._bring_up(account)
        except OSError as error:
            raise QbwatchError(
                f"the embedded Postgres cannot start: {error.filename or self.directory}: {error.strerror}",
                f"{name_of(os.geteuid())} must be able to write to {self.directory.parent}, and its disk have room",
            ) from error

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop it; ``immediate`` as if the power failed (it recovers at the next start). Does nothing when it is down.

        Raises `QbwatchError` when it goes on in spite of all.
        """
        if self.pid is None:
            return
        account = account_for(self.directory)
        pg_ctl = self._install(account).program("pg_ctl")
        for how in (mode, "immediate"):
            timing = ("-w", "-t", str(_STOP_SECONDS))
            answer = account.run([pg_ctl, "stop", "-D", self.data, "-m", how, *timing], _STOP_SECONDS + 10)
            if answer.ok or self.pid is None:
                return
        raise QbwatchError(f"the embedded Postgres does not stop: {answer.last_line}", f"kill -9 {self.pid}")

    def url_if_running(self) -> str | None:
        """The URL when it accepts connections now, else None. Never starts it; takes about a millisecond."""
        postmaster = read_postmaster(self.data)
        if postmaster is None or not postmaster.ready or self.pid is None or not postmaster.accepts():
            return None
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(os.fsencode(postmaster.socket_path.parent))}"

    @property
    def is_running(self) -> bool:
        """True when it accepts connections now."""
        return self.url_if_running() is not None

    @property
    def pid(self) -> int | None:
        """Process id of the server, also while it starts or stops; None when it is down."""
        return server_pid(self.data)

    def _prepare_directory(self) -> Account:
        """Create the folder when new, and see that the server's account reaches it."""
        account = account_for(self.directory)
        create_for(account, self.directory)
        if self.data.is_symlink() or (self.data.exists() and self.data.stat().st_uid != account.uid):
            raise QbwatchError(f"{self.data} does not belong to {account.name}", "run qbwatch as its owner")
        if not account.is_ours:
            open_the_way(account, self.directory)
        return account

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One starter at a time. The folder itself is locked: a lock file of root's would shut its own user out."""
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not _took_lock(descriptor):
                if time.monotonic() > deadline:
                    raise QbwatchError(f"another process has been starting {self.directory} for {_START_SECONDS} s")
                time.sleep(_PAUSE_SECONDS)
            yield
        finally:
            os.close(descriptor)

    def _bring_up(self, account: Account) -> str:
        """Run it and enter it. What looks alive may just be dying (a kill takes its moment): then it is run anew."""
        for _ in range(_ATTEMPTS):
            url = self._settled_url()
            if url is None:
                self._launch(Cluster(self.directory, account, self.durable))
                url = self._settled_url()
            refusal = _ensure_database(url) if url is not None else "it went away while it started"
            if url is not None and refusal is None:
                return url
            time.sleep(_PAUSE_SECONDS)
        raise QbwatchError(
            f"the embedded Postgres refuses us: {refusal}",
            f"run qbwatch as root, or as the user who owns its state folder; see also {self.data / 'log'}",
        )

    def _launch(self, cluster: Cluster) -> None:
        install = self._install(cluster.account)
        if not self.data.exists():
            cluster.create(install)
        cluster.configure()
        forget_stale_locks(self.data, cluster.socket_directory())
        deadline = time.monotonic() + _START_SECONDS
        while (complaint := self._try_to_launch(cluster.account, install)) is not None:
            if _ORPHANS not in complaint.said or time.monotonic() > deadline:
                reason = next((line for line in complaint.said.splitlines() if "FATAL" in line), complaint.last_line)
                raise QbwatchError(f"the embedded Postgres does not start: {reason}", f"see {self.data / 'log'}")
            time.sleep(_PAUSE_SECONDS)

    def _try_to_launch(self, account: Account, install: Install) -> Answer | None:
        """Start the server and wait until it accepts connections; what it said when it ended instead.

        Left behind by a shell, not by us: it is no child of ours and leaves us no zombie. (``pg_ctl start`` does the
        same, but trips over a quote in a path.)
        """
        log = self.data / "start.log"
        script = '"$1" -D "$2" </dev/null >"$3" 2>&1 & echo $!'
        launched = account.run(["/bin/sh", "-c", script, "sh", install.program("postgres"), self.data, log], 30)
        if not launched.ok:
            return launched
        deadline = time.monotonic() + _START_SECONDS
        while self.url_if_running() is None:
            if not is_alive(int(launched.said)):
                return Answer(False, log.read_text("utf-8", "replace").strip())
            if time.monotonic() > deadline:
                return Answer(False, f"it is not ready after {_START_SECONDS} s")
            time.sleep(_PAUSE_SECONDS)
        return None

    def _install(self, account: Account) -> Install:
        version = self.data / "PG_VERSION"
        install = find_install(int(version.read_text()) if version.exists() else None)
        return reachable_install(install, account, self.directory)

    def _settled_url(self) -> str | None:
        """The URL as soon as it accepts connections; None when it is down, also after waiting for it to go down."""
        deadline = time.monotonic() + _START_SECONDS
        while (url := self.url_if_running()) is None and self.pid is not None:
            if time.monotonic() > deadline:
                raise QbwatchError("the embedded Postgres neither starts nor stops", f"see {self.data / 'log'}")
            time.sleep(_PAUSE_SECONDS)
        return url


def _took_lock(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _ensure_database(url: str) -> str | None:
    """Enter the server and create the database when missing; why it refuses, as one line, when it does."""
    import psycopg  # heavy, and `url_if_running` must stay quick

    maintenance = url.replace(f"/{DATABASE}?", "/postgres?")
    try:
        with psycopg.connect(maintenance, autocommit=True, connect_timeout=20) as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.OperationalError as error:
        return str(error).partition("\n")[0]
    return None
