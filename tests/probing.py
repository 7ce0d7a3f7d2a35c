"""What a program may do that runs in the daemon's place: same user, same unit, same confinement; tried from inside."""

from __future__ import annotations

import json
from typing import Any

from systemd_lab import Lab

PROBE = r"""
import ctypes, errno, json, os, socket, subprocess, sys

def tried(do):
    try:
        do()
    except BaseException as error:
        number = getattr(error, "errno", None)
        return errno.errorcode.get(number, str(number)) if number else type(error).__name__
    return "done"

def syscall(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "no")

def executable_memory():
    import mmap
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)

def as_root():
    done = subprocess.run(["/opt/set-uid-id", "-u"], capture_output=True, text=True)
    if done.stdout.strip() == "0":
        return
    raise PermissionError(errno.EPERM, "not root")

def arrow():
    import pyarrow, pyarrow.csv, io
    assert pyarrow.csv.read_csv(io.BytesIO(b"a,b\n1,2\n")).num_rows == 1

status = dict(line.split(":	", 1) for line in open("/proc/self/status") if ":	" in line)
found = {
    "read the input": tried(lambda: os.listdir(INPUT)),
    "write into the input": tried(lambda: open(INPUT + "/mine.csv", "w")),
    "change a file of the input": tried(lambda: open(INPUT + "/theirs.pdf", "r+")),
    "delete a file of the input": tried(lambda: os.unlink(INPUT + "/theirs.pdf")),
    "see other homes": tried(lambda: os.listdir("/home/bob")),
    "read a file in another home": tried(lambda: open("/home/bob/secret.txt")),
    "read root's home": tried(lambda: os.listdir("/root")),
    "read passwords": tried(lambda: open("/etc/shadow")),
    "read the secrets where they lie": tried(lambda: open("/etc/qbwatch/credentials/alert_urls")),
    "change the configuration": tried(lambda: open("/etc/qbwatch/qbwatch.toml", "a")),
    "change the program": tried(lambda: open("/opt/qbwatch/bin/qbwatch", "a")),
    "write into /usr": tried(lambda: open("/usr/mine", "w")),
    "write into its state": tried(lambda: open("/var/lib/qbwatch/probe", "w")),
    "become root": tried(lambda: os.setuid(0)),
    "become root by a program": tried(as_root),
    "mount": tried(lambda: syscall(165, 0, 0, 0, 0, 0)),
    "make a namespace": tried(lambda: syscall(272, 0x10000000)),
    "look into another process": tried(lambda: syscall(101, 16, 1, 0, 0)),
    "load a module": tried(lambda: syscall(175, 0, 0, 0)),
    "set the clock": tried(lambda: syscall(227, 0, 0)),
    "see another user's process": tried(lambda: os.stat("/proc/1")),
    "read the kernel's limits": tried(lambda: open("/proc/sys/fs/inotify/max_user_watches")),
    "open a raw socket": tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)),
    "open a packet socket": tried(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    "resolve a name": tried(lambda: socket.getaddrinfo("localhost", 80)),
    "have memory that is written and run": tried(executable_memory),
    "import what reads large files": tried(arrow),
    "NoNewPrivs": status["NoNewPrivs"].strip(),
    "CapBnd": status["CapBnd"].strip(),
    "Seccomp": status["Seccomp"].strip(),
}
print(json.dumps(found))
"""


def probed(lab: Lab, directory: str) -> dict[str, Any]:
    """What the probe finds, for the input in ``directory``."""
    (lab.root / "opt/probe.py").write_text(f"INPUT = {directory!r}\n{PROBE}", "utf-8")
    unit = lab.say("/opt/qbwatch/bin/qbwatch", "systemd-unit")
    others = ("ExecStart", "ExecReload", "Restart", "OnFailure", "Runtime", "WatchdogSec")
    lines = [line for line in unit.splitlines() if not line.startswith(others)]
    lines.insert(lines.index("[Service]") + 1, "ExecStart=/opt/qbwatch/bin/python /opt/probe.py")
    text = "\n".join(lines).replace("Type=notify", "Type=oneshot")
    (lab.root / "etc/systemd/system/probe.service").write_text(text, "utf-8")
    lab.say("systemctl", "daemon-reload")
    lab.run("systemctl", "start", "probe")
    said = lab.say("journalctl", "--unit", "probe", "--output", "cat", "--no-pager").splitlines()
    answers = [line for line in said if line.startswith("{")]
    assert answers, said
    found: dict[str, Any] = json.loads(answers[-1])
    return found
