"""Decides what is read of the spools that dead processes left: each once as it is, its lines by lesson."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

from server.attendance.spool import Spool
from server.core.tasks import Tasks

Lines = dict[str, list[dict[str, Any]]]


class Estates:
    """Spools of others. They are read and never changed: their process may only be frozen."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[list[tuple[str, int]], Lines]] = {}

    async def read(self, folder: Path) -> Lines:
        """A spool's lines by lesson, also those that only name it. Raises DomainError spool_damaged."""
        while files := _files(folder):
            if folder in self._known and self._known[folder][0] == files:
                return self._known[folder][1]
            with suppress(FileNotFoundError):  # begun anew by a process that woke, or buried: look again
                lines = await asyncio.to_thread(Spool(folder, Tasks()).read)
                self._known[folder] = files, _by_lesson(lines)
        self._known.pop(folder, None)
        return {}


def _files(folder: Path) -> list[tuple[str, int]]:
    try:
        return [(path.name, path.stat().st_size) for path in sorted(folder.iterdir())]
    except FileNotFoundError:
        return []


def _by_lesson(lines: list[dict[str, Any]]) -> Lines:
    found: Lines = {}
    for line in lines:
        for lesson_id in line.get("lessons") or ([line["lesson"]] if "lesson" in line else []):
            found.setdefault(lesson_id, []).append(line)
    return found
