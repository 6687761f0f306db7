"""First come, first served: places are kept, cannot be made, doubled or held by those who went away; nobody starves."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from server.accounts.line import GRACE_MS, LATEST_S, SOONEST_S, TICKET_MS, Line, Ticket
from server.core.clock import ManualClock
from server.core.errors import DomainError
from server.core.shared import InProcess
from server.core.tasks import Tasks
from server.core.vault import KEY_BYTES, Vault
from tests.accounts.store import NOW_MS

CHECK_MS = 100.0
#: checks that are within `waiting_s`
AT_ONCE = 10


@dataclass
class Pace:
    mean_ms: float = CHECK_MS


@dataclass
class Hall:
    """A line, and everybody who is being checked."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW_MS))
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self.counters = InProcess(self.clock, Tasks())
        self.line = self.new_line()
        self.inside: list[AsyncExitStack] = []

    def new_line(self) -> Line:
        waiting_s = AT_ONCE * CHECK_MS / 1_000
        return Line(self.counters, self.clock, Vault(bytes(KEY_BYTES)), self.pace, waiting_s)

    async def come(self, ticket: Ticket | None, door: str = "d") -> DomainError | None:
        """Ask; go in, or be told why not."""
        stack = AsyncExitStack()
        try:
            await stack.enter_async_context(self.line.turn(ticket or self.line.new(door)))
        except DomainError as error:
            return error
        self.inside.append(stack)
        return None

    async def fill(self) -> None:
        while len(self.inside) < AT_ONCE:
            assert await self.come(None) is None

    async def one_leaves(self) -> None:
        await self.inside.pop(0).aclose()

    async def waits(self, door: str = "d") -> tuple[str, int]:
        """Somebody who has to wait: their ticket and place."""
        self.clock.advance(1)
        refused = await self.come(None, door)
        assert refused is not None
        assert refused.code == "waiting"
        return refused.data["ticket"], refused.data["place"]

    async def again(self, text: str, door: str = "d") -> DomainError | None:
        ticket = self.line.read(text, door)
        assert ticket is not None
        return await self.come(ticket)


async def hall() -> Hall:
    made = Hall()
    await made.fill()
    return made


async def test_who_would_be_checked_soon_does_not_wait() -> None:
    full = await hall()
    assert (await full.waits())[1] == AT_ONCE
    assert (await full.waits())[1] == AT_ONCE + 1
    empty = Hall(pace=Pace(10_000))  # even the slowest machine checks one
    assert await empty.come(None) is None
    assert await empty.come(None) is not None


async def test_the_first_who_came_is_the_first_who_goes() -> None:
    full = await hall()
    first, second = (await full.waits())[0], (await full.waits())[0]
    await full.one_leaves()
    refused = await full.again(second)
    assert refused is not None
    assert refused.data["place"] == AT_ONCE
    await full.waits()
    assert await full.again(first) is None
    refused = await full.again(second)
    assert refused is not None
    await full.one_leaves()
    assert await full.again(second) is None


async def test_everybody_gets_in_however_many_come() -> None:
    full = await hall()
    waiting = [(await full.waits(f"door {at}"))[0] for at in range(200)]
    entered = 0
    for _ in range(400):
        if full.inside:
            await full.one_leaves()
        full.clock.advance(100)
        await full.come(None, "newcomer")  # someone new at every moment
        doors = [f"door {at}" for at in range(200)]
        for text, door in zip(waiting, doors, strict=True):
            if text and await full.again(text, door) is None:
                waiting[waiting.index(text)] = ""
                entered += 1
        if entered == 200:
            return
    raise AssertionError(f"only {entered} of 200 got in")


async def test_a_ticket_is_good_for_one_check() -> None:
    full = await hall()
    text, _place = await full.waits()
    await full.one_leaves()
    assert await full.again(text) is None
    await full.one_leaves()
    refused = await full.again(text)
    assert refused is not None
    assert refused.code == "too_many_tries"
    full.line = full.new_line()  # nor at another process
    refused = await full.again(text)
    assert refused is not None
    assert await full.come(None) is None  # and it took up no place


async def test_another_process_takes_the_ticket_at_its_place() -> None:
    full = await hall()
    text, _place = await full.waits()
    full.line, full.inside = full.new_line(), []
    await full.fill()
    newcomer, _place = await full.waits()
    refused = await full.again(text)
    assert refused is not None
    assert refused.data["place"] == AT_ONCE
    refused = await full.again(newcomer)
    assert refused is not None
    assert refused.data["place"] == AT_ONCE + 1


async def test_those_who_went_away_are_waited_for_a_moment_only() -> None:
    full = await hall()
    gone, stays = [(await full.waits())[0] for _ in range(5)], (await full.waits())[0]
    await full.one_leaves()
    refused = await full.again(stays)
    assert refused is not None
    full.clock.advance(SOONEST_S * 1_000 + GRACE_MS + 1)
    assert await full.again(stays) is None
    await full.fill()
    refused = await full.again(gone[0])  # whoever comes back is in front of all who came later
    assert refused is not None
    assert refused.data["place"] == AT_ONCE


async def test_a_ticket_expires_and_belongs_to_its_door() -> None:
    full = await hall()
    text, _place = await full.waits("mine")
    assert full.line.read(text, "other") is None
    full.clock.advance(TICKET_MS - 2)
    assert full.line.read(text, "mine") is not None
    full.clock.advance(2)
    assert full.line.read(text, "mine") is None


@pytest.mark.parametrize(
    "forge", [lambda t: "0" + t[1:], lambda t: t[:-1], lambda t: t + "é", lambda _: "..", lambda _: ""]
)
async def test_a_place_cannot_be_made_up(forge: object) -> None:
    full = await hall()
    text, _place = await full.waits()
    assert full.line.read(forge(text), "d") is None  # type: ignore[operator]
    assert full.line.read("x" * 1_000, "d") is None


async def test_a_page_asks_again_after_half_of_what_it_takes() -> None:
    full = await hall()
    asked = []
    for _ in range(300):
        full.clock.advance(1)
        refused = await full.come(None)
        assert refused is not None
        asked.append((refused.data["place"], refused.data["retry_after_s"]))
    assert asked[0][1] == SOONEST_S
    assert asked[-1][1] == LATEST_S
    assert all(seconds <= max(SOONEST_S, place * CHECK_MS / 2_000 + 1) for place, seconds in asked)


async def test_a_check_that_fails_frees_its_place() -> None:
    full = await hall()
    await full.one_leaves()
    with pytest.raises(RuntimeError):
        async with full.line.turn(full.line.new("d")):
            raise RuntimeError
    assert await full.come(None) is None
    assert await full.come(None) is not None
