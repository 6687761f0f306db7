"""The clock in the picture can be read back from its strokes."""

from datetime import datetime

import pytest

from server.core.clock import LOCAL_ZONE
from server.demo.picture import (
    CHALK,
    CLOCK_AT,
    DIGIT_WIDTH,
    GAP,
    HEIGHT,
    STROKE,
    STROKES,
    WIDTH,
    Picture,
    _stroke,
)


def read_clock(luma: bytes | bytearray) -> str:
    """What stands on the board: seven digits, each known by which strokes are chalk in their middle."""
    left, top = CLOCK_AT
    shown = ""
    for mark in "dd:dd:dd.d":
        if mark != "d":
            left += STROKE + GAP
            shown += mark
            continue
        lit = ""
        for stroke in "abcdefg":
            x1, y1, x2, y2 = _stroke(stroke, left, top)
            if luma[(y1 + y2) // 2 * WIDTH + (x1 + x2) // 2] == CHALK[0]:
                lit += stroke
        shown += next(digit for digit, strokes in STROKES.items() if set(strokes) == set(lit))
        left += DIGIT_WIDTH + GAP
    return shown


@pytest.mark.parametrize("text", ["01:23:45.6", "17:58:09.0", "23:59:59.9", "00:00:00.7"])
def test_the_clock_shows_tenths(text: str) -> None:
    picture = Picture()
    picture.show(datetime(2026, 11, 23, 8, 8, 8, 888_888, LOCAL_ZONE), mouth=10)
    shown = datetime.strptime(f"2026-11-23 {text}", "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=LOCAL_ZONE)
    picture.show(shown, mouth=0)
    assert read_clock(picture.planes[0]) == text


def test_the_planes_are_those_of_one_picture() -> None:
    assert [len(plane) for plane in Picture().planes] == [WIDTH * HEIGHT, WIDTH * HEIGHT // 4, WIDTH * HEIGHT // 4]


def test_the_mouth_moves() -> None:
    picture = Picture()
    moment = datetime(2026, 11, 23, tzinfo=LOCAL_ZONE)
    picture.show(moment, mouth=0)
    shut = bytes(picture.planes[0])
    picture.show(moment, mouth=10)
    assert bytes(picture.planes[0]) != shut
    picture.show(moment, mouth=0)
    assert bytes(picture.planes[0]) == shut
