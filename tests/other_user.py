"""Do something as another user of this machine: what permissions are worth is seen only from outside."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable

import pytest


def another_user(*names: str) -> pwd.struct_passwd:
    """The first of these users that exists; skips the test when we are not root, for then we can be no one else."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to act as another user")
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip(f"needs one of the users {', '.join(names)}")


def answer_as(user: pwd.struct_passwd, function: Callable[[], str]) -> str:
    """What ``function`` answers in a fork of this process that has become ``user``; or its exception, as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
            os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
            answer = function()
        except BaseException as error:  # noqa: BLE001  (nothing may leave the fork: pytest would run on in it)
            answer = f"{type(error).__name__}: {error}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    return answer
