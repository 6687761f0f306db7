"""A second machine on the same network: a network namespace with two addresses, joined to this one by a cable (veth).

`enter(command)` is the command that runs another in it; `program(folder, path)` a program that starts another, say a
browser, in it; `reach(port)` the way to something on its loopback, say that browser's debugging port.
"""

import fcntl
import os
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: addresses that no test and no container uses; each space takes eight of them
NETWORK = "10.249"
WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Space:
    """`server` is our end of the cable; `first` and `second` are the two addresses at the other end."""

    name: str
    server: str
    first: str
    second: str

    def enter(self, command: Sequence[str]) -> list[str]:
        """The command that runs `command` in there."""
        return [*as_root(), "ip", "netns", "exec", self.name, *command]

    def run(self, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in there to its end."""
        return subprocess.run(
            self.enter(command), capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
            env={**os.environ, **environment},
        )  # fmt: skip

    def program(self, folder: Path, path: str) -> str:
        """A program in `folder` that starts the program `path` in there with whatever it is given: a browser, say."""
        script = folder / f"{self.name}-{Path(path).name}"
        script.write_text(f'#!/bin/sh\nexec {shlex.join(self.enter([path]))} "$@"\n')
        script.chmod(0o755)
        return str(script)

    @contextmanager
    def reach(self, port: int) -> Iterator[str]:
        """`http://address:port` from here of something that listens only on the loopback of in there."""
        command = self.enter([sys.executable, "-m", "tests.network.relay", self.first, str(port)])
        relay = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert relay.stdout is not None
            listening = int(relay.stdout.readline())
            yield f"http://{self.first}:{listening}"
        finally:
            relay.terminate()
            relay.wait(WAIT_S)
            if relay.stdout is not None:
                relay.stdout.close()


@contextmanager
def space() -> Iterator[Space]:
    """A namespace while the block runs; it is removed with everything in it."""
    with _free_number() as number:
        third, base = divmod(number * 8, 256)
        name, ours, theirs = f"keshi{number:x}", f"ksa{number:x}", f"ksb{number:x}"
        made = Space(name, *(f"{NETWORK}.{third}.{base + host}" for host in (1, 2, 3)))
        _ip("netns", "add", name)
        try:
            _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
            _ip("address", "add", f"{made.server}/29", "dev", ours)
            _ip("link", "set", ours, "up")
            for address in (made.first, made.second):
                _ip("-n", name, "address", "add", f"{address}/29", "dev", theirs)
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "link", "set", theirs, "up")
            _wait_for(made)
            yield made
        finally:
            _kill_all(name)
            _ip("netns", "del", name)


@contextmanager
def _free_number() -> Iterator[int]:
    """A number below 8192 that no other test of this machine holds."""
    folder = Path(tempfile.gettempdir()) / "keshi-spaces"
    folder.mkdir(exist_ok=True)
    while True:
        number = secrets.randbelow(8_192)
        with (folder / str(number)).open("w") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            _clear(number)
            yield number
            (folder / str(number)).unlink()
            return


def _clear(number: int) -> None:
    """What a killed test left under this number."""
    left = subprocess.run([*as_root(), "ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    if f"keshi{number:x}" in left.split():
        _kill_all(f"keshi{number:x}")
        _ip("netns", "del", f"keshi{number:x}")


def _wait_for(made: Space) -> None:
    end = time.monotonic() + WAIT_S
    while made.run("ip", "route", "get", made.server).returncode:
        assert time.monotonic() < end, "the cable does not come up"
        time.sleep(0.05)


def _kill_all(name: str) -> None:
    """End what still runs in there: nothing outlives its test."""
    found = subprocess.run([*as_root(), "ip", "netns", "pids", name], capture_output=True, text=True, check=False)
    for pid in found.stdout.split():
        subprocess.run([*as_root(), "kill", "-9", pid], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    done = subprocess.run([*as_root(), "ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {shlex.join(arguments)}: {done.stderr}"


def as_root() -> list[str]:
    """What goes before a command that needs root."""
    return [] if os.geteuid() == 0 else ["sudo", "-n", "-E"]
