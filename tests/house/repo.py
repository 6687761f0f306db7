"""Decides what counts as a file of this project, and reads Python sources once for all rules."""

import ast
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = {".git", ".venv", "node_modules", "dist", "build", "data", "__pycache__", ".hypothesis", "coverage"}


@dataclass(frozen=True)
class Source:
    """A Python file: its path from the root with forward slashes, its text, its syntax tree."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)


@cache
def files() -> tuple[str, ...]:
    """Paths of all files that are or would be committed; without git, all that no build has made."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return tuple(sorted(path for path in listed.split("\0") if path and (ROOT / path).is_file()))
    return tuple(sorted(_walk(ROOT)))


def _walk(folder: Path) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name not in MADE:
            yield from _walk(entry)
        elif entry.is_file():
            yield entry.relative_to(ROOT).as_posix()


def read(path: str) -> str:
    """Text of a file; bytes that are no UTF-8 are replaced."""
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def sources(*folders: str) -> list[Source]:
    """The Python files under these folders, or all of them."""
    chosen = tuple(f"{folder}/" for folder in folders)
    paths = [path for path in files() if path.endswith(".py") and (not chosen or path.startswith(chosen))]
    return [Source(path, read(path)) for path in paths]
