"""One-time secrets: once, in time, and guessed at only so often."""

from pathlib import Path

import pytest

from server.accounts.people import NewPerson
from server.accounts.records import Person
from server.accounts.rules import CODE_TRIES, LINK_MS, SLIP_MS
from server.accounts.service import Knock
from server.core.actor import Role
from server.core.errors import DomainError
from tests.accounts.store import PASSWORD, Store, number, solved

BOTH_STORES = True


async def invited(store: Store, index: int = 1) -> Person:
    new = NewPerson(Role.TRAINEE, f"演示·{index}", None, "i1", None, number(index))
    return await store.accounts.create_person(new)


async def refusal(store: Store, secret: str) -> str:
    with pytest.raises(DomainError) as refused:
        await store.accounts.open_invitation(secret)
    return refused.value.code


@pytest.mark.parametrize(("scope", "lasts_ms"), [("", LINK_MS), ("classtoken", SLIP_MS)])
async def test_a_secret_opens_until_it_expires(store: Store, scope: str, lasts_ms: int) -> None:
    person = await invited(store)
    secret = await store.accounts.invite(person.id, scope)
    store.clock.advance(lasts_ms - 1)
    assert await store.accounts.open_invitation(secret) == (person, scope)
    store.clock.advance(1)
    assert await refusal(store, secret) == "invitation_expired"
    with pytest.raises(DomainError, match="invitation_expired"):
        await store.accounts.redeem(secret, PASSWORD)


async def test_a_secret_is_used_once(store: Store) -> None:
    person = await invited(store)
    secret = await store.accounts.invite(person.id, "classtoken")
    redeemed, token = await store.accounts.redeem(secret.lower().replace("-", ""), PASSWORD)
    actor = await store.accounts.authenticate(token)
    assert (redeemed.id, actor and actor.person_id) == (person.id, person.id)
    assert await refusal(store, secret) == "invitation_used"
    with pytest.raises(DomainError, match="invitation_used"):
        await store.accounts.redeem(secret, "another password")
    assert await store.accounts.verify_password(person.id, PASSWORD)


async def test_a_weak_password_leaves_the_secret_as_it_was(store: Store) -> None:
    person = await invited(store)
    secret = await store.accounts.invite(person.id)
    for weak in ("short", person.login):
        with pytest.raises(DomainError, match="password_weak"):
            await store.accounts.redeem(secret, weak)
    await store.accounts.redeem(secret, PASSWORD)


async def test_a_new_secret_voids_the_one_before(store: Store) -> None:
    one, other = await invited(store, 1), await invited(store, 2)
    old = await store.accounts.invite(one.id)
    others = await store.accounts.invite(other.id)
    made = await store.accounts.invitations.invite([one.id, other.id], "classtoken")
    assert made.keys() == {one.id, other.id}
    assert await refusal(store, old) == await refusal(store, others) == "invitation_unknown"
    for person in (one, other):
        assert (await store.accounts.open_invitation(made[person.id]))[0] == person


async def test_a_code_belongs_to_its_class(store: Store) -> None:
    person = await invited(store)
    code = (await store.accounts.invite(person.id, "classtoken")).partition(":")[2]
    for wrong in (f"other:{code}", code, f":{code}", "classtoken:", ""):
        assert await refusal(store, wrong) == "invitation_unknown"


async def test_wrong_codes_of_a_class_cost_work_and_lock_nobody_out(store: Store) -> None:
    person, other = await invited(store, 1), await invited(store, 2)
    secret = await store.accounts.invite(person.id, "classtoken")
    link = await store.accounts.invite(other.id)
    tries, window_s = CODE_TRIES
    for _ in range(5):  # good ones do not count
        await store.accounts.open_invitation(secret)
    for _ in range(tries + 1):
        assert await refusal(store, "classtoken:AAAAA-AAAAA") == "invitation_unknown"
    for scope in ("classtoken", " classtoken", "classtoken\t", "\u3000" * 70 + "classtoken"):
        assert await refusal(store, scope + secret.removeprefix("classtoken")) == "proof_needed", scope
    with pytest.raises(DomainError) as refused:
        await store.accounts.open_invitation(secret)
    proof = solved(refused.value.data["challenge"])
    assert (await store.accounts.open_invitation(secret, Knock(proof=proof)))[0] == person
    with pytest.raises(DomainError, match="proof_needed"):
        await store.accounts.open_invitation(secret, Knock(proof=proof))
    await store.accounts.open_invitation(link)
    store.clock.advance(window_s * 1_000)
    await store.accounts.open_invitation(secret)


async def test_no_secret_is_stored(store: Store, tmp_path: Path) -> None:
    person = await invited(store)
    code = (await store.accounts.invite(person.id, "classtoken")).partition(":")[2]
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("keshi.db*"))
    assert code.encode() not in stored
    assert code.replace("-", "").encode() not in stored
