"""Tests of server/core/turns.py."""

import asyncio

from server.core.turns import Turns


async def rest() -> None:
    """Until nobody can go on: who waits for ever is seen to wait, and keeps no test waiting."""
    for _ in range(20):
        await asyncio.sleep(0)


async def queue(turns: Turns, names: str, order: list[str]) -> list[asyncio.Task[None]]:
    """One task each, which waits for its turn, says so, and keeps it for a moment."""

    async def one(name: str) -> None:
        async with turns:
            order.append(name)
            await asyncio.sleep(0)

    tasks = [asyncio.ensure_future(one(name)) for name in names]
    await rest()
    return tasks


async def test_who_finds_it_free_has_it_at_once_and_nobody_else() -> None:
    turns = Turns()
    assert turns.take()
    assert turns.take() is False
    turns.done()
    assert turns.take()


async def test_first_come_first_served_and_nobody_slips_in_between() -> None:
    turns, order = Turns(), list[str]()
    assert turns.take()
    tasks = await queue(turns, "abc", order)
    assert order == []
    turns.done()
    assert not turns.take()  # it is a's already
    await rest()
    assert all(task.done() for task in tasks)
    assert order == ["a", "b", "c"]
    assert turns.take()


async def test_who_goes_away_while_they_wait_is_passed_over() -> None:
    turns, order = Turns(), list[str]()
    assert turns.take()
    tasks = await queue(turns, "abc", order)
    tasks[0].cancel()
    tasks[1].cancel()
    await rest()
    turns.done()
    await rest()
    assert order == ["c"]
    assert turns.take()


async def test_who_goes_away_once_it_was_handed_to_them_hands_it_on() -> None:
    turns, order = Turns(), list[str]()
    assert turns.take()
    tasks = await queue(turns, "ab", order)
    turns.done()
    tasks[0].cancel()
    await rest()
    assert order == ["b"]
    assert turns.take()


async def test_what_fails_within_it_hands_it_on() -> None:
    turns = Turns()

    async def one() -> None:
        async with turns:
            raise ValueError("within")

    task = asyncio.ensure_future(one())
    await rest()
    assert str(task.exception()) == "within"
    assert turns.take()
