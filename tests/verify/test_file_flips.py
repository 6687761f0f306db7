"""Every bit of an evidence file flipped: what is left is refused, or named, or says what it said before.

`make test` flips one bit of each 97; `make long` every bit of the file.
"""

from dataclasses import replace
from typing import Final

import pytest

from server.ledger.rules import SEAL_AFTER_MS
from server.verify.bundle import Bundle, read, write
from server.verify.check import check
from server.verify.notes import Key
from server.verify.tree import Refused
from tests.ledger.world import GENESIS, LESSON
from tests.verify.evidence import LESSONS, SmallClass

ONE: Final = {LESSON: LESSONS[LESSON]}
#: bits from one that is tried to the next; with 8 it has no divisor, so that each place of a byte is met
STEP: Final = 97


async def evidence(small: SmallClass) -> Bundle:
    """One lesson of two minutes, two trainees in seats of which the log was told."""
    await small.enrol(lessons=ONE)
    await small.attend(2, ONE)
    await small.end(LESSON, GENESIS + 2)
    small.world.to(2, SEAL_AFTER_MS)
    await small.world.ledger.round()
    return await small.bundle(ONE)


def said(bundle: Bundle) -> Bundle:
    """The same for ids that are written otherwise: a digit from ten on in either letter."""
    lower = str.lower
    return replace(
        bundle,
        lessons=tuple(replace(one, id=lower(one.id)) for one in bundle.lessons),
        people=tuple(replace(one, id=lower(one.id)) for one in bundle.people),
        claims=tuple(
            replace(one, lesson_id=lower(one.lesson_id), person_id=lower(one.person_id)) for one in bundle.claims
        ),
    )


def holds(raw: bytes, keys: list[Key], honest: Bundle) -> bool:
    """Whether a file that says something else is taken for true."""
    try:
        found = read(raw)
        return said(found) != said(honest) and check(found, keys).authentic
    except Refused:
        return False


async def flipped(small: SmallClass, step: int) -> int:
    """How many bits were flipped."""
    small.together = True
    made = await evidence(small)
    raw, keys = write(made), [small.world.ledger.key]
    honest = read(raw)
    assert check(honest, keys).authentic
    taken = [
        (bit, raw[max(bit // 8 - 30, 0) : bit // 8 + 10])
        for bit in range(0, 8 * len(raw), step)
        if holds(raw[: bit // 8] + bytes([raw[bit // 8] ^ 1 << bit % 8]) + raw[bit // 8 + 1 :], keys, honest)
    ]
    assert taken == []
    return len(range(0, 8 * len(raw), step))


async def test_some_bits_of_an_evidence_file(small: SmallClass) -> None:
    assert await flipped(small, STEP) > 100


@pytest.mark.long
@pytest.mark.timeout(3_600)
async def test_every_bit_of_an_evidence_file(small: SmallClass) -> None:
    print(f"{await flipped(small, 1)} bits of a file flipped: refused, named, or without a difference")
