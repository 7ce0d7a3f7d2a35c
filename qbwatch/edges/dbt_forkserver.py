"""The warm dbt: a process that has imported dbt and parsed the project, and forks itself for each command.

Importing dbt costs a hundred megabytes and, with parsing, most of the time that a build of a small project takes. So
this runs beside the daemon while files come in, and leaves when nothing was asked of it for a while. It is started by
its path, not as a module: nothing of qbwatch is imported here. It holds no connection to the database.

Its arguments: the parent's process, the number of a socket, how many idle seconds it stays, and dbt's flags. Over the
socket, one line of JSON each:

    ▶ {"run": [arguments], "target": folder}   with the descriptor that takes the command's output
    ▶ {"kill": true}                           while a command runs: end it and what it started
    ◀ {"ready": true} · {"failed": reason}     once, after the project was parsed
    ◀ {"started": pid} · {"ended": exit code}  of a command; negative: the signal that killed it

The channel's end, or its other side's, ends this process and its command. So does the end of the thread that started
it, by the kernel's own hand, and a command ends with this process in the same way.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib.util
import json
import os
import select
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

LOOK_EVERY_SECONDS = 0.02
_RECEIVED_AT_ONCE = 1 << 16

Message = dict[str, Any]


class Channel:
    """Messages over a stream socket, with a descriptor beside a message where one is sent along."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._received = b""

    def send(self, message: Message, descriptor: int | None = None) -> None:
        """Raises `OSError` when nobody is there any more."""
        line = json.dumps(message).encode() + b"\n"
        if descriptor is not None:  # goes along with the first byte
            socket.send_fds(self.connection, [line[:1]], [descriptor])
            line = line[1:]
        self.connection.sendall(line)

    def has_news(self) -> bool:
        """Whether there is something to receive, or the other side is gone."""
        return bool(self._received or select.select([self.connection], [], [], 0)[0])

    def receive(self, timeout_seconds: float) -> tuple[Message, int] | None:
        """The next message and its descriptor (-1 without one); None when none came. Raises `EOFError` at the end."""
        if not select.select([self.connection], [], [], timeout_seconds)[0]:
            return None
        descriptor = -1
        while b"\n" not in self._received:
            chunk, descriptors, _, _ = socket.recv_fds(self.connection, _RECEIVED_AT_ONCE, 1)
            if not chunk:
                raise EOFError
            self._received += chunk
            descriptor = descriptors[0] if descriptors else descriptor
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line), descriptor


def live_and_die_with(parent: int, name: str) -> None:
    """Have the kernel end this process with the thread that started it; give it a name that `ps` shows."""
    if sys.platform == "linux":
        import ctypes

        libc = ctypes.CDLL(None)
        libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        libc.prctl(15, name.encode(), 0, 0, 0)  # PR_SET_NAME
    if os.getppid() != parent:  # it died before we could ask
        os._exit(1)


def beside(name: str) -> Any:
    """A module that lies beside this one; not by its package, which would bring more of qbwatch along."""
    place = Path(__file__).with_name(f"{name}.py")
    found = importlib.util.spec_from_file_location(name, place)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def parsed(arguments: list[str]) -> Any:
    """The project's manifest. Raises whatever dbt says is wrong."""
    import dbt.adapters.postgres
    import dbt.task.build
    import dbt.task.test  # noqa: F401 - what dbt imports only when a command wants it, a tenth of a second each time
    from dbt.cli.main import dbtRunner

    shortcuts = beside("dbt_shortcuts")
    shortcuts.spare_unread_lines()
    shortcuts.keep_sessions()
    result = dbtRunner().invoke(["parse", "--no-write-json", *arguments])
    if not result.success:
        raise RuntimeError(str(result.exception or "the project could not be parsed"))
    return result.result


