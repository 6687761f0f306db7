"""What is counted where; the doors themselves are tried in test_service."""

import pytest

from server.accounts.gate import Gate
from server.accounts.rules import ACCOUNT_TRIES, DEVICE_TRIES, FREE_TRIES, NETWORK_TRIES, PERSON_TRIES
from server.core.clock import ManualClock
from server.core.errors import DomainError
from server.core.shared import InProcess
from server.core.tasks import Tasks
from server.core.vault import KEY_BYTES, Vault
from tests.accounts.store import LIMITS, NOW_MS, solved


@pytest.fixture
def gate() -> Gate:
    clock = ManualClock(NOW_MS)
    return Gate(InProcess(clock, Tasks()), clock, Vault(bytes(KEY_BYTES)), LIMITS)


async def test_a_known_device_has_its_own_budget_and_then_the_others_(gate: Gate) -> None:
    for _ in range(DEVICE_TRIES[0] + FREE_TRIES[0]):
        await gate.sign_in("door", "device:one", "a", "")
    with pytest.raises(DomainError, match="proof_needed"):
        await gate.sign_in("door", "device:one", "a", "")
    await gate.sign_in("door", "device:two", "a", "")
    await gate.signed_in("door", "device:one", "a")
    await gate.sign_in("door", "device:one", "a", "")


async def test_no_account_is_tried_by_strangers_more_than_a_hundred_times_an_hour(gate: Gate) -> None:
    """ASVS 2.2.1; a login and an ID number are two doors of one account."""
    assert ACCOUNT_TRIES[1] == NETWORK_TRIES[1] == 3_600
    assert ACCOUNT_TRIES[0] * 2 <= 100
    passed, refused = 0, []
    for at in range(ACCOUNT_TRIES[0] * 3):
        proof = ""
        while True:
            try:
                await gate.sign_in("door", "", f"203.0.113.{at}", proof)
            except DomainError as error:
                if error.code == "account_guarded":
                    refused.append(error.data["retry_after_s"])
                    break
                proof = solved(error.data["challenge"])
            else:
                passed += 1
                break
    assert (passed, len(refused)) == (ACCOUNT_TRIES[0], ACCOUNT_TRIES[0] * 2)
    assert all(0 < seconds <= 3_600 for seconds in refused)


async def test_one_ipv6_subscriber_is_one_network(gate: Gate) -> None:
    for at in range(LIMITS.address_per_minute):
        await gate.code("", f"2001:db8::{at:x}", "")
    with pytest.raises(DomainError, match="proof_needed"):
        await gate.code("", "2001:db8::ffff:1", "")
    await gate.code("", "2001:db8:0:1::1", "")


async def test_the_own_password_is_asked_again_only_so_often(gate: Gate) -> None:
    for _ in range(PERSON_TRIES[0]):
        await gate.again("p")
    with pytest.raises(DomainError, match="too_many_tries"):
        await gate.again("p")
    await gate.right_again("p")
    await gate.again("p")
