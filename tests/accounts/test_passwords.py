"""Argon2id with our parameters; somebody unknown costs what somebody known costs."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from server.accounts.passwords import LANES, MEMORY_KIB, NOBODY, PASSES, Passwords


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


async def test_a_password_belongs_to_its_hash(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "correct horsf")
    assert not await passwords.verify(stored, "")
    assert stored != await passwords.hash("correct horse")


async def test_nobody_has_no_password_but_the_same_cost(passwords: Passwords) -> None:
    assert not await passwords.verify(None, "anything")
    real, unknown = extract_parameters(await passwords.hash("x")), extract_parameters(NOBODY)
    assert real == unknown
    assert (real.type, real.memory_cost, real.time_cost, real.parallelism) == (Type.ID, MEMORY_KIB, PASSES, LANES)


async def test_nobody_is_not_told_apart_by_time(passwords: Passwords) -> None:
    stored = await passwords.hash("x")

    async def cpu(hashed: str | None) -> float:
        before = time.process_time()
        for _ in range(3):
            await passwords.verify(hashed, "y")
        return time.process_time() - before

    assert await cpu(None) > await cpu(stored) / 4


async def test_a_damaged_hash_is_a_wrong_password(passwords: Passwords) -> None:
    assert not await passwords.verify("$argon2id$damaged", "anything")


async def test_the_loop_goes_on_while_a_password_is_checked(passwords: Passwords) -> None:
    waiting = asyncio.gather(*(passwords.verify(None, "x") for _ in range(3)))
    turns = 0
    while not waiting.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 3