def make_ready(channel: Channel, manifest: Any) -> None:
    """While nobody wants anything: compile the project's macros, which each command would do for itself.

    What is here then stays here: children needn't look through it for garbage, and so don't copy it.
    """
    from dbt_common.clients.jinja import template_cache

    for macro in manifest.macros.values():
        if channel.has_news():
            return
        with contextlib.suppress(Exception):  # whoever calls a macro that is wrong is told so then
            template_cache.get_node_template(macro)
    gc.collect()
    gc.freeze()


def serve(channel: Channel, manifest: Any, idle_seconds: float) -> None:
    """Run commands until there is none for a while."""
    make_ready(channel, manifest)
    while (asked := channel.receive(idle_seconds)) is not None:
        request, output = asked
        if "run" not in request:  # a kill that came too late
            continue
        server, child = os.getpid(), os.fork()
        if child == 0:
            channel.connection.close()
            become_command(server, output)
            code = 1
            try:
                code = command(request["run"], Path(request["target"]), manifest)
            except BaseException:  # noqa: BLE001 - the end of this process, told as Python would
                traceback.print_exc()
            leave(code)
        os.close(output)
        try:
            channel.send({"started": child})
            channel.send({"ended": outlived(channel, child)})
            make_ready(channel, manifest)
        except BaseException:
            end(child)
            raise


def leave(code: int) -> None:
    """End this command: logs closed and semaphores given back, as at every exit, but without taking apart a hundred
    megabytes that are shared with the warm process and would have to be copied for it."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def become_command(server: int, output: int) -> None:
    """A process group of its own, and its own output."""
    os.setsid()
    live_and_die_with(server, "dbt-build")
    gc.set_threshold(50_000, 20, 20)  # it doesn't live long enough to be tidied often
    for standard in (1, 2):
        os.dup2(output, standard)
    os.close(output)


def command(arguments: list[str], target: Path, manifest: Any) -> int:
    """Run a dbt command with the parsed project; the exit code is the one that dbt itself would give.

    The results are written here, since dbt writes them only together with the manifest: megabytes for nobody.
    """
    from dbt.cli.main import dbtRunner

    models = {
        name: (node.schema, node.alias, node.config.materialized)
        for name, node in manifest.nodes.items()
        if name.startswith(("model.", "snapshot.", "seed."))
    }
    (target / "models.json").write_text(json.dumps(models))
    ended = dbtRunner(manifest).invoke([*arguments, "--no-write-json"])
    results: Any = ended.result
    if hasattr(results, "write"):
        results.write(str(target / "run_results.json"))
    if ended.exception is not None:
        sys.stderr.write(f"{type(ended.exception).__name__}: {ended.exception}\n")
        return 2
    return 0 if ended.success else 1


def outlived(channel: Channel, child: int) -> int:
    """Wait for the command's end, and bring it about when asked to. Its exit code."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        asked = channel.receive(LOOK_EVERY_SECONDS)
        if asked is not None and "kill" in asked[0]:
            end_group(child)


def end_group(child: int) -> None:
    """Kill a child that wasn't waited for yet, and all it started. It may not have come to make its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)


def end(child: int) -> None:
    """Kill a child and wait for its end."""
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        end_group(child)
        os.waitpid(child, 0)


def main() -> int:
    """Parse the project that the arguments name, then serve."""
    parent, descriptor, idle_seconds, *arguments = sys.argv[1:]
    live_and_die_with(int(parent), "dbt-warm")
    channel = Channel(socket.socket(fileno=int(descriptor)))
    try:
        manifest = parsed(arguments)
    except Exception as error:  # noqa: BLE001 - told to whoever started us; the cold build says it again, at length
        channel.send({"failed": " ".join(str(error).split())[:500]})
        return 1
    try:
        channel.send({"ready": True})
        serve(channel, manifest, float(idle_seconds))
        return 0
    except (EOFError, OSError):  # whoever started us is gone, or doesn't want us any more
        return 0


if __name__ == "__main__":
    sys.exit(main())
