"""Decides where pictures that were encoded afterwards lie, and when one of their files counts.

Below the folder of a rendition: `encoded/0001.mp4` of `vp8/0001.ivf`, and `0001.json`, which says what is in it and
what it stands for. It is written last, so a file without it is not there, nor is one that is shorter than it says.
While one is being made, `0001.progress` says how far it is; where one could not be made, `0001.trouble` says why.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from media.takes import ENCODED, Encoded, Instead, Span, Take
from media.tape import taken

FOLDER = "encoded"
TOLD, PROGRESS, TROUBLE = ".json", ".progress", ".trouble"
MODE = 0o600


def name(number: int, suffix: str) -> str:
    return f"{number:04}{suffix}"


def read_encoded(folder: Path) -> list[Encoded]:
    """All of a rendition, whose own folder is `folder`."""
    return list(_encoded(folder / FOLDER))


def _encoded(folder: Path) -> Iterator[Encoded]:
    for number in sorted(taken(folder)):
        try:
            found = _read(json.loads((folder / name(number, TOLD)).read_bytes()))
            size = (folder / name(number, ".mp4")).stat().st_size
        except (OSError, ValueError, TypeError, KeyError):
            continue
        last = found.take.parts[-1]
        if last.start + last.size <= size:
            yield found


def _read(said: dict[str, Any]) -> Encoded:
    parts = [Span(*part) for part in said["parts"]]
    if not parts:
        raise ValueError("no parts")
    take = Take(said["take"], said["codecs"], said["width"], said["height"], said["init"], parts)
    return Encoded(take, [Instead(*each) for each in said["instead"]])


def write_encoded(folder: Path, number: int, encoded: Encoded) -> None:
    """Say what is in a file that is there whole. Raises OSError."""
    take = asdict(encoded.take)
    said = {name: take[name] for name in ("codecs", "width", "height", "init")}
    said["take"] = ENCODED + number
    said["parts"] = [[part.at, part.seconds, part.key, part.start, part.size] for part in encoded.take.parts]
    said["instead"] = [[each.take, each.start, each.end] for each in encoded.instead]
    _put(folder / FOLDER / name(number, TOLD), json.dumps(said), whole=True)


def say(folder: Path, number: int, what: str, said: str) -> None:
    """Progress (a part of 1) or trouble (its code) of a file; nothing happens where that cannot be written."""
    with suppress(OSError):
        (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
        _put(folder / FOLDER / name(number, what), said, whole=False)


def said(folder: Path, number: int, what: str) -> str:
    """What was last said; "" for nothing."""
    try:
        return (folder / FOLDER / name(number, what)).read_text()
    except OSError:
        return ""


def forget(folder: Path, number: int, *what: str) -> None:
    """Nothing is said any more."""
    for each in what:
        with suppress(OSError):
            (folder / FOLDER / name(number, each)).unlink()


def _put(path: Path, text: str, *, whole: bool) -> None:
    """All of it or nothing; `whole`: also after a power cut."""
    beside = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, MODE), "w") as file:
        file.write(text)
        file.flush()
        if whole:
            os.fsync(file.fileno())
    beside.replace(path)
