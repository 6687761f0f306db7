"""Signing in, limits on guessing, and what voids a login."""

import asyncio

import pytest

from server.accounts.passwords import Passwords
from server.accounts.people import NewPerson
from server.accounts.records import Person
from server.accounts.rules import ACCOUNT_TRIES, ADDRESS_CALLS, PASSWORD_MAXIMUM
from server.accounts.service import Accounts
from server.core.actor import Actor, Role
from server.core.errors import DomainError
from tests.accounts.store import PASSWORD, Store, number

TRIES, WINDOW_MS = ACCOUNT_TRIES


@pytest.fixture
async def trainee(store: Store) -> Person:
    person = await store.accounts.create_person(NewPerson(Role.TRAINEE, "演示·甲", None, "i1", None, number(1)))
    await store.accounts.set_password(person.id, PASSWORD)
    return await store.accounts.person(person.id)


async def refusal(store: Store, login: str, password: str, address: str = "a") -> str:
    with pytest.raises(DomainError) as refused:
        await store.accounts.login(login, password, address)
    return refused.value.code


async def test_signing_in_by_login_or_by_id_number(store: Store, trainee: Person) -> None:
    for typed in (trainee.login, f" {trainee.login} ", number(1), number(1).lower()):
        person, token = await store.accounts.login(typed, PASSWORD, "a")
        actor = await store.accounts.authenticate(token)
        assert (person.id, actor and actor.person_id) == (trainee.id, trainee.id)


async def test_whatever_is_wrong_the_answer_is_the_same(store: Store, trainee: Person) -> None:
    invited = await store.accounts.create_person(NewPerson(Role.STAFF, "乙", "staff", "i1"))
    assert not invited.active
    for login, password in [
        (trainee.login, "wrong password"),
        ("nobody", PASSWORD),
        (number(2), PASSWORD),
        ("staff", ""),
        ("", ""),
        (trainee.login, PASSWORD + "x" * PASSWORD_MAXIMUM),
        ("x" * 60_000, PASSWORD),
    ]:
        assert await refusal(store, login, password) == "login_refused"


class Counting(Passwords):
    """Passwords that remember how many were checked."""

    checked = 0

    async def verify(self, stored: str | None, password: str) -> bool:
        self.checked += 1
        return await super().verify(stored, password)


async def test_an_unknown_login_costs_a_check_as_well(store: Store, trainee: Person) -> None:
    passwords = Counting()
    accounts = Accounts(store.database, store.clock, store.vault, True, passwords)
    for login in (trainee.login, "nobody", number(2), ""):
        with pytest.raises(DomainError, match="login_refused"):
            await accounts.login(login, "wrong password", "a")
    assert passwords.checked == 4
    accounts.close()


@pytest.mark.parametrize("login", ["known", "nobody"])
async def test_an_account_is_tried_only_so_often(store: Store, trainee: Person, login: str) -> None:
    name = trainee.login if login == "known" else "nobody"
    for at in range(TRIES):
        assert await refusal(store, name, "wrong password", address=f"address {at}") == "login_refused"
    assert await refusal(store, name, PASSWORD) == "too_many_tries"
    store.clock.advance(WINDOW_MS)
    assert await refusal(store, name, "wrong password") == "login_refused"


@pytest.mark.parametrize("known", [True, False])
async def test_every_spelling_of_a_login_is_the_same_try(store: Store, trainee: Person, known: bool) -> None:
    name = trainee.login if known else "nobody"
    spellings = (name, f" {name}", f"{name} ", name.upper(), f"\t{name}")
    for at in range(TRIES):
        assert await refusal(store, spellings[at % len(spellings)], "wrong password") == "login_refused"
    assert await refusal(store, f"  {name}", "wrong password") == "too_many_tries"


async def test_a_limit_that_is_reached_does_not_tell_whose_id_number_it_is(store: Store, trainee: Person) -> None:
    for _ in range(TRIES + 1):
        await refusal(store, trainee.login, "wrong password")
    for one in (1, 2):  # theirs, and nobody's
        assert await refusal(store, number(one), "wrong password") == "login_refused"


async def test_guesses_from_outside_lock_nobody_out_of_a_take_over(store: Store, trainee: Person) -> None:
    for _ in range(TRIES + 1):
        await refusal(store, trainee.login, "wrong password")
    assert await store.accounts.verify_password(trainee.id, PASSWORD)


