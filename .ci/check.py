"""What `make check` looks at, in the order of what fails fastest; all of it runs, also after a failure.

check.py [NAME]    only the check of this name
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PY = [sys.executable, "-m"]
NPM = [sys.executable, "-B", ".ci/setup.py", "npm", "--silent", "run"]
TYPED = ("server", "media", "tests", "migrations")
#: how a check says that it could not be done
NOT_DONE = 75
GRAPH = "from importlinter.cli import lint_imports_command; lint_imports_command()"

CHECKS: dict[str, list[str]] = {
    "format": [*PY, "ruff", "format", "--check", "--quiet", "."],
    "lint": [*PY, "ruff", "check", "--quiet", "."],
    "imports": [sys.executable, "-c", GRAPH, "--no-logo", "--cache-dir", "build/imports"],
    "house": [*PY, "pytest", "-q", "tests/house"],
    "types": [*PY, "mypy", "--no-error-summary", *(folder for folder in TYPED if (ROOT / folder).is_dir())],
    "web-lint": [*NPM, "lint"],
    "web-types": [*NPM, "types"],
    "web-build": [sys.executable, "-B", ".ci/setup.py", "run"],
    "web-size": [*NPM, "size"],
    "container": [str(Path(sys.executable).parent / "hadolint"), "deploy/Containerfile"],
    "compose": [sys.executable, "-B", ".ci/compose.py", "deploy/compose.yaml"],
    "audit-python": [sys.executable, "-B", ".ci/audit.py", "python"],
    "audit-web": [sys.executable, "-B", ".ci/audit.py", "web"],
}


def main(only: list[str]) -> int:
    """Run the checks and return how it went: 0 when all passed, 2 when one asked for does not exist."""
    unknown = [name for name in only if name not in CHECKS]
    if unknown:
        print(f"没有这项检查 · no such check: {', '.join(unknown)}; {', '.join(CHECKS)}")
        return 2
    codes = {}
    for name in only or CHECKS:
        print(f"▸ {name}", flush=True)
        codes[name] = subprocess.run(CHECKS[name], cwd=ROOT, check=False).returncode
    return told(codes)


def told(codes: dict[str, int]) -> int:
    """Say how the checks went by their exit codes; a check that could not be done is neither passed nor failed."""
    undone = [name for name, code in codes.items() if code == NOT_DONE]
    failed = [name for name, code in codes.items() if code not in (0, NOT_DONE)]
    if undone:
        print(f"! 未能进行 · could not be done: {', '.join(undone)}")
    if failed:
        print(f"✗ 未通过 · failed: {', '.join(failed)}", flush=True)
        return 1
    print("✓ 其余全部通过 · all others passed" if undone else "✓ 全部通过 · all checks passed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
