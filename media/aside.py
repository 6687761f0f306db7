"""Decides what a room aside of another is: it ends with it, counts with it, and carries one small picture and a voice.

`{room}-{number}` is aside of `room`: somebody who speaks in a lesson besides its instructor. Each has a room of their
own, so that nobody's coming or going needs a word to those who watch the others.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from media.doors import PACKETS_PER_SECOND
from media.grants import is_check
from media.rate import RateAdvice
from media.settings import MediaSettings
from media.tap import CAMERA, CAMERA_LOW

SIGN: Final = "-"
#: of the picture and the voice together, as the publisher is advised
START_KBPS, MAX_KBPS = 350, 600
#: what a publisher sends beyond that is thrown away: several times what the advice needs
ASIDE_PACKETS_PER_SECOND = 300


def main_of(room: str) -> str:
    """The room that this one is aside of; of any other room itself."""
    main, sign, number = room.rpartition(SIGN)
    return main if sign and main and number.isdecimal() and not is_check(room) else room


def is_aside(room: str) -> bool:
    """Whether it is aside of another."""
    return main_of(room) != room


def asides(room: str, rooms: Iterable[str]) -> list[str]:
    """Those of `rooms` that are aside of `room`."""
    return [each for each in rooms if each != room and main_of(each) == room]


def is_counted(room: str) -> bool:
    """Whether it counts among the rooms of which there may be so many."""
    return not is_check(room) and not is_aside(room)


def advice(settings: MediaSettings, room: str) -> RateAdvice:
    """What the publisher of a room is advised."""
    if is_aside(room):
        return RateAdvice(min(START_KBPS, settings.start_kbps), min(MAX_KBPS, settings.max_kbps))
    return RateAdvice(settings.start_kbps, settings.max_kbps)


def packets_of(room: str) -> float:
    """How many packets a second its publisher may send."""
    return ASIDE_PACKETS_PER_SECOND if is_aside(room) else PACKETS_PER_SECOND


def expected(room: str, others: Mapping[str, float]) -> Mapping[str, float]:
    """What its slots are taken to cost until they are measured; `others`: those of a room that is not aside."""
    return {**others, CAMERA: others[CAMERA_LOW]} if is_aside(room) else others
