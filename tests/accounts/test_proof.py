"""Work is good for one door, its level, a few minutes and one use; nothing forged, spliced or repeated passes."""

import base64
import json
from typing import Any

import pytest
from altcha.v1 import ChallengeOptions, create_challenge

from server.accounts.proof import PROOF_MS, TEXT_MAXIMUM, Proofs
from server.core.clock import ManualClock
from server.core.errors import DomainError
from server.core.shared import InProcess
from server.core.tasks import Tasks
from server.core.vault import KEY_BYTES, Vault
from tests.accounts.store import NOW_MS, solved

DOOR = "0011"


class Work:
    def __init__(self) -> None:
        self.clock = ManualClock(NOW_MS)
        self.refusals: list[DomainError] = []
        counters = InProcess(self.clock, Tasks())
        self.proofs = Proofs(counters, self.clock, Vault(bytes(KEY_BYTES)), 50)

    async def passes(self, text: str, door: str = DOOR, level: int = 1) -> bool:
        try:
            await self.proofs.ask(door, level, text)
        except DomainError as error:
            self.refusals.append(error)
            return False
        return True


def packed(payload: Any) -> str:
    return base64.b64encode(json.dumps(payload).encode()).decode()


def unpacked(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(text))
    return found


async def test_a_solved_challenge_passes_once() -> None:
    work = Work()
    text = solved(work.proofs.challenge(DOOR, 1))
    assert await work.passes(text)
    assert not await work.passes(text)
    (refused,) = work.refusals
    assert refused.code == "proof_needed"
    assert refused.data["challenge"].keys() == {"algorithm", "challenge", "maxNumber", "salt", "signature"}


async def test_nor_does_another_spelling_of_it_pass_again() -> None:
    work = Work()
    payload = unpacked(solved(work.proofs.challenge(DOOR, 1)))
    assert await work.passes(packed(payload))
    assert not await work.passes(packed({**payload, "salt": payload["salt"].rstrip("&")}))
    assert not await work.passes(packed({"more": 1, **payload}))


async def test_each_level_is_twice_the_work() -> None:
    work = Work()
    assert [work.proofs.challenge(DOOR, level)["maxNumber"] for level in (1, 2, 3)] == [50, 100, 200]


async def test_it_is_good_for_its_door_and_level() -> None:
    work = Work()
    text = solved(work.proofs.challenge(DOOR, 2))
    assert not await work.passes(text, door="other", level=2)
    assert not await work.passes(text, level=4)
    assert await work.passes(text, level=3)  # the door left that level while the page worked


async def test_it_expires() -> None:
    work = Work()
    early, late = (solved(work.proofs.challenge(DOOR, 1)) for _ in range(2))
    work.clock.advance(PROOF_MS - 1)
    assert await work.passes(early)
    work.clock.advance(1)
    assert not await work.passes(late)


async def test_nothing_forged_passes() -> None:
    work = Work()
    payload = unpacked(solved(work.proofs.challenge(DOOR, 1)))
    later = payload["salt"].replace("until=1", "until=9")
    stem = payload["salt"].rpartition("until=")[0]
    own = create_challenge(ChallengeOptions(hmac_key="mine", max_number=1, number=1)).to_dict() | {"number": 1}
    forged: list[Any] = [
        {**payload, "number": payload["number"] + 1},
        {**payload, "salt": later},
        {**payload, "salt": stem, "number": payload["salt"].removeprefix(stem) + str(payload["number"])},
        {**payload, "algorithm": "SHA-1"},
        {**payload, "signature": "0" * 64},
        {**payload, "number": True},
        {**payload, "salt": 7},
        {name: value for name, value in payload.items() if name != "salt"},
        own,
        [],
        7,
        None,
    ]
    for one in forged:
        assert not await work.passes(packed(one)), one
    assert await work.passes(packed(payload))


@pytest.mark.parametrize("text", ["", "x", "é", "=" * 8, "A" * (TEXT_MAXIMUM + 1), packed("[" * 300), "W1tb" * 250])
async def test_rubbish_is_no_fault(text: str) -> None:
    assert not await Work().passes(text)


async def test_a_challenge_that_we_did_not_bind_is_none() -> None:
    work = Work()
    key = Vault(bytes(KEY_BYTES)).key("proof")
    bare = create_challenge(ChallengeOptions(hmac_key=key, max_number=1, number=1)).to_dict() | {"number": 1}
    assert not await work.passes(packed(bare))
