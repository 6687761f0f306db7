"""A lesson as it lies on the disk once it was recorded."""

from pathlib import Path

from media.fmp4 import Init, Part
from media.tape import Tape, folder_of, suffix_of

INIT = Init(1, "avc1.42e01f,opus", 640, 360, b"an init segment")
PARTS = [Part(INIT, number, number % 25 == 0, number * 0.2, 0.2, b"part %02d" % number) for number in range(60)]
#: of PARTS
SECONDS = 12


def record(
    folder: Path, lesson_id: str, begins: float, parts: list[Part] | None = None, rendition: str = "picture"
) -> None:
    """Write a recording below `folder`; each call adds to it."""
    tape = Tape(folder_of(folder / lesson_id, rendition), 0, suffix_of(rendition))
    for part in parts or PARTS:
        tape.add(part, begins + part.begins, 0, missed=False)
    tape.close()
    assert tape.hole is None
