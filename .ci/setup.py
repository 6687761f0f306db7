"""The set-up of Keshi, called by the Makefile: from a bare machine to one that can run, test or check.

    setup.py run          .venv with what the server needs, and the pages built
    setup.py check        .venv with the tools of test and check besides, and those of the pages
    setup.py test         all of that, a Chromium and Chinese fonts
    setup.py long         all of that, and LibreOffice
    setup.py bench        all of that, and what we are measured beside
    setup.py npm ARGS...  npm in web/, with the right Node

Standard library only. Every step looks first whether its input has changed: the second time nothing is done.
Two at once wait for each other. What it runs writes to build/setup.log.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import python_env
import test_env
import web_env
from say import SetupError, refuse, step
from system import ROOT

INTERRUPTED = 130


@contextmanager
def alone() -> Iterator[None]:
    """Let one set-up run at a time in this checkout; the kernel lets go of the lock if it is killed."""
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    with (folder / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            step("另一个安装正在进行，等待", "another set-up is running, waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare(goal: str) -> None:
    """Bring the checkout to where `goal` (run, check, test, long, bench or npm) can be done. Raises SetupError."""
    with alone():
        python_env.ensure(dev=goal in {"check", "test", "long", "bench"})
        if goal != "run":
            web_env.install(*web_env.npm())
        if goal == "bench":
            web_env.install(*web_env.npm(), web_env.PEER)
        if goal in {"run", "test", "long", "bench"}:
            web_env.build()
        if goal in {"test", "long", "bench"}:
            test_env.ensure(peers=goal == "bench", long=goal == "long")


def call_npm(arguments: list[str]) -> int:
    """Run npm in web/ for whoever called, and hand on its exit code."""
    command, env = web_env.npm()
    return subprocess.run([*command, *arguments], cwd=web_env.WEB, env={**os.environ, **env}, check=False).returncode


def main(arguments: list[str]) -> int:
    """Do what the command line says; 0 when it went well."""
    goal, *rest = arguments or [""]
    if goal not in {"run", "check", "test", "long", "bench", "npm"}:
        print(__doc__)
        return 2
    try:
        prepare(goal)
        return call_npm(rest) if goal == "npm" else 0
    except SetupError as error:
        refuse(error)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
