"""A machine with a real systemd, thrown away afterwards, on which qbwatch is installed as its documentation says.

The tool that boots it is named by QBWATCH_SYSTEMD_LAB. It overlays this machine's own root, so the interpreter is at
hand in there; everything else is put where a server has it: the wheel and its dependencies in ``/opt/qbwatch``, the
configuration in ``/etc/qbwatch``, the shipped unit, and an account of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from waiting import wait_until

CHECKOUT = Path(__file__).resolve().parent.parent
CONFIG = "/etc/qbwatch/qbwatch.toml"
CONFIGURATION = """\
[input]
directory = "/srv/quickbooks-csv/input"
settle    = "200ms"

[database]
url = "embedded"
"""
PYTHON = "/opt/python/bin/python3"
_SERVERS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # not that of whoever runs the tests
_NOT_SEEN_INSIDE = ("/tmp", "/run", "/dev/shm")


@dataclass(frozen=True, slots=True)
class Lab:
    """One such machine. ``tool`` is the script, ``name`` tells it from others."""

    tool: str
    name: str

    def up(self) -> None:
        """Boot it."""
        self._call("up", timeout=60)

    def down(self) -> None:
        """Stop it, and forget everything that happened on it."""
        self._call("down", timeout=60)

    def reboot(self) -> None:
        """Shut it down in order, and boot it again with the same disk: as the tool does, whose nspawn ends with it."""
        root = self.root
        kept = root.parents[1] / "nspawn.pid"
        before = Path("/proc", kept.read_text("utf-8").strip())
        with suppress(subprocess.TimeoutExpired):
            self.run("systemctl", "reboot", timeout=20)
        wait_until(lambda: not before.exists(), 120, "the machine to go down")
        command = ["systemd-nspawn", "--quiet", "-D", str(root), "--register=no", "--keep-unit",
                   "--console=read-only", "-b", f"--machine={self.name}"]  # fmt: skip
        with (root.parents[1] / "console.log").open("ab") as console:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
            )
        kept.write_text(f"{process.pid}\n", "utf-8")
        wait_until(self._is_up, 120, "the machine to be up again")

    def _is_up(self) -> bool:
        try:
            return self.run("systemctl", "is-system-running", timeout=5).stdout.strip() in ("running", "degraded")
        except subprocess.TimeoutExpired:
            return False

    @property
    def root(self) -> Path:
        """Its root folder, seen from here."""
        return Path(self._call("root", timeout=10).stdout.strip())

    def run(self, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command inside, whatever its exit code."""
        return self._call("exec", "env", f"PATH={_SERVERS_PATH}", *command, timeout=timeout, check=False)

    def say(self, *command: str) -> str:
        """What a command inside prints; it must succeed."""
        done = self.run(*command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def start(self) -> None:
        """Start the service and wait until it says that it is ready."""
        done = self.run("systemctl", "start", "qbwatch", timeout=150)
        assert done.returncode == 0, f"{done.stderr}\n{self.journal()}"

    def shown(self, *names: str) -> dict[str, str]:
        """Properties of the unit, as ``systemctl show`` gives them."""
        said = self.say("systemctl", "show", "qbwatch", "--property", ",".join(names))
        return dict(line.split("=", 1) for line in said.splitlines())

    def status(self) -> dict[str, Any]:
        """The answer of ``qbwatch status``."""
        answer: dict[str, Any] = json.loads(self.say("/opt/qbwatch/bin/qbwatch", "status", "--json"))
        return answer

    def journal(self) -> str:
        """What the unit logged so far."""
        return self.run("journalctl", "--unit", "qbwatch", "--output", "cat", "--no-pager").stdout

    def _call(self, *arguments: str, timeout: float, check: bool = True) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "LAB": self.name}
        done = subprocess.run(
            [self.tool, *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd="/",
            env=environ,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done


def reason_against_a_lab() -> str | None:
    """Why no such machine can be had here; None when one can."""
    tool = os.environ.get("QBWATCH_SYSTEMD_LAB")
    if not tool:
        return "needs a systemd to try the unit on: set QBWATCH_SYSTEMD_LAB to the tool that boots one"
    if not os.access(tool, os.X_OK):
        return f"QBWATCH_SYSTEMD_LAB={tool} can't be executed"
    if os.geteuid() != 0:
        return "needs root to boot a systemd of its own"
    if shutil.which("systemd-nspawn") is None:
        return "needs systemd-nspawn (Debian: apt-get install systemd-container)"
    if _interpreter().startswith(_NOT_SEEN_INSIDE):
        return f"the interpreter {_interpreter()} lies where the machine inside has folders of its own"
    return None


@contextmanager
def new_lab(folder: Path, name: str) -> Iterator[Lab]:
    """A machine on which the program is installed from its wheel, built in the folder; skips without one."""
    if reason := reason_against_a_lab():
        pytest.skip(reason)
    machine = Lab(os.environ["QBWATCH_SYSTEMD_LAB"], f"qbwatch-{name}-{os.getpid()}")
    try:
        machine.up()
        install(machine, build_wheel(folder))
        yield machine
    finally:
        machine.down()


def install(lab: Lab, wheel: Path) -> None:
    """Install qbwatch on it: programs, account, folders, configuration, unit. Nothing is started."""
    root = lab.root
    prepare(lab)
    install_wheel(lab, wheel)
    (root / "srv/quickbooks-csv/input").mkdir(parents=True)
    (root / "etc/qbwatch").mkdir()
    configure(lab, CONFIGURATION)
    shutil.copyfile(CHECKOUT / "systemd/qbwatch.service", root / "etc/systemd/system/qbwatch.service")
    lab.say("systemctl", "daemon-reload")


def prepare(lab: Lab) -> None:
    """Put there what a server has or downloads: an interpreter, and what qbwatch depends on."""
    python = Path(_interpreter())
    inside, unwanted = lab.root / PYTHON.lstrip("/"), shutil.ignore_patterns("__pycache__", "site-packages", "test")
    library = f"lib/python{sys.version_info.major}.{sys.version_info.minor}"
    inside.parent.mkdir(parents=True)
    shutil.copyfile(python, inside)
    inside.chmod(0o755)
    shutil.copytree(python.parents[1] / library, inside.parents[1] / library, symlinks=True, ignore=unwanted)
    for shared in (python.parents[1] / "lib").glob(
        "libpython*.so*"
    ):  # where the interpreter is one of a shared library
        shutil.copy(shared, inside.parents[1] / "lib")
    (lab.root / "etc/ld.so.conf.d/00-python.conf").write_text(
        f"{inside.parents[1] / 'lib'}\n".replace(str(lab.root), "")
    )
    lab.say("ldconfig")
    lab.say(PYTHON, "-m", "venv", "/opt/qbwatch")
    packages = lab.root / "opt/qbwatch" / library / "site-packages"
    for source in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        unwanted = shutil.ignore_patterns("*qbwatch*", "__pycache__", "mypy*", "ruff*", "pip", "hypothesis*",
                                          "playwright*")  # fmt: skip
        shutil.copytree(source, packages, symlinks=True, dirs_exist_ok=True, ignore=unwanted)


def install_wheel(lab: Lab, wheel: Path) -> str:
    """Install or upgrade by the script that is shipped; what it says."""
    folder = lab.root / "opt/wheels-of-today"
    folder.mkdir(exist_ok=True)
    shutil.copy(wheel, folder)
    shutil.copy(CHECKOUT / "systemd/install.sh", folder)
    inside = f"/opt/wheels-of-today/{wheel.name}"
    command = ("env", f"PYTHON={PYTHON}", "sh", "/opt/wheels-of-today/install.sh", inside, "--no-index")
    done = lab.run(*command, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def configure(lab: Lab, text: str) -> None:
    """Write the configuration."""
    (lab.root / CONFIG.lstrip("/")).write_text(text, "utf-8")


def build_wheel(folder: Path, checkout: Path = CHECKOUT) -> Path:
    """The wheel of a checkout: this one."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True, timeout=60)
    return next(folder.glob("qbwatch-*.whl"))


def _interpreter() -> str:
    """The interpreter itself, not its link in a virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))
