"""The service as a process of its own, started as `make run` starts it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
STOP_S = 15.0


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


class Service:
    """`python -m server serve`; `folder` holds data, settings and what it prints. `secure`: with a local authority."""

    def __init__(
        self, folder: Path, *options: str, port: int | None = None, host: str = "127.0.0.1", secure: bool = False
    ) -> None:
        self.folder, self.data, self.options = folder, folder / "data", options
        self.host, self.port = host, port or free_port(host)
        self.url = f"{'https' if secure else 'http'}://{host}:{self.port}"
        self.printed = folder / "printed.txt"
        self.settings = folder / "config.yaml"
        if not self.settings.exists():
            tls = f"tls:\n  mode: local-ca\n  http_port: {free_port(host)}\n" if secure else ""
            self.settings.write_text(f"{tls}media:\n  udp_port: 0\n")
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start and do not wait."""
        where = [
            "--config",
            str(self.settings),
            "--data",
            str(self.data),
            "--port",
            str(self.port),
            "--host",
            self.host,
        ]
        command = [sys.executable, "-m", "server", "serve", *where, *self.options]
        with self.printed.open("ab") as out:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, start_new_session=True)
        return self.process

    def start(self) -> float:
        """Start, wait for the line that says so; returns the seconds it took."""
        begun, before = time.monotonic(), len(self.output())
        process = self.spawn()
        while f"ready {self.url}" not in self.output()[before:]:
            if process.poll() is not None or time.monotonic() - begun > START_S:
                raise AssertionError(f"not started, {process.poll()}: {self.output()[before:]}")
            time.sleep(0.05)
        return time.monotonic() - begun

    def output(self) -> str:
        return self.printed.read_text() if self.printed.exists() else ""

    def refused(self) -> tuple[int, str]:
        """Start something that must not start: its exit status and what it said."""
        before = len(self.output())
        process = self.spawn()
        return process.wait(START_S), self.output()[before:]

    def interrupt(self) -> tuple[int, float]:
        """Ctrl-C: the exit status and the seconds it took."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_S), time.monotonic() - begun

    def kill(self) -> None:
        """SIGKILL, as a power cut or the kernel does it."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(STOP_S)

    def password(self, login: str) -> str:
        """A demo account's password."""
        accounts = json.loads((self.data / "accounts.json").read_text())
        found: str = next(one["password"] for one in accounts if one["login"] == login)
        return found


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command of the command line, to its end."""
    command = [sys.executable, "-m", "server", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=START_S, check=False)


def one_time_secret(printed: str) -> str:
    """The secret in a printed one-time link."""
    found = re.search(r"#/welcome/(\S+)", printed)
    assert found, printed
    return found.group(1)
