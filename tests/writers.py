"""The programs by which files really come into a folder, each as its users run it. One that isn't installed skips."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from waiting import wait_until

STALL = 0.7  # seconds that a slow writer pauses in a file; longer than the settle time of these tests


def program(*names: str) -> str:
    """The first of these programs that is installed; skips the test when none is."""
    found = next((path for name in names if (path := shutil.which(name) or shutil.which(f"/usr/sbin/{name}"))), None)
    if found is None:
        pytest.skip(f"needs {' or '.join(names)}")
    return found


def run(*command: str, stdin: str | None = None) -> None:
    """A command that has to succeed."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stderr or done.stdout}"


def copied(source: Path, target: Path) -> None:
    """``cp source/* target``."""
    run("cp", *files(source), str(target))


def moved(source: Path, target: Path) -> None:
    """``mv`` within one file system: a rename."""
    run("mv", *files(source), str(target))


def moved_from_elsewhere(source: Path, target: Path) -> None:
    """``mv`` from another file system: a copy that ends with its times being set."""
    with other_filesystem() as elsewhere:
        run("cp", "-p", *files(source), str(elsewhere))
        run("mv", *files(elsewhere), str(target))


def synced(source: Path, target: Path) -> None:
    """rsync as it is used: into a hidden temporary, then renamed."""
    run(program("rsync"), "-a", f"{source}/", f"{target}/")


def synced_in_place(source: Path, target: Path) -> None:
    """rsync that writes into the file itself, at a pace that makes it visible."""
    run(program("rsync"), "-a", "--inplace", "--bwlimit=200", f"{source}/", f"{target}/")


def copied_by_rclone(source: Path, target: Path) -> None:
    """``rclone copy``, with several files at a time."""
    run(program("rclone"), "copy", "--config", os.devnull, str(source), str(target))


def appended_slowly(source: Path, target: Path) -> None:
    """Written in two halves with a long stall between, the file being held open."""
    _in_halves(source, target, keep_open=True)


def appended_in_two_goes(source: Path, target: Path) -> None:
    """The first half ends in the middle of a row and is closed; after a long stall the rest is appended."""
    _in_halves(source, target, keep_open=False)


