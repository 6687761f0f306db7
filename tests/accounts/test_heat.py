"""A door gets hotter the more it is tried, and cools down by itself."""

from server.accounts.heat import DOORS_MAXIMUM, TOP, Heat
from server.core.clock import ManualClock
from server.core.shared import InProcess
from server.core.tasks import Tasks

LIMIT = 3
WINDOW_S = 60.0


def heat(clock: ManualClock, counters: InProcess | None = None) -> Heat:
    return Heat(counters or InProcess(clock, Tasks()), clock, LIMIT, WINDOW_S)


async def test_each_budget_that_is_used_up_is_a_level() -> None:
    door = heat(ManualClock(0))
    levels = [await door.count("a") for _ in range(LIMIT * (TOP + 2))]
    assert levels == [min(at // LIMIT, TOP) for at in range(LIMIT * (TOP + 2))]
    assert (door.level("a"), door.level("b")) == (TOP, 0)


async def test_it_cools_with_time_and_at_once() -> None:
    clock = ManualClock(0)
    door = heat(clock)
    for _ in range(LIMIT + 1):
        await door.count("a")
        await door.count("b")
    assert door.level("a") == 1
    await door.cool("a")
    assert (door.level("a"), await door.count("a")) == (0, 0)
    clock.advance(int(WINDOW_S * 1_000) - 1)
    assert door.level("b") == 1
    clock.advance(1)
    assert (door.level("b"), await door.count("b")) == (0, 0)


async def test_two_processes_share_one_budget() -> None:
    clock = ManualClock(0)
    counters = InProcess(clock, Tasks())
    here, there = heat(clock, counters), heat(clock, counters)
    for _ in range(LIMIT):
        assert await here.count("a") == 0
    assert await there.count("a") == 1


async def test_many_doors_fill_no_memory() -> None:
    door = heat(ManualClock(0))
    for at in range(DOORS_MAXIMUM + 1):
        door._remember(str(at), 1, 1)
    assert len(door._levels) == DOORS_MAXIMUM
    assert (door.level("0"), door.level("1")) == (0, 1)
