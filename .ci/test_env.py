"""Decides what tests need from the system: Chromium, Firefox, fonts for Chinese, and the servers that they start."""

from __future__ import annotations

import os
import shutil
from ctypes.util import find_library
from pathlib import Path

import python_env
from say import SetupError, step
from system import apt_install, demand

#: tests/conftest.py and tests/e2e/firefox.py look for the same
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FIREFOX_NAMES = ("firefox-esr", "firefox")
FONT_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("/Library/Fonts"),
    Path("/System/Library/Fonts"),
)
#: a program, the package that brings it, and the variable that names a server to be used instead
SERVERS = (
    ("redis-server", "redis-server", "KESHI_TEST_REDIS"),
    ("nginx", "nginx-light", ""),
    ("pebble", "pebble", ""),
    ("ip", "iproute2", ""),
    ("setpriv", "util-linux", ""),
    ("turnserver", "coturn", ""),
    ("faketime", "faketime", ""),
    ("systemd-analyze", "systemd", ""),
    ("go", "golang-go", ""),
)
#: what we are measured beside: a program and the package that brings it; without it that figure is left out
PEERS = (("janus", "janus"),)
#: what only long tests need: a program and the package that brings it
LONG = (("soffice", "libreoffice-impress"),)
#: Go's own packages for transparent logs, as Debian carries them: an independent checker of ours
GO_SUMDB = Path("/usr/share/gocode/src/golang.org/x/mod/sumdb")
#: where Debian keeps what is not on everybody's PATH
MORE_FOLDERS = ("/usr/sbin", "/sbin", "/usr/local/sbin")
POSTGRES_PROGRAMS = ("usr/lib/postgresql/*/bin/initdb", "usr/local/bin/initdb", "usr/bin/initdb")
FONT_PATTERNS = ("*CJK*", "*wqy*", "*PingFang*", "*SourceHan*")


def ensure(*, peers: bool = False, long: bool = False) -> None:
    """Have all of it, by apt where it is missing; `peers` as well, where apt has them; what `long` tests need.
    Raises SetupError."""
    missing = _missing_servers()
    if long:
        missing += [package for program, package in LONG if shutil.which(program) is None]
    if peers and shutil.which("apt-get"):
        missing += [package for program, package in PEERS if shutil.which(program) is None]
    if not _is_ubuntu():
        missing += _missing_browsers()
    if not _has_fonts():
        missing.append("fonts-noto-cjk")
    if missing:
        apt_install(missing)
    if not _has("CHROMIUM", CHROMIUM_NAMES):
        _playwright_chromium()
    if not _has("FIREFOX", FIREFOX_NAMES):
        raise SetupError(
            "没有可用的 Firefox，浏览器测试无法运行",
            "There is no Firefox for the browser tests, and Ubuntu's package is only a pointer to a snap",
            "安装 Mozilla 的 Firefox 或指明位置 / install Mozilla's or say where it is:  FIREFOX=/path make test",
        )


def _missing_browsers() -> list[str]:
    """The packages of browsers. Firefox plays H.264 by the system's libavcodec, which FFmpeg's package brings."""
    missing = [] if _has("CHROMIUM", CHROMIUM_NAMES) else ["chromium"]
    if not _has("FIREFOX", FIREFOX_NAMES):
        missing.append("firefox-esr")
    return missing if find_library("avcodec") else [*missing, "ffmpeg"]


def _missing_servers() -> list[str]:
    """The packages of servers that tests/servers.py and others would not find."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *MORE_FOLDERS))
    missing = [
        package
        for program, package, given in SERVERS
        if not os.environ.get(given or "-") and shutil.which(program, path=path) is None
    ]
    if not GO_SUMDB.is_dir():
        missing.append("golang-golang-x-mod-dev")
    has_postgres = any(next(Path("/").glob(pattern), None) for pattern in POSTGRES_PROGRAMS)
    return missing if has_postgres or os.environ.get("KESHI_TEST_POSTGRES") else [*missing, "postgresql"]


def _has(variable: str, names: tuple[str, ...]) -> bool:
    """Whether there is such a browser; the variable names one that lies elsewhere."""
    named = os.environ.get(variable)
    return bool(named and Path(named).exists()) or any(map(shutil.which, names))


def _is_ubuntu() -> bool:
    """Ubuntu's browser packages are only pointers to snaps, which containers and CI cannot run."""
    release = Path("/etc/os-release")
    return release.exists() and "ID=ubuntu" in release.read_text().splitlines()


def _has_fonts() -> bool:
    return any(
        next(folder.rglob(pattern), None) for folder in FONT_FOLDERS if folder.is_dir() for pattern in FONT_PATTERNS
    )


def _playwright_chromium() -> None:
    """Fetch the Chromium that belongs to the locked Playwright; quick when it is there already."""
    step("准备 Playwright 的 Chromium", "having Playwright fetch its Chromium")
    demand(
        [python_env.PYTHON, "-m", "playwright", "install", "--with-deps", "chromium"],
        SetupError(
            "没有可用的 Chromium，浏览器测试无法运行",
            "There is no Chromium for the browser tests",
            "安装 Chromium 或指明位置 / install one or say where it is:  CHROMIUM=/path make test",
        ),
    )
