"""Decides how other programs are run and how missing packages of the system are got: apt, as root or by sudo."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from say import SetupError, step

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / "build" / "setup.log"
TAIL_LINES = 40
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def run(command: Sequence[str | Path], cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> bool:
    """Run a program silently, its output kept in build/setup.log; say whether it went well."""
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(map(str, command))}\n")
        log.flush()
        merged = {**os.environ, **(env or {})}
        done = subprocess.run(command, cwd=cwd, env=merged, stdout=log, stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0


def demand(
    command: Sequence[str | Path], error: SetupError, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> None:
    """Run a program that has to succeed; when it does not, show the end of its output and stop with `error`."""
    before = LOG.stat().st_size if LOG.exists() else 0
    if run(command, cwd, env):
        return
    said = COLOURS.sub("", LOG.read_bytes()[before:].decode(errors="replace"))
    tail = said.splitlines()[-TAIL_LINES:]
    print("\n".join(f"    | {line}" for line in tail))
    raise error


def apt_install(packages: Sequence[str]) -> None:
    """Install packages of Debian or Ubuntu.

    Raises SetupError with the command to type where apt, root or sudo is missing, or apt fails.
    """
    remedy = f"apt-get update && apt-get install {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise SetupError(
            f"缺少系统软件：{'、'.join(packages)}，本机没有 apt，请用本机的包管理器安装后重试",
            "System packages are missing and there is no apt here: install them your own way, then try again",
        )
    prefix = _as_root()
    if prefix is None:
        raise SetupError("需要 root 或 sudo 安装系统软件", "Root or sudo is needed to install system packages", remedy)
    step(f"安装系统软件 {' '.join(packages)}", "installing system packages")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"]
    run([*apt, "update"])  # One dead source among many is no reason to stop: the install decides.
    demand(
        [*apt, "install", "-y", "--no-install-recommends", *packages],
        SetupError("apt 安装失败", "apt could not install the packages", remedy),
    )


def _as_root() -> list[str] | None:
    """What to put before a command so that it runs as root, or None."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    return ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]
