"""Ctrl-C on `make run` reaches the server alone, and make ends as the server ended."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.setup.loading import CI

SERVER = """
import signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(int(sys.argv[1])))
print("ready", flush=True)
signal.pause()
"""

# A process of a new session takes the terminal it was given as its own, then becomes make.
TAKE_TERMINAL = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp('make', sys.argv[1:])"


def make_file(folder: Path, code: int) -> Path:
    (folder / "server.py").write_text(SERVER)
    path = folder / "Makefile"
    path.write_text(f"run:\n\t@exec {sys.executable} {CI}/foreground.py {sys.executable} {folder}/server.py {code}\n")
    return path


def start(path: Path) -> tuple[subprocess.Popen[bytes], int]:
    """`make run` on a terminal of its own; the process, and our side of the terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", TAKE_TERMINAL, "make", "-f", str(path), "run"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    read_until(ours, "ready")
    return process, ours


def read_until(terminal: int, word: str) -> str:
    said = ""
    while word not in said:
        said += os.read(terminal, 1024).decode()
    return said


def read_rest(terminal: int) -> str:
    said = ""
    try:
        while piece := os.read(terminal, 1024):
            said += piece.decode()
    except OSError:
        pass  # how a terminal says that nobody is left on the other side
    return said


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (3, 2)])  # make turns any failure into 2
def test_control_c_ends_make_with_the_servers_code(tmp_path: Path, code: int, expected: int) -> None:
    path = make_file(tmp_path, code)
    process, terminal = start(path)
    os.write(terminal, b"\x03")
    said = read_rest(terminal)
    os.close(terminal)
    assert process.wait() == expected
    assert ("Error" in said) == (code != 0)


def test_a_kill_of_make_reaches_the_server(tmp_path: Path) -> None:
    path = make_file(tmp_path, 0)
    process, terminal = start(path)
    process.send_signal(signal.SIGTERM)
    read_rest(terminal)  # ends only when the server too has let go of the terminal
    os.close(terminal)
    assert process.wait() != 0
