"""Tests of server/core/turns.py."""

import asyncio

import pytest

from server.core.turns import Turns


async def queue(turns: Turns, names: str, order: list[str]) -> list[asyncio.Task[None]]:
    """One task each, which waits for its turn, says so, and keeps it for a moment."""

    async def one(name: str) -> None:
        async with turns:
            order.append(name)
            await asyncio.sleep(0)

    tasks = [asyncio.ensure_future(one(name)) for name in names]
    await asyncio.sleep(0)
    return tasks


async def test_who_finds_it_free_has_it_at_once_and_nobody_else() -> None:
    turns = Turns()
    assert turns.take()
    assert not turns.take()
    turns.done()
    assert turns.take()


async def test_first_come_first_served_and_nobody_slips_in_between() -> None:
    turns, order = Turns(), list[str]()
    assert turns.take()
    tasks = await queue(turns, "abc", order)
    assert order == []
    turns.done()
    assert not turns.take()  # it is a's already
    await asyncio.gather(*tasks)
    assert order == ["a", "b", "c"]
    assert turns.take()


async def test_who_goes_away_while_they_wait_is_passed_over() -> None:
    turns, order = Turns(), list[str]()
    assert turns.take()
    tasks = await queue(turns, "abc", order)
    tasks[0].cancel()
    tasks[1].cancel()
    await asyncio.sleep(0)
    turns.done()
    await tasks[2]
    assert order == ["c"]
    assert turns.take()


async def test_who_goes_away_once_it_was_handed_to_them_hands_it_on() -> None:
    turns, order = Turns(), list[str]()
    assert turns.take()
    tasks = await queue(turns, "ab", order)
    turns.done()
    tasks[0].cancel()
    await tasks[1]
    assert order == ["b"]
    assert turns.take()


async def test_what_fails_within_it_hands_it_on() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="within"):
        async with turns:
            raise ValueError("within")
    assert turns.take()
