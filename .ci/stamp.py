"""Decides whether a step has to be done again: by the content of what goes in, never by dates."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path


def digest(files: Iterable[Path], *facts: str) -> str:
    """One fingerprint of these files' names and contents and of these facts."""
    return _digest(((file.name, file) for file in files), *facts)


def digest_tree(folder: Path, skip: Iterable[str]) -> str:
    """One fingerprint of all files under a folder, folders named in `skip` left out."""
    skipped = set(skip)
    found: list[tuple[str, Path]] = []
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in skipped]
        paths = [Path(here, name) for name in names]
        found.extend((path.relative_to(folder).as_posix(), path) for path in paths)
    return _digest(found)


def _digest(named: Iterable[tuple[str, Path]], *facts: str) -> str:
    total = hashlib.sha256("\n".join(facts).encode())
    for name, file in sorted(named):
        total.update(f"\n{name} {hashlib.sha256(file.read_bytes()).hexdigest()}".encode())
    return total.hexdigest()


def fresh(stamp: Path, value: str) -> bool:
    """Whether the step that leaves this stamp was last done with the same input."""
    return stamp.is_file() and stamp.read_text() == value


def leave(stamp: Path, value: str) -> None:
    """Remember that the step was done: written last, whole or not at all."""
    draft = stamp.with_name(f"{stamp.name}.draft")
    draft.write_text(value)
    draft.replace(stamp)
