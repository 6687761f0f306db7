"""Decides what generated people look like: the teacher before a board, on it a clock to a tenth of a second.

Whoever watches reads from the clock how old the picture is.
A guest on stage sits before a wall. Drawn into the planes of one yuv420p picture, row by row.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

WIDTH: Final = 640
HEIGHT: Final = 360
#: luma, blue, red differences
WALL: Final = (196, 122, 132)
BOARD: Final = (58, 118, 116)
FRAME: Final = (104, 112, 146)
CHALK: Final = (226, 128, 126)
SKIN: Final = (178, 108, 152)
COAT: Final = (70, 148, 118)
MOUTH: Final = (96, 116, 158)
DIGIT_WIDTH: Final = 36
DIGIT_HEIGHT: Final = 72
STROKE: Final = 8
GAP: Final = 10
CLOCK_AT: Final = (222, 110)
CLOCK_AREA: Final = (210, 98, 620, 194)
HEAD: Final = (108, 150, 46)
HOME: Final = (214, 112, 138)
SHIRT: Final = (118, 158, 104)
#: which of the seven strokes a digit has: top, upper right, lower right, bottom, lower left, upper left, middle
STROKES: Final = {
    "0": "abcdef",
    "1": "bc",
    "2": "abged",
    "3": "abgcd",
    "4": "fgbc",
    "5": "afgcd",
    "6": "afgedc",
    "7": "abc",
    "8": "abcdefg",
    "9": "abcdfg",
}

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody before the camera. `head`: where its middle is (across, down) and its radius."""

    wall: Colour
    coat: Colour
    head: tuple[int, int, int]
    board: bool


TEACHER: Final = Look(WALL, COAT, HEAD, board=True)
GUEST: Final = Look(HOME, SHIRT, (320, 150, 62), board=False)


class Picture:
    """One picture that is drawn over again and again."""

    def __init__(self, look: Look = TEACHER) -> None:
        self._look = look
        self.planes = [bytearray(WIDTH * HEIGHT), *(bytearray(WIDTH * HEIGHT // 4) for _ in range(2))]
        self._room()

    def show(self, moment: datetime, mouth: int) -> None:
        """Draw the clock at `moment` (hours to tenths), if there is one, and the mouth open by `mouth` (0 to 10)."""
        if self._look.board:
            self._clock(moment)
        x, y, _ = self._look.head
        self._box(x - 18, y + 12, x + 18, y + 34, SKIN)
        self._box(x - 14, y + 18, x + 14, y + 22 + mouth, MOUTH)

    def _clock(self, moment: datetime) -> None:
        self._box(*CLOCK_AREA, BOARD)
        left, top = CLOCK_AT
        for sign in f"{moment:%H:%M:%S}.{moment.microsecond // 100_000}":
            left += self._sign(sign, left, top)

    def _room(self) -> None:
        self._box(0, 0, WIDTH, HEIGHT, self._look.wall)
        if self._look.board:
            self._box(190, 52, 632, 262, FRAME)
            self._box(198, 60, 624, 254, BOARD)
        x, y, radius = self._look.head
        self._disc(x, HEIGHT + 34, radius * 3 - 8, self._look.coat)
        self._disc(x, y, radius, SKIN)
        for eye in (x - 16, x + 16):
            self._disc(eye, y - 8, 5, MOUTH)

    def _sign(self, sign: str, left: int, top: int) -> int:
        """Draw a digit or a mark; returns how far the next one stands."""
        if sign in STROKES:
            for stroke in STROKES[sign]:
                self._box(*_stroke(stroke, left, top), CHALK)
            return DIGIT_WIDTH + GAP
        dots = (DIGIT_HEIGHT - STROKE,) if sign == "." else (DIGIT_HEIGHT // 3, 2 * DIGIT_HEIGHT // 3)
        for down in dots:
            self._box(left, top + down, left + STROKE, top + down + STROKE, CHALK)
        return STROKE + GAP

    def _box(self, left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
        for number, (plane, value) in enumerate(zip(self.planes, colour, strict=True)):
            scale = 2 if number else 1
            width = (right - left) // scale
            for row in range(top // scale, bottom // scale):
                at = row * (WIDTH // scale) + left // scale
                plane[at : at + width] = bytes((value,)) * width

    def _disc(self, x: int, y: int, radius: int, colour: Colour) -> None:
        for row in range(max(0, y - radius), min(HEIGHT, y + radius), 2):
            half = int((radius**2 - (row - y) ** 2) ** 0.5) & ~1
            self._box(max(0, x - half), row, min(WIDTH, x + half), row + 2, colour)


def _stroke(name: str, left: int, top: int) -> tuple[int, int, int, int]:
    """The rectangle (left, top, right, bottom) of a stroke."""
    right, middle, bottom = left + DIGIT_WIDTH, top + (DIGIT_HEIGHT - STROKE) // 2, top + DIGIT_HEIGHT
    return {
        "a": (left, top, right, top + STROKE),
        "b": (right - STROKE, top, right, middle + STROKE),
        "c": (right - STROKE, middle, right, bottom),
        "d": (left, bottom - STROKE, right, bottom),
        "e": (left, middle, left + STROKE, bottom),
        "f": (left, top, left + STROKE, middle + STROKE),
        "g": (left, middle, right, middle + STROKE),
    }[name]
