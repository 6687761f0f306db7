"""Decides how a witness remembers: the last note of each log in a file, on the disk before anything is signed."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from server.verify.notes import Checkpoint, read_checkpoint, read_note


class Memory:
    """A folder with a file for each log, `<SHA-256 of its origin>.note`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def last(self, origin: str) -> Checkpoint | None:
        """What was signed last. Raises Refused when the file is damaged: then nothing of this log is signed."""
        note = self.note(origin)
        return read_checkpoint(read_note(note).text) if note is not None else None

    def note(self, origin: str) -> str | None:
        """The same as a note. Raises OSError."""
        path = self._path(origin)
        return path.read_text() if path.exists() else None

    def remember(self, origin: str, note: str) -> None:
        """Keep a note; it is on the disk when this returns. Raises OSError."""
        path = self._path(origin)
        handle, draft = tempfile.mkstemp(dir=self._folder, prefix=".")
        try:
            with os.fdopen(handle, "w") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def notes(self) -> Iterator[str]:
        """Every log's last note."""
        for path in sorted(self._folder.glob("*.note")):
            yield path.read_text()

    def _path(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.note"
