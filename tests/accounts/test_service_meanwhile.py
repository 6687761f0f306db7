"""What happens to an account while its password is checked counts: nobody outruns a reset."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from server.accounts.passwords import Passwords
from server.accounts.people import NewPerson
from server.accounts.records import Person
from server.accounts.service import Knock
from server.core.actor import Actor, Role
from server.core.errors import DomainError
from tests.accounts.store import PASSWORD, Store, number

BOTH_STORES = True
NEW = "another long password"

Change = Callable[[Store, Person], Awaitable[object]]


class Held(Passwords):
    """Passwords that are right or wrong only when a test lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def verify(self, stored: str | None, password: str) -> bool:
        found = await super().verify(stored, password)
        self.asked.set()
        await self.go_on.wait()
        return found


@pytest.fixture
async def trainee(store: Store) -> Person:
    person = await store.accounts.create_person(NewPerson(Role.TRAINEE, "演示·甲", None, "i1", None, number(1)))
    await store.accounts.set_password(person.id, PASSWORD)
    return await store.accounts.person(person.id)


async def reset(store: Store, trainee: Person) -> None:
    await store.accounts.reset(trainee.id)


async def replace(store: Store, trainee: Person) -> None:
    await store.accounts.set_password(trainee.id, NEW)


async def switch_off(store: Store, trainee: Person) -> None:
    await store.accounts.deactivate(Actor("a1", Role.ADMINISTRATOR, "s1"), trainee.id)


async def during(store: Store, work: Awaitable[object], change: Change, trainee: Person) -> str:
    """Do `work` and make the change while it checks a password: "done", or the refusal."""
    held = Held()
    store.accounts._passwords.close()
    store.accounts._passwords = held
    task = asyncio.ensure_future(work)
    await asyncio.wait_for(held.asked.wait(), 10)
    await change(store, trainee)
    held.go_on.set()
    try:
        await task
    except DomainError as error:
        return error.code
    return "done"


@pytest.mark.parametrize("change", [reset, replace, switch_off])
async def test_a_login_does_not_outrun_what_ends_logins(store: Store, trainee: Person, change: Change) -> None:
    login = store.accounts.login(trainee.login, PASSWORD, Knock("a"))
    assert await during(store, login, change, trainee) == "login_refused"
    await store.accounts.reactivate(trainee.id)
    assert await store.accounts.sessions.of(trainee.id) == []


@pytest.mark.parametrize("change", [reset, replace, switch_off])
async def test_a_new_password_does_not_outrun_a_reset(store: Store, trainee: Person, change: Change) -> None:
    _, token = await store.accounts.login(trainee.login, PASSWORD, Knock("a"))
    actor = await store.accounts.authenticate(token)
    assert actor is not None
    changed = store.accounts.change_password(actor, PASSWORD, NEW + "!")
    assert await during(store, changed, change, trainee) == "password_wrong"
    await store.accounts.reactivate(trainee.id)
    with pytest.raises(DomainError, match="login_refused"):
        await store.accounts.login(trainee.login, NEW + "!", Knock("a"))


async def test_what_is_left_as_it_was_goes_on(store: Store, trainee: Person) -> None:
    async def nothing(_store: Store, _trainee: Person) -> None:
        pass

    login = store.accounts.login(trainee.login, PASSWORD, Knock("a"))
    assert await during(store, login, nothing, trainee) == "done"