async def test_tries_at_once_are_counted_as_well(store: Store, trainee: Person) -> None:
    many = [store.accounts.login(trainee.login, f"guess number {at}", "a") for at in range(TRIES * 3)]
    answers = await asyncio.gather(*many, return_exceptions=True)
    codes = [answer.code for answer in answers if isinstance(answer, DomainError)]
    assert (codes.count("login_refused"), codes.count("too_many_tries")) == (TRIES, TRIES * 2)


async def test_a_good_login_clears_the_count(store: Store, trainee: Person) -> None:
    for _ in range(3):
        for _ in range(TRIES - 1):
            assert await refusal(store, trainee.login, "wrong password") == "login_refused"
        await store.accounts.login(trainee.login, PASSWORD, "a")


async def test_an_address_has_a_generous_budget(store: Store, trainee: Person) -> None:
    calls, window_ms = ADDRESS_CALLS
    for _ in range(calls):
        assert await refusal_of_code(store, "no such secret", "school") == "invitation_unknown"
    assert await refusal(store, trainee.login, PASSWORD, "school") == "too_many_tries"
    await store.accounts.login(trainee.login, PASSWORD, "home")
    store.clock.advance(window_ms)
    await store.accounts.login(trainee.login, PASSWORD, "school")


async def refusal_of_code(store: Store, secret: str, address: str) -> str:
    with pytest.raises(DomainError) as refused:
        await store.accounts.open_invitation(secret, address)
    return refused.value.code


async def test_a_password_asked_for_again_counts_as_a_try(store: Store, trainee: Person) -> None:
    assert await store.accounts.verify_password(trainee.id, PASSWORD)
    for _ in range(TRIES):
        assert not await store.accounts.verify_password(trainee.id, "wrong password")
    with pytest.raises(DomainError, match="too_many_tries"):
        await store.accounts.verify_password(trainee.id, PASSWORD)


async def signed_in(store: Store, person: Person) -> tuple[Actor, str]:
    _person, token = await store.accounts.login(person.login, PASSWORD, "a")
    actor = await store.accounts.authenticate(token)
    assert actor is not None
    return actor, token


async def test_a_new_password_ends_all_other_logins(store: Store, trainee: Person) -> None:
    ended: list[str] = []

    async def tell(session_id: str) -> None:
        ended.append(session_id)

    store.accounts.on_session_end.append(tell)
    (here, here_token), (there, there_token) = await signed_in(store, trainee), await signed_in(store, trainee)
    for old, new, code in [("wrong", "new password", "password_wrong"), (PASSWORD, "new", "password_weak")]:
        with pytest.raises(DomainError, match=code):
            await store.accounts.change_password(here, old, new)
    await store.accounts.change_password(here, PASSWORD, "new password")
    assert ended == [there.session_id]
    assert await store.accounts.authenticate(here_token) == here
    assert await store.accounts.authenticate(there_token) is None
    assert await refusal(store, trainee.login, PASSWORD) == "login_refused"
    await store.accounts.login(trainee.login, "new password", "a")


async def test_a_reset_voids_password_logins_and_invitations(store: Store, trainee: Person) -> None:
    _actor, token = await signed_in(store, trainee)
    secret = await store.accounts.invite(trainee.id)
    for _ in range(TRIES):
        await refusal(store, trainee.login, "wrong password")
    await store.accounts.reset(trainee.id)
    assert await store.accounts.authenticate(token) is None
    assert await refusal(store, trainee.login, PASSWORD) == "login_refused"
    with pytest.raises(DomainError, match="invitation_unknown"):
        await store.accounts.redeem(secret, PASSWORD)
    await store.accounts.redeem(await store.accounts.invite(trainee.id), "new password")
    await store.accounts.login(trainee.login, "new password", "a")


async def test_signing_out_ends_one_login(store: Store, trainee: Person) -> None:
    (here, here_token), (_there, there_token) = await signed_in(store, trainee), await signed_in(store, trainee)
    await store.accounts.logout(here.session_id)
    assert await store.accounts.authenticate(here_token) is None
    assert await store.accounts.authenticate(there_token) is not None
