"""The kernel's limits, really reached: in a user namespace, whose limits are its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
_INSIDE = """
import json, sys
from pathlib import Path

name, value, root = sys.argv[1:]
Path("/proc/sys/user", name).write_text(value)

from running_intake import running
from waiting import wait_until

with running(Path(root)) as run:
    wait_until(lambda: "watch_refused" in run.problems(), 20)
    [problem] = run.intake.state().problems
    answer = json.dumps([problem.summary, problem.hint, run.intake.state().watcher])
    (run.directory / "49" / "a.csv").write_bytes(b"x\\n")
    run.admitted(b"49/a.csv")
print(answer)
"""


@pytest.mark.parametrize(("limit", "value"), [("max_inotify_watches", 10), ("max_inotify_instances", 0)])
def test_a_limit_that_is_reached_is_named_with_its_value_and_everything_is_found_by_polling(
    tmp_path: Path, limit: str, value: int
) -> None:
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("needs unshare")
    namespace = [unshare, "--user", "--map-root-user"]
    writable = f"echo {value} > /proc/sys/user/{limit}"
    if subprocess.run([*namespace, "sh", "-c", writable], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to make a user namespace")
    for number in range(50):
        (tmp_path / "input" / str(number)).mkdir(parents=True)
    done = subprocess.run(
        [*namespace, sys.executable, "-c", _INSIDE, limit, str(value), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    summary, hint, watcher = json.loads(done.stdout.splitlines()[-1])
    assert f"user.{limit} = {value}" in summary
    assert "space" not in summary
    assert f"sysctl -w user.{limit}=1024" in hint
    assert watcher == "polling"
