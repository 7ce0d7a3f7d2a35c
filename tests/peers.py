"""What one would load a file with instead: each in a virtual environment of its own, made below a temporary folder.

None of them is a dependency of the product. What can't be installed here isn't measured, and says so. Each is run as
its user runs it, by a command (a script, where it is a library), for which one waits as a whole. A script also prints
the seconds of its load alone, from the file to the commit, without the start of Python and its imports.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
from exporter_files import HEADER

SCHEMA = "peer"
TIMEOUT = 1800  # seconds

_TIMED = """
import sys, time
{imports}
url, path, folder = sys.argv[1:]
{prepare}
began = time.perf_counter()
{load}
print("seconds", time.perf_counter() - began)
"""

_DLT = {
    "imports": """
import os
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
from urllib.parse import parse_qs, quote, urlsplit
import dlt, pyarrow.csv
from dlt.destinations import postgres
from dlt.destinations.impl.postgres.configuration import PostgresCredentials
""",
    "prepare": """
parts = urlsplit(url)
host = quote(parse_qs(parts.query)["host"][0], safe="")
user = {"username": parts.username, "password": "none"}
credentials = PostgresCredentials({"database": parts.path[1:], "host": host, **user})
""",
    "load": """
resource = dlt.resource([pyarrow.csv.read_csv(path)], name="invoices", write_disposition=%s)
there = postgres(credentials=credentials)
pipeline = dlt.pipeline("peer", destination=there, dataset_name="peer", pipelines_dir=folder)
pipeline.run(resource, loader_file_format="csv").raise_on_failed_jobs()
""",
}
_MERGES = {
    "dlt, merge by upsert": """{"disposition": "merge", "strategy": "upsert"}, primary_key="S.No\"""",
    "dlt, merge by delete and insert": (
        """{"disposition": "merge", "strategy": "delete-insert"}, merge_key="QuickBooks Internal Id\""""
    ),
}

_PANDAS = {
    "imports": "import pandas, sqlalchemy",
    "prepare": 'engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg2:"))',
    "load": """
frame = pandas.read_csv(path)
with engine.begin() as connection:
    frame.to_sql("invoices", connection, schema="peer", index=False, chunksize=1000)
""",
}

_PGLOADER = """
LOAD CSV FROM '{path}' HAVING FIELDS ({fields})
INTO postgresql://{user}@unix:{host}:5432/{database}?tablename={schema}.invoices TARGET COLUMNS ({fields})
WITH skip header = 1, fields optionally enclosed by '"', fields escaped by double-quote, fields terminated by ',';
"""

_PROFILE = """
peer:
  target: here
  outputs:
    here: {{type: postgres, host: "{host}", port: 5432, user: "{user}", password: none, dbname: "{database}",
            schema: peer, threads: 1}}
"""


class NotInstalled(Exception):
    """The peer can't be had on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a peer loads to."""

    url: str

    @property
    def facts(self) -> Mapping[str, str]:
        """User, database, and the folder of the socket."""
        parts = urlsplit(self.url)
        host = parse_qs(parts.query)["host"][0]
        return {"user": parts.username or "", "database": parts.path[1:], "host": host}

    def clear(self) -> None:
        """Nothing of any peer is there."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
            connection.execute(f"CREATE SCHEMA {SCHEMA}")
            connection.execute("CHECKPOINT")

    def rows(self) -> int:
        """How many lines a peer has loaded."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(f"SELECT count(*) FROM {SCHEMA}.invoices").fetchone()
            assert row is not None
            return int(row[0])


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds: of the whole command, and of the load alone as far as the command tells."""

    whole: float
    load: float


Load = Callable[[Server, Path, Path], Taken]
"""Loads a file into an empty schema, with a scratch folder of its own. Raises `NotInstalled`."""


@cache
def _environment(folder: Path, *packages: str) -> Path:
    """The folder of the programs of a virtual environment that has the packages."""
    place = folder / packages[0].partition("[")[0].partition("<")[0]
    made = subprocess.run([sys.executable, "-m", "venv", str(place)], capture_output=True, text=True, check=False)
    install = [str(place / "bin/python"), "-m", "pip", "-qq", "--no-input", "install", *packages]
    if made.returncode == 0:
        made = subprocess.run(install, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if made.returncode:
        raise NotInstalled((made.stderr or made.stdout).strip().splitlines()[-1])
    return place / "bin"


def _program(environments: Path, packages: tuple[str, ...], parts: Mapping[str, str]) -> Load:
    def load(server: Server, file: Path, scratch: Path) -> Taken:
        python = _environment(environments, *packages) / "python"
        whole, said = _timed([str(python), "-c", _TIMED.format(**parts), server.url, str(file), str(scratch)], scratch)
        return Taken(whole, float(said.rpartition("seconds ")[2]))

    return load


def _dbt_seed(environments: Path) -> Load:
    def load(server: Server, file: Path, scratch: Path) -> Taken:
        dbt = _environment(environments, "dbt-core<1.12", "dbt-postgres") / "dbt"
        (scratch / "seeds").mkdir()
        shutil.copyfile(file, scratch / "seeds/invoices.csv")
        (scratch / "dbt_project.yml").write_text("name: peer\nversion: '1.0'\nprofile: peer\n")
        (scratch / "profiles.yml").write_text(_PROFILE.format(**server.facts))
        whole, _ = _timed([str(dbt), "--no-send-anonymous-usage-stats", "seed"], scratch)
        return Taken(whole, whole)

    return load


def _pgloader(server: Server, file: Path, scratch: Path) -> Taken:
    program = shutil.which("pgloader")
    if program is None:
        raise NotInstalled("there is no pgloader on this machine (apt-get install pgloader)")
    names = [f"c{number}" for number in range(len(HEADER.split(",")))]
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {SCHEMA}.invoices ({', '.join(f'{name} text' for name in names)})".encode())
    command = scratch / "invoices.load"
    command.write_text(_PGLOADER.format(path=file, fields=", ".join(names), schema=SCHEMA, **server.facts))
    whole, _ = _timed([program, "--root-dir", str(scratch), str(command)], scratch)
    return Taken(whole, whole)


def peers(environments: Path) -> dict[str, Load]:
    """All of them by name; ``environments`` is where they are installed."""
    dlt = {
        name: _program(environments, ("dlt[postgres]", "pyarrow"), {**_DLT, "load": _DLT["load"] % said})
        for name, said in _MERGES.items()
    }
    # Its method="multi" takes ten times as long.
    pandas = _program(environments, ("pandas", "sqlalchemy", "psycopg2-binary"), _PANDAS)
    return {**dlt, "pandas to_sql": pandas, "pgloader": _pgloader, "dbt seed": _dbt_seed(environments)}


def _timed(command: list[str], folder: Path) -> tuple[float, str]:
    """Seconds, and what it printed."""
    began = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": "", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    taken = time.perf_counter() - began
    assert done.returncode == 0, json.dumps([done.stdout[-2000:], done.stderr[-2000:]])
    return taken, done.stdout