def written_out_of_order(source: Path, target: Path) -> None:
    """As a downloader does that fetches several pieces at once: the end comes first, and a hole before it."""
    pause = threading.Event()
    for path in files(source):
        content = Path(path).read_bytes()
        with (target / Path(path).name).open("wb") as file:
            file.seek(len(content) // 2)
            file.write(content[len(content) // 2 :])
    pause.wait(STALL)
    for path in files(source):
        content = Path(path).read_bytes()
        with (target / Path(path).name).open("r+b") as file:
            file.write(content[: len(content) // 2])


def saved_by_an_editor(source: Path, target: Path) -> None:
    """Each file opened in vim and saved under its name in the folder."""
    script = "\n".join(f"silent edit {path}\nsilent write {target / Path(path).name}" for path in files(source))
    scripted = source.parent / "save.vim"
    scripted.write_text(script + "\nqall!\n")
    run(program("vim"), "-es", "-u", "NONE", "-i", "NONE", "-S", str(scripted))


def copied_by_scp(source: Path, target: Path) -> None:
    """scp through a real sshd on loopback."""
    with sshd(source.parent) as (port, options):
        run(program("scp"), "-q", *options, "-P", port, *files(source), f"root@127.0.0.1:{target}/")


def put_by_sftp(source: Path, target: Path) -> None:
    """sftp's ``put`` through a real sshd on loopback."""
    with sshd(source.parent) as (port, options):
        run(program("sftp"), "-q", *options, "-P", port, "-b", "-", "root@127.0.0.1", stdin=f"put {source}/* {target}/")


def files(folder: Path) -> list[str]:
    """The files of a folder, sorted by name."""
    return [str(path) for path in sorted(folder.iterdir())]


@contextmanager
def other_filesystem() -> Iterator[Path]:
    """A folder on another file system than the one of temporary files."""
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK) or shared.stat().st_dev == Path("/tmp").stat().st_dev:
        pytest.skip("needs a second file system at /dev/shm")
    folder = shared / f"qbwatch-writers-{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _in_halves(source: Path, target: Path, *, keep_open: bool) -> None:
    pause = threading.Event()
    with ExitStack() as kept:
        halves = []
        for path in source.iterdir():
            content = path.read_bytes()
            cut = content.index(b"\n", len(content) // 2) - 3
            file = (target / path.name).open("wb", buffering=0)
            file.write(content[:cut])
            halves.append((target / path.name, content[cut:]))
            if keep_open:
                kept.enter_context(file)
            else:
                file.close()
        pause.wait(STALL)
        for path, rest in halves:
            with path.open("ab") as file:
                file.write(rest)


@contextmanager
def sshd(folder: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """An sshd of our own on loopback: its port, and the options with which its client trusts it."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for an sshd of its own")
    server = program("sshd")
    for name in ("host", "user"):
        run(program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    port = str(free_port())
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n"
        "PermitRootLogin yes\nStrictModes no\nUsePAM no\nPidFile none\nSubsystem sftp internal-sftp\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    options = [
        *("-i", str(folder / "user"), "-F", os.devnull, "-o", f"UserKnownHostsFile={folder}/known_hosts"),
        *("-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes"),
    ]
    with _running([server, "-D", "-e", "-f", str(config)], folder):
        wait_until(lambda: answers(int(port)), 60, "sshd to answer")
        yield port, options


class SyncthingPair:
    """Two instances of Syncthing on loopback, which share one folder and know nobody else."""

    def __init__(self, home: Path, source: Path, target: Path) -> None:
        self.home = home
        self.folders = {"office": source, "server": target}
        self.ports = {name: free_port() for name in self.folders}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start both; they are ended afterwards."""
        ids = {name: self._generate(name) for name in self.folders}
        for name in self.folders:
            self._configure(name, ids)
            (self.folders[name] / ".stfolder").mkdir(exist_ok=True)
        with ExitStack() as both:
            for name in self.folders:
                command = [program("syncthing"), "serve", "--no-browser", "--no-restart", f"--home={self.home / name}"]
                both.enter_context(_running(command, self.home / name))
            yield

    def _generate(self, name: str) -> str:
        run(program("syncthing"), "generate", f"--home={self.home / name}", "--no-default-folder")
        device = ElementTree.parse(self.home / name / "config.xml").find("device")
        assert device is not None
        return device.attrib["id"]

    def _configure(self, name: str, ids: dict[str, str]) -> None:
        path = self.home / name / "config.xml"
        tree = ElementTree.parse(path)
        root = tree.getroot()
        for old in [*root.findall("device"), *root.findall("folder")]:
            root.remove(old)
        for each, identity in ids.items():
            device = ElementTree.SubElement(root, "device", id=identity, name=each)
            ElementTree.SubElement(device, "address").text = f"tcp://127.0.0.1:{self.ports[each]}"
        kind = "sendonly" if name == "office" else "receiveonly"
        shared = ElementTree.SubElement(
            root, "folder", id="exports", path=str(self.folders[name]), type=kind, rescanIntervalS="5"
        )
        for identity in ids.values():
            ElementTree.SubElement(shared, "device", id=identity)
        # Else in any order: right too, but each file that is older than one already loaded has all since folded anew.
        ElementTree.SubElement(shared, "order").text = "oldestFirst"
        options = root.find("options")
        gui = root.find("gui/address")
        assert options is not None
        assert gui is not None
        gui.text = f"127.0.0.1:{free_port()}"
        settings = {
            "listenAddress": f"tcp://127.0.0.1:{self.ports[name]}",
            **dict.fromkeys(("globalAnnounceEnabled", "localAnnounceEnabled", "relaysEnabled", "natEnabled"), "false"),
            "urAccepted": "-1",
            "crashReportingEnabled": "false",
            "autoUpgradeIntervalH": "0",
            "reconnectionIntervalS": "1",
            "startBrowser": "false",
        }
        for key, value in settings.items():
            for old in options.findall(key):
                options.remove(old)
            ElementTree.SubElement(options, key).text = value
        tree.write(path)


def synced_by_syncthing(source: Path, target: Path, arrived: Callable[[], object]) -> None:
    """Two instances that find the files and bring them over; both end when ``arrived`` says so."""
    program("syncthing")
    home = source.parent / "syncthing"
    home.mkdir()
    with SyncthingPair(home, source, target).running():
        wait_until(arrived, 90, "Syncthing to bring the files")


@contextmanager
def _running(command: Sequence[str], folder: Path) -> Iterator[None]:
    environment = {**os.environ, "HOME": str(folder), "STNOUPGRADE": "1"}
    with (folder / "output.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens on a port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
