"""Declares what moves over the board and is not kept: the pointer, and a stroke while it is drawn.

What is drawn is stored once, when it is done (board.py); who missed a piece of it misses nothing. The newest wins, and
there are so many a second of one person, and of one lesson, as a phone can show.
"""

from dataclasses import dataclass
from typing import Final, Literal

from server.core.actor import Role
from server.core.clock import elapsed_ms
from server.core.errors import DomainError
from server.core.wire.declaration import Call, Command, Declarations, Push
from server.core.wire.fan_out import FanOut
from server.core.wire.gate import Bucket
from server.live.acts.api import CODES, ORDER_CODES, Api
from server.live.acts.board import Colour, Shape, checked_drawing, checked_place

#: pieces of one person, and of everybody in a lesson
PERSON_PER_SECOND: Final = 10.0
LESSON_PER_SECOND: Final = 30.0
AT_ONCE: Final = 10.0
#: points of one piece
MOST_POINTS: Final = 128
#: what nobody has used for so long is forgotten
FORGET_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class BoardMove:
    """`pointer`: the last point is where it is, none when it is gone. A shape: `points` that were added since the last
    piece; `begins`: there was none."""

    lesson_id: str
    deck: str
    page: int
    tool: Shape | Literal["pointer"]
    colour: Colour
    width: int
    points: list[int]
    begins: bool = False


@dataclass(frozen=True, slots=True)
class BoardMoved:
    """`told`: others have seen it; else too much moved at once, which is no fault."""

    told: bool


@dataclass(frozen=True, slots=True)
class BoardMoving:
    """What moves, and by whom."""

    lesson_id: str
    by: str
    deck: str
    page: int
    tool: Shape | Literal["pointer"]
    colour: Colour
    width: int
    points: list[int]
    begins: bool


MOVING: Final = Push("board:moving", BoardMoving)


class Moves:
    """Passes on what moves."""

    def __init__(self, acts: Api, fan_out: FanOut) -> None:
        self._acts, self._fan_out = acts, fan_out
        self._buckets: dict[str, tuple[Bucket, float]] = {}

    async def move(self, call: Call, request: BoardMove) -> BoardMoved:
        """Something moves."""
        who, _ = await self._acts.who(call, request.lesson_id)
        if call.who.role is Role.INSTRUCTOR and not who.teaches:
            raise DomainError("forbidden")
        checked_place(request.deck, request.page)
        checked_drawing(request.width, request.points, MOST_POINTS)
        (await self._acts.log.order(request.lesson_id)).check(who, "drawing")
        if not self._may(f"{request.lesson_id} {who.person_id}", PERSON_PER_SECOND):
            return BoardMoved(False)
        if not self._may(request.lesson_id, LESSON_PER_SECOND):
            return BoardMoved(False)
        about = (request.deck, request.page, request.tool, request.colour, request.width)
        moving = BoardMoving(request.lesson_id, who.person_id, *about, request.points, request.begins)
        for group in ("learn", "desk"):
            await self._fan_out.send(f"{group}:{request.lesson_id}", MOVING, moving)
        return BoardMoved(True)

    def _may(self, name: str, per_second: float) -> bool:
        now = elapsed_ms()
        if name not in self._buckets:
            self._buckets = {one: kept for one, kept in self._buckets.items() if now - kept[1] < FORGET_MS}
        bucket, _ = self._buckets.get(name) or (Bucket(now, AT_ONCE, per_second), now)
        self._buckets[name] = (bucket, now)
        try:
            bucket.take(now)
        except DomainError:
            return False
        return True

    def declarations(self) -> Declarations:
        """What it serves."""
        roles = frozenset({Role.TRAINEE, Role.INSTRUCTOR})
        codes = (*CODES, *ORDER_CODES)
        one = Command("board:move", roles, BoardMove, BoardMoved, self.move, codes=codes, at_owner=True)
        return Declarations(commands=[one], pushes=[MOVING])
