"""Who is slow begins again at a keyframe, and nobody waits for them."""

from media.fmp4 import Init, Part
from media.window import MOST_WAITING, YOUNG_PARTS, Reader, Window

INIT = Init(1, "opus", 0, 0, b"")


def part(number: int, *, key: bool = False) -> Part:
    return Part(INIT, number, key, number / 5, 0.2, b"")


class Asked:
    """Counts what is asked for."""

    def __init__(self) -> None:
        self.keyframes = 0

    def keyframe(self) -> None:
        self.keyframes += 1


async def numbers(reader: Reader, count: int) -> list[int]:
    found = [await reader.next() for _ in range(count)]
    return [each.number for each in found if each is not None]


async def test_a_slow_reader_skips_to_the_next_keyframe_and_another_misses_nothing() -> None:
    asked = Asked()
    window = Window(asked.keyframe)
    window.add(part(0, key=True))
    slow, quick = window.join(), window.join()
    for number in range(1, MOST_WAITING + 3):
        window.add(part(number))
        assert await numbers(quick, 1) == [number - 1]
    assert slow.skipped == 1
    assert asked.keyframes > 0
    window.add(part(99, key=True))
    assert await numbers(slow, 1) == [99]


async def test_whoever_comes_begins_at_a_young_keyframe_or_at_the_next() -> None:
    asked = Asked()
    window = Window(asked.keyframe)
    window.add(part(0, key=True))
    window.add(part(1))
    assert await numbers(window.join(), 2) == [0, 1]
    assert asked.keyframes == 0
    for number in range(2, YOUNG_PARTS + 3):
        window.add(part(number))
    late = window.join()
    assert asked.keyframes == 1
    window.add(part(50))
    window.add(part(51, key=True))
    assert await numbers(late, 1) == [51]


async def test_a_closed_reader_has_nothing_more() -> None:
    window = Window(lambda: None)
    window.add(part(0, key=True))
    reader = window.join()
    reader.close()
    assert await reader.next() is None


async def test_who_leaves_may_still_take_what_waits() -> None:
    window = Window(lambda: None)
    window.add(part(0, key=True))
    reader = window.join()
    window.leave(reader)
    assert await numbers(reader, 1) == [0]
    assert await reader.next() is None
    assert window.readers == set()


async def test_what_can_be_taken_at_once_does_not_wait_and_order_is_kept() -> None:
    window = Window(lambda: None)
    reader = window.join()
    taken: list[int] = []
    ready = [True]

    def at_once(each: Part) -> bool:
        if ready[0]:
            taken.append(each.number)
        return ready[0]

    reader.at_once = at_once
    window.add(part(0))  # before a keyframe nothing is taken
    window.add(part(1, key=True))
    ready[0] = False
    window.add(part(2))
    ready[0] = True
    window.add(part(3))
    assert taken == [1]
    assert await numbers(reader, 2) == [2, 3]
    window.add(part(4))
    reader.close()
    window.add(part(5))
    assert taken == [1, 4]
    assert await reader.next() is None
