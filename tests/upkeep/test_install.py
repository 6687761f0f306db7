"""The installer: into a folder, twice, upgraded, removed; its units please systemd."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.repo import ROOT

INSTALLER = ROOT / "deploy" / "install.py"
UNITS = ("keshi.service", "keshi-media.service")


def _run(root: Path, *more: str, umask: int = 0o022) -> str:
    command = [sys.executable, "-B", str(INSTALLER), "--root", str(root), *more]
    return subprocess.run(command, check=True, capture_output=True, text=True, umask=umask).stdout


def _all(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _verify(root: Path) -> str:
    """What systemd says of the units, all that they name lying below `root`."""
    folder = root / "etc/systemd/system"
    (root / "python").touch(mode=0o755)
    for unit in UNITS:
        text = (folder / unit).read_text()
        (folder / unit).write_text(text.replace("/usr/local/lib/keshi/venv/bin/python", str(root / "python")))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(folder / unit) for unit in UNITS)],
        capture_output=True, text=True, check=False, env=os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:"},
    )  # fmt: skip
    return "".join(line for line in done.stderr.splitlines(True) if "keshi" in line)


def test_twice_is_as_once_and_what_the_operator_wrote_stays(tmp_path: Path) -> None:
    assert "keshi init" in _run(tmp_path, umask=0o077)
    first = _all(tmp_path)
    assert "  data: /var/lib/keshi\n" in first["etc/keshi/config.yaml"].decode()
    assert (tmp_path / "var/lib/keshi").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "etc/keshi/environment").stat().st_mode & 0o007 == 0
    for path in (tmp_path / "usr/local").rglob("*"):
        assert path.stat().st_mode & 0o005 == 0o005 or path.is_file(), f"the service cannot read {path}"
    _run(tmp_path)
    assert _all(tmp_path) == first
    for name in ("etc/keshi/config.yaml", "etc/keshi/environment", "var/lib/keshi/keshi.db"):
        (tmp_path / name).write_text("the operator's own")
    (tmp_path / "usr/local/lib/keshi/app/server/stale.py").write_text("of an older version")
    _run(tmp_path)
    for name in ("etc/keshi/config.yaml", "etc/keshi/environment", "var/lib/keshi/keshi.db"):
        assert (tmp_path / name).read_text() == "the operator's own"
    assert not (tmp_path / "usr/local/lib/keshi/app/server/stale.py").exists()
    assert not list((tmp_path / "usr/local/lib/keshi").glob("app.*"))


def test_uninstall_keeps_settings_and_data(tmp_path: Path) -> None:
    _run(tmp_path)
    (tmp_path / "var/lib/keshi/keshi.db").write_text("data")
    _run(tmp_path, "--uninstall")
    left = set(_all(tmp_path))
    assert left == {
        "etc/keshi/config.yaml",
        "etc/keshi/config.yaml.new",
        "etc/keshi/environment",
        "var/lib/keshi/keshi.db",
    }
    _run(tmp_path, "--uninstall")


def test_what_is_installed_runs_from_elsewhere(tmp_path: Path) -> None:
    _run(tmp_path)
    app = tmp_path / "usr/local/lib/keshi/app"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "server", "init", "--data", str(tmp_path / "data")],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(app)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "/desk.html#/welcome/" in done.stdout


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    _run(tmp_path)
    assert _verify(tmp_path) == ""


def test_systemd_would_have_found_it(tmp_path: Path) -> None:
    _run(tmp_path)
    unit = tmp_path / "etc/systemd/system/keshi.service"
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=strictly"))
    assert "protect system" in _verify(tmp_path)


@pytest.mark.parametrize("unit", UNITS)
def test_units_give_the_service_little(unit: str) -> None:
    text = (ROOT / "deploy/systemd" / unit).read_text().splitlines()
    for line in ("User=keshi", "NoNewPrivileges=yes", "ProtectSystem=strict", "UMask=0077", "Restart=always"):
        assert line in text
    assert not [line for line in text if line.startswith("User=root") or "CAP_SYS" in line]


def test_the_wrapper_is_good_shell() -> None:
    subprocess.run(["sh", "-n", str(ROOT / "deploy/keshi.sh")], check=True)
