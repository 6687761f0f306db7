"""Signing in, limits on guessing, and what voids a login."""

import asyncio

import pytest

from server.accounts.limits import LimitSettings
from server.accounts.passwords import Passwords
from server.accounts.people import NewPerson, Place
from server.accounts.records import Person
from server.accounts.rules import ACCOUNT_TRIES, ADDRESS_WINDOW_S, FREE_TRIES, PASSWORD_MAXIMUM
from server.accounts.service import Accounts, Knock
from server.core.actor import Actor, Role
from server.core.errors import DomainError
from server.core.shared import InProcess
from server.core.tasks import Tasks
from tests.accounts.store import PASSWORD, Store, number, solved

BOTH_STORES = True

TRIES, WINDOW_MS = FREE_TRIES[0], FREE_TRIES[1] * 1_000


@pytest.fixture
async def trainee(store: Store) -> Person:
    person = await store.accounts.create_person(NewPerson(Role.TRAINEE, "演示·甲", None, "i1", None, number(1)))
    await store.accounts.set_password(person.id, PASSWORD)
    return await store.accounts.person(person.id)


async def refusal(store: Store, login: str, password: str, address: str = "a", device: str = "") -> str:
    with pytest.raises(DomainError) as refused:
        await store.accounts.login(login, password, Knock(address, device))
    return refused.value.code


async def worked(store: Store, login: str, password: str, address: str) -> str:
    """Try, and work when asked to: "in", or the refusal that work does not help against."""
    knock = Knock(address)
    for _ in range(3):
        try:
            await store.accounts.login(login, password, knock)
        except DomainError as error:
            if error.code != "proof_needed":
                return error.code
            knock = Knock(address, proof=solved(error.data["challenge"]))
        else:
            return "in"
    return "proof_needed"


async def test_signing_in_by_login_or_by_id_number(store: Store, trainee: Person) -> None:
    for typed in (trainee.login, f" {trainee.login} ", number(1), number(1).lower()):
        person, token = await store.accounts.login(typed, PASSWORD, Knock("a"))
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
    counters = InProcess(store.clock, Tasks())
    accounts = Accounts(store.database, store.clock, store.vault, True, passwords, counters, LimitSettings())
    for login in (trainee.login, "nobody", number(2), ""):
        with pytest.raises(DomainError, match="login_refused"):
            await accounts.login(login, "wrong password")
    assert passwords.checked == 4
    accounts.close()


@pytest.mark.parametrize("login", ["known", "nobody"])
async def test_an_account_is_tried_only_so_often_without_work(store: Store, trainee: Person, login: str) -> None:
    name = trainee.login if login == "known" else "nobody"
    for at in range(TRIES):
        assert await refusal(store, name, "wrong password", address=f"address {at}") == "login_refused"
    assert await refusal(store, name, PASSWORD) == "proof_needed"
    store.clock.advance(WINDOW_MS)
    assert await refusal(store, name, "wrong password") == "login_refused"


async def test_a_stranger_keeps_nobody_out(store: Store, trainee: Person) -> None:
    await store.accounts.login(trainee.login, PASSWORD, Knock("home"))
    device = await store.accounts.remember(trainee.id, "")
    for at in range(100):
        await worked(store, trainee.login, "wrong password", f"2001:db8:{at % 5:x}::1")
    assert await worked(store, trainee.login, PASSWORD, "2001:db8:ffff::1") == "account_guarded"
    # where they signed in before they still can, and elsewhere with a new slip
    await store.accounts.login(trainee.login, PASSWORD, Knock("home", device))
    await store.accounts.reset(trainee.id)
    secret = await store.accounts.invite(trainee.id, "classtoken")
    await store.accounts.redeem(secret, "new password", Knock("anywhere"))


async def test_one_network_cannot_use_up_a_whole_account(store: Store, trainee: Person) -> None:
    for _ in range(ACCOUNT_TRIES[0] * 2):
        await worked(store, trainee.login, "wrong password", "198.51.100.1")
    assert await worked(store, trainee.login, PASSWORD, "198.51.100.1") == "account_guarded"
    assert await worked(store, trainee.login, PASSWORD, "198.51.100.2") == "in"


async def test_work_opens_the_door_to_the_right_password_only(store: Store, trainee: Person) -> None:
    for _ in range(TRIES):
        await refusal(store, trainee.login, "wrong password")
    assert await worked(store, trainee.login, "wrong password", "a") == "login_refused"
    assert await worked(store, trainee.login, PASSWORD, "a") == "in"
    assert await refusal(store, trainee.login, "wrong password") == "login_refused"  # and all begins anew


@pytest.mark.parametrize("known", [True, False])
async def test_every_spelling_of_a_login_is_the_same_try(store: Store, trainee: Person, known: bool) -> None:
    name = trainee.login if known else "nobody"
    spellings = (name, f" {name}", f"{name} ", name.upper(), f"\t{name}")
    for at in range(TRIES):
        assert await refusal(store, spellings[at % len(spellings)], "wrong password") == "login_refused"
    assert await refusal(store, f"  {name}", "wrong password") == "proof_needed"


async def test_a_limit_that_is_reached_does_not_tell_whose_id_number_it_is(store: Store, trainee: Person) -> None:
    for _ in range(TRIES + 1):
        await refusal(store, trainee.login, "wrong password")
    for one in (1, 2):  # theirs, and nobody's
        assert await refusal(store, number(one), "wrong password") == "login_refused"


async def test_a_known_device_tells_nobody_else_s_login(store: Store, trainee: Person) -> None:
    """Somebody's own cookie changes nothing at the door of another account, whether that exists or not."""
    own = await store.add(Role.STAFF, "own", "i1")
    device = await store.accounts.remember(own.person_id, "")
    for name in (trainee.login, "nobody"):
        for _ in range(TRIES):
            assert await refusal(store, name, "wrong password", device=device) == "login_refused"
        assert await refusal(store, name, "wrong password", device=device) == "proof_needed"


