"""One broadcast a room for all who read it; what reads nobody is not there."""

from media.broadcasts import Broadcasts
from tests.media.test_broadcast import Lesson


async def test_readers_of_a_room_share_one_broadcast_which_ends_with_the_last() -> None:
    room, broadcasts = Lesson().room, Broadcasts()
    first, second = broadcasts.join(room, "picture"), broadcasts.join(room, "voice")
    taps = [len(room.taps)]
    broadcasts.leave(room, "picture", first)
    broadcasts.leave(room, "picture", first)
    taps.append(len(room.taps))
    broadcasts.leave(room, "voice", second)
    taps.append(len(room.taps))
    assert taps == [1, 1, 0]
    broadcasts.leave(room, "voice", second)
