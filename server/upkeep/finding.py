"""Decides what the doctor may say of one thing: well, look at it, or broken; in two languages, with what to do."""

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """The worst one is the doctor's exit status."""

    WELL = 0
    LOOK = 1
    BROKEN = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: its stable name, how it is, and that in plain words."""

    name: str
    level: Level
    chinese: str
    english: str


def well(name: str, chinese: str, english: str) -> Finding:
    """Nothing to do."""
    return Finding(name, Level.WELL, chinese, english)


def look(name: str, chinese: str, english: str) -> Finding:
    """It works, and may not for long, or could not be found out."""
    return Finding(name, Level.LOOK, chinese, english)


def broken(name: str, chinese: str, english: str) -> Finding:
    """It does not work."""
    return Finding(name, Level.BROKEN, chinese, english)
