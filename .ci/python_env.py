"""Decides what is in .venv: exactly the hash-locked packages, made with any Python from 3.11 on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import stamp
from say import SetupError, step
from system import ROOT, apt_install, demand

OLDEST = (3, 11)
NEWEST_TRIED_MINOR = 15
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RUN_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"  # holds all of requirements.lock and the tools of test and check


def ensure(dev: bool) -> None:
    """Make .venv hold what running needs, with `dev` also what test and check need.

    Raises SetupError when no fitting Python, no way to make an environment or no registry is at hand.
    """
    base, version = find_python()
    run_stamp, dev_stamp = VENV / ".run-stamp", VENV / ".dev-stamp"
    run_value, dev_value = stamp.digest([RUN_LOCK], version), stamp.digest([RUN_LOCK, DEV_LOCK], version)
    wanted = (dev_stamp, dev_value) if dev else (run_stamp, run_value)
    if PYTHON.exists() and stamp.fresh(*wanted):
        return
    _ensure_venv(base, version)
    if dev:
        step("安装 Python 依赖与测试工具（约一分钟）", "installing Python packages and test tools, about a minute")
    else:
        step("安装 Python 依赖（约一分钟）", "installing Python packages, about a minute")
    pip_install(DEV_LOCK if dev else RUN_LOCK)
    stamp.leave(run_stamp, run_value)
    if dev:
        stamp.leave(dev_stamp, dev_value)


def pip_install(lock: Path) -> None:
    """Install what a lock names: every file checked against its hash, nothing compiled, nothing resolved."""
    quiet = ["-q", "--disable-pip-version-check", "--no-input", "--retries", "5", "--timeout", "60"]
    exact = ["--require-hashes", "--only-binary", ":all:", "--no-deps"]
    demand(
        [PYTHON, "-m", "pip", "install", *quiet, *exact, "-r", lock],
        SetupError(
            "Python 依赖安装失败，请检查到软件源的网络",
            "The Python packages could not be installed: check the way to the package registry",
            "换用镜像 / with a mirror:  PIP_INDEX_URL=<镜像地址 mirror> make run",
        ),
        env={"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"},
    )


def find_python() -> tuple[str, str]:
    """The interpreter to build on and its version as "3.11": this one if new enough, else the newest on PATH.

    Raises SetupError when there is none.
    """
    if sys.version_info[:2] >= OLDEST:
        # Inside an environment, build on what that environment was built on.
        base = getattr(sys, "_base_executable", None) or sys.executable
        return base, f"{sys.version_info[0]}.{sys.version_info[1]}"
    for minor in range(NEWEST_TRIED_MINOR, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and _answers(found, ""):  # a version switcher leaves names that start nothing
            return found, f"3.{minor}"
    raise SetupError(
        f"需要 Python 3.11 或更新版本，这里是 {sys.version.split()[0]}",
        f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}",
        "Debian 12、Ubuntu 24.04 或更新系统自带 / comes with Debian 12, Ubuntu 24.04 and newer",
    )


def _ensure_venv(base: str, version: str) -> None:
    """Make .venv unless a working one of this Python version is there already."""
    if PYTHON.exists() and _answers(
        str(PYTHON), f"import pip, sys; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
    ):
        return
    if not _answers(base, "import ensurepip, venv"):
        apt_install([f"python{version}-venv"])
    step("建立 Python 环境 .venv", "making the Python environment .venv")
    demand(
        [base, "-m", "venv", "--clear", VENV],
        SetupError(
            "无法建立 Python 环境",
            "The Python environment could not be made",
            f"apt-get install python{version}-venv",
        ),
    )


def _answers(python: str, code: str) -> bool:
    """Whether this interpreter runs this code without an error."""
    return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0
