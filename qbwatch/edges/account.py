"""Meeting the world as another user: what root may read says nothing about what the daemon may."""

from __future__ import annotations

import os
import pickle
import pwd
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import qbwatch

T = TypeVar("T")


def own_account() -> str:
    """The name of the user that this process is."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def become(name: str) -> str | None:
    """Go on as another user, for good, so that all checks meet that user's rights. For root alone; gives the reason
    when that user couldn't go on, and then nothing has changed."""
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        return f"there is no user {name}"
    groups = os.getgroups()
    os.initgroups(name, account.pw_gid)
    os.setegid(account.pw_gid)
    os.seteuid(account.pw_uid)
    sees = all(os.access(path, os.R_OK, effective_ids=True) for path in (sys.executable, qbwatch.__file__))
    os.seteuid(0)
    os.setegid(0)
    if not sees:
        os.setgroups(groups)
        return f"user {name} can't read the program in {Path(qbwatch.__file__).parent}"
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    os.environ.update(HOME=account.pw_dir, USER=name, LOGNAME=name)
    return None


def answered_as(name: str, function: Callable[[], T]) -> T:
    """What ``function`` gives when ``name`` asks, in a fork of this process; here, where we can't become that user.

    An exception is raised here as it was there.
    """
    if os.geteuid() != 0 or not _exists(name):
        return function()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer_in_child(name, function, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    answer: Any = pickle.loads(told) if told else RuntimeError("the child ended without an answer")
    if isinstance(answer, Exception):
        raise answer
    found: T = answer
    return found


def _answer_in_child(name: str, function: Callable[[], Any], writing: int) -> None:
    """Never returns: nothing of the parent may go on in its fork."""
    try:
        become(name)
        told = function()
    except Exception as error:  # noqa: BLE001 (the parent raises it)
        told = error
    with suppress(Exception), os.fdopen(writing, "wb") as pipe:
        pickle.dump(told, pipe)
    os._exit(0)


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
