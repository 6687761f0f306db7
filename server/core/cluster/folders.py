"""Decides what proves on one host that a process lives: the lock on its own folder, which the kernel lets go with it.

`nodes/<node>/lock` is held by flock; the spool and the internal socket lie beside it. A folder becomes visible only
when it is locked, so nobody takes a process for dead that is just beginning.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.core.cluster.rules import NODE_FORM

LOCK: Final = "lock"
SOCKET: Final = "sock"


@dataclass(frozen=True, slots=True)
class Folder:
    """This process's own folder; `handle` holds its lock."""

    node: str
    path: Path
    handle: int

    def close(self) -> None:
        """Let go: from now on others may take over what lies in it."""
        os.close(self.handle)


def make_folder(nodes: Path) -> Folder:
    """A new folder under `nodes` with a new random id, locked."""
    nodes.mkdir(parents=True, exist_ok=True, mode=0o700)
    node = secrets.token_hex(8)
    draft = nodes / f".{node}"
    draft.mkdir(mode=0o700)
    handle = os.open(draft / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return Folder(node, draft.rename(nodes / node), handle)


def folders(nodes: Path) -> dict[str, Path]:
    """The folders of all processes of this host, living and dead."""
    return {path.name: path for path in sorted(nodes.glob("*")) if NODE_FORM.fullmatch(path.name)}


def lives(folder: Path) -> bool:
    """Whether somebody holds the lock of a folder; a frozen process still does."""
    with _lock(folder) as taken:
        return taken is False


def bury(folder: Path) -> bool:
    """Remove a dead process's folder; False, and nothing happens, when it lives.

    It is out of sight before anything in it goes, so that nobody ever meets half of it.
    """
    with _lock(folder) as taken:
        if taken:
            shutil.rmtree(folder.rename(folder.with_name(f".{folder.name}")))
    return bool(taken)


@contextmanager
def _lock(folder: Path) -> Iterator[bool | None]:
    """True with the lock in hand, False when another has it, None when there is none."""
    try:
        handle = os.open(folder / LOCK, os.O_RDWR)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        taken = True
    except BlockingIOError:
        taken = False
    try:
        yield taken
    finally:
        os.close(handle)