async def test_guesses_from_outside_lock_nobody_out_of_a_take_over(store: Store, trainee: Person) -> None:
    for _ in range(TRIES + 1):
        await refusal(store, trainee.login, "wrong password")
    assert await store.accounts.verify_password(trainee.id, PASSWORD)


async def test_tries_at_once_are_counted_as_well(store: Store, trainee: Person) -> None:
    many = [store.accounts.login(trainee.login, f"guess number {at}", Knock("a")) for at in range(TRIES * 3)]
    answers = await asyncio.gather(*many, return_exceptions=True)
    codes = [answer.code for answer in answers if isinstance(answer, DomainError)]
    assert (codes.count("login_refused"), codes.count("proof_needed")) == (TRIES, TRIES * 2)


async def test_a_good_login_clears_the_count(store: Store, trainee: Person) -> None:
    for _ in range(3):
        for _ in range(TRIES - 1):
            assert await refusal(store, trainee.login, "wrong password") == "login_refused"
        await store.accounts.login(trainee.login, PASSWORD, Knock("a"))


async def test_an_address_has_a_generous_budget_and_then_works(store: Store, trainee: Person) -> None:
    calls = store.limits.address_per_minute
    for _ in range(calls):
        assert await refusal_of_code(store, "no such secret", "school") == "invitation_unknown"
    assert await refusal(store, trainee.login, PASSWORD, "school") == "proof_needed"
    assert await worked(store, trainee.login, PASSWORD, "school") == "in"
    await store.accounts.login(trainee.login, PASSWORD, Knock("home"))
    store.clock.advance(ADDRESS_WINDOW_S * 1_000)
    await store.accounts.login(trainee.login, PASSWORD, Knock("school"))


async def test_a_house_under_attack_asks_unknown_devices_for_work(store: Store, trainee: Person) -> None:
    device = await store.accounts.remember(trainee.id, "")
    for at in range(store.limits.attack_failures + 1):
        assert await refusal(store, f"login{at}", "password", f"10.0.{at // 200}.{at % 200}") == "login_refused"
    assert await refusal(store, trainee.login, PASSWORD) == "proof_needed"
    await store.accounts.login(trainee.login, PASSWORD, Knock("a", device))
    assert await worked(store, trainee.login, PASSWORD, "b") == "in"


async def refusal_of_code(store: Store, secret: str, address: str) -> str:
    with pytest.raises(DomainError) as refused:
        await store.accounts.open_invitation(secret, Knock(address))
    return refused.value.code


async def test_a_password_asked_for_again_counts_as_a_try(store: Store, trainee: Person) -> None:
    assert await store.accounts.verify_password(trainee.id, PASSWORD)
    for _ in range(TRIES):
        assert not await store.accounts.verify_password(trainee.id, "wrong password")
    with pytest.raises(DomainError, match="too_many_tries"):
        await store.accounts.verify_password(trainee.id, PASSWORD)


async def signed_in(store: Store, person: Person) -> tuple[Actor, str]:
    _person, token = await store.accounts.login(person.login, PASSWORD, Knock("a"))
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
    await store.accounts.login(trainee.login, "new password", Knock("a"))


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
    await store.accounts.login(trainee.login, "new password", Knock("a"))


async def test_signing_out_ends_one_login(store: Store, trainee: Person) -> None:
    (here, here_token), (_there, there_token) = await signed_in(store, trainee), await signed_in(store, trainee)
    await store.accounts.logout(here.session_id)
    assert await store.accounts.authenticate(here_token) is None
    assert await store.accounts.authenticate(there_token) is not None


async def test_a_new_password_given_from_above_ends_old_logins(store: Store, trainee: Person) -> None:
    _actor, token = await signed_in(store, trainee)
    await store.accounts.set_password(trainee.id, "another password")
    assert await store.accounts.authenticate(token) is None


async def test_a_deactivated_person_is_out_until_reactivated(store: Store, trainee: Person) -> None:
    admin = await store.add(Role.ADMINISTRATOR, "root")
    _actor, token = await signed_in(store, trainee)
    secret = await store.accounts.invite(trainee.id)
    await store.accounts.deactivate(admin, trainee.id)
    assert await store.accounts.authenticate(token) is None
    assert await refusal(store, trainee.login, PASSWORD) == "login_refused"
    assert await refusal_of_code(store, secret, "a") == "invitation_unknown"
    await store.accounts.reactivate(trainee.id)
    await signed_in(store, trainee)


async def test_nobody_switches_themselves_off(store: Store) -> None:
    admin = await store.add(Role.ADMINISTRATOR, "root")
    with pytest.raises(DomainError, match="own_account"):
        await store.accounts.deactivate(admin, admin.person_id)
    with pytest.raises(DomainError, match="own_account"):
        await store.accounts.move(admin, admin.person_id, Place(Role.STAFF, "i1", None))


async def test_another_role_ends_the_logins_of_the_old_one(store: Store) -> None:
    admin = await store.add(Role.ADMINISTRATOR, "root")
    staff = await store.add(Role.STAFF, "staff", "i1")
    person = await store.accounts.person(staff.person_id)
    _actor, token = await signed_in(store, person)
    await store.accounts.move(admin, staff.person_id, Place(Role.REGULATOR, "i1", "371500"))
    assert await store.accounts.authenticate(token) is None
    actor, _token = await signed_in(store, person)
    assert (actor.role, actor.institution_id, actor.area) == (Role.REGULATOR, None, "371500")
