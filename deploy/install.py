"""Installs Keshi as a service on this machine, or upgrades it; run by `make install` as root, again whenever you like.

    install.py [--root FOLDER]               install below FOLDER instead of / : for packages and for trying
    install.py --uninstall [--root FOLDER]   remove the programs, keep settings and data

Code goes to /usr/local/lib/keshi, settings to /etc/keshi, data to /var/lib/keshi. What is there already and belongs to
the operator (settings, data, account) is never changed. Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent
LIB, ETC, DATA, BACKUPS = "usr/local/lib/keshi", "etc/keshi", "var/lib/keshi", "var/backups/keshi"
WRAPPER = "usr/local/bin/keshi"
FILES = {
    "systemd/keshi.service": "etc/systemd/system/keshi.service",
    "systemd/keshi-media.service": "etc/systemd/system/keshi-media.service",
    "systemd/journald@keshi.conf": "etc/systemd/journald@keshi.conf",
    "keshi.sh": WRAPPER,
}
CODE = ("server", "media", "migrations", "web/dist", "requirements.lock", "LICENSE", "NOTICE")
ACCOUNT = "keshi"
#: no service looks into these (ProtectHome)
HOMES = (Path("/root"), Path("/home"))
ENVIRONMENT = """# 数据库与 Redis 的地址（含密码）写在这里，不写进 config.yaml。 Addresses that hold a password.
# KESHI_DATABASE=postgresql://keshi:password@127.0.0.1/keshi
# KESHI_REDIS=redis://127.0.0.1:6379/0
"""


def install(root: Path) -> None:
    """Bring everything below `root`; account, packages and services only when it is the machine itself."""
    real = root == Path("/")
    if not (CHECKOUT / "web" / "dist" / "learn.html").exists():
        sys.exit("网页还没有生成：先 make setup · build the pages first: make setup")
    if real:
        _account()
    _code(root / LIB)
    if real:
        _packages(root / LIB)
    for source, target in FILES.items():
        _put(HERE / source, root / target, 0o755 if target == WRAPPER else 0o644)
    _settings(root / ETC)
    for folder in (DATA, BACKUPS):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder).chmod(0o700)
        if real:
            shutil.chown(root / folder, ACCOUNT, ACCOUNT)
    if real:
        shutil.chown(root / ETC / "config.yaml", "root", ACCOUNT)
        shutil.chown(root / ETC / "environment", "root", ACCOUNT)
        _services("daemon-reload")
        _services("enable", "keshi.service")
        _services("try-restart", "keshi-media.service", "keshi.service")
    print("安装完成 · installed. 首次使用 · the first time: keshi init ; systemctl start keshi ; keshi doctor")


def uninstall(root: Path) -> None:
    """Remove the programs; settings, data, backups and the account stay."""
    if root == Path("/"):
        _services("disable", "--now", "keshi.service", "keshi-media.service")
    for target in FILES.values():
        (root / target).unlink(missing_ok=True)
    shutil.rmtree(root / LIB, ignore_errors=True)
    if root == Path("/"):
        _services("daemon-reload")
    print(f"已卸载，设置与数据保留 · removed; kept: /{ETC} /{DATA} /{BACKUPS}")


def _code(lib: Path) -> None:
    """The new code beside the old, then in its place."""
    fresh, old = lib / "app.new", lib / "app.old"
    for folder in (fresh, old):
        shutil.rmtree(folder, ignore_errors=True)
    for name in CODE:
        source, target = CHECKOUT / name, fresh / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    _readable(fresh)
    if (lib / "app").exists():
        (lib / "app").rename(old)
    fresh.rename(lib / "app")
    shutil.rmtree(old, ignore_errors=True)


def _readable(folder: Path) -> None:
    """Whatever the umask of who installs: the service must read its code, and may not write it."""
    for path in (folder.parent, folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _packages(lib: Path) -> None:
    """An environment of the locked packages; made anew only when the lock or Python has changed."""
    lock, stamp = CHECKOUT / "requirements.lock", lib / "venv" / ".stamp"
    value = f"{_python()} {sys.version} {hashlib.sha256(lock.read_bytes()).hexdigest()}"
    if stamp.is_file() and stamp.read_text() == value:
        return
    subprocess.run([_python(), "-m", "venv", "--clear", lib / "venv"], check=True)
    pip = [lib / "venv" / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    exact = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", lock]
    subprocess.run([*pip, *exact], check=True)
    stamp.write_text(value)


def _python() -> str:
    """A Python that the service's account can run: the system's own first, none that lies in somebody's home."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    for name in ("/usr/bin/python3", "/usr/local/bin/python3", base):
        found = Path(name).resolve()
        if not found.is_file() or any(found.is_relative_to(home) for home in HOMES):
            continue
        fits = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
        if subprocess.run([name, "-c", fits], capture_output=True, check=False).returncode == 0:
            return name
    sys.exit("需要系统的 Python 3.11 以上与 venv · the system's Python 3.11+ with venv: apt-get install python3-venv")


def _settings(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    shipped = (CHECKOUT / "config.yaml").read_text(encoding="utf-8")
    ours = shipped.replace("  data: data/keshi\n", f"  data: /{DATA}\n")
    if ours == shipped:
        sys.exit("config.yaml: data: data/keshi is expected")
    for name, text in (("config.yaml", ours), ("environment", ENVIRONMENT)):
        if not (folder / name).exists():
            (folder / name).touch(mode=0o640)
            (folder / name).write_text(text, encoding="utf-8")
    (folder / "config.yaml.new").write_text(ours, encoding="utf-8")  # to compare with after an upgrade


def _put(source: Path, target: Path, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, draft)
    draft.chmod(mode)
    draft.replace(target)


def _account() -> None:
    try:
        pwd.getpwnam(ACCOUNT)
    except KeyError:
        about = [
            "--system",
            "--user-group",
            "--home-dir",
            f"/{DATA}",
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
        ]
        subprocess.run(["useradd", *about, ACCOUNT], check=True)


def _services(*words: str) -> None:
    """Where systemd does not run (a container) there is nothing to tell it."""
    if Path("/run/systemd/system").is_dir():
        subprocess.run(["systemctl", *words], check=False)


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; 0 when it went well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("/"))
    parser.add_argument("--uninstall", action="store_true")
    options = parser.parse_args(arguments)
    if options.root == Path("/") and os.geteuid() != 0:
        print("需要 root · run as root: sudo make install")
        return 1
    os.umask(0o022)  # whoever installs: the service's account must be able to read its code
    (uninstall if options.uninstall else install)(options.root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
