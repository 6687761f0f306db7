"""Two processes over one store do at once what may be done once: one of them is refused, in either store."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from server import training
from server.accounts.people import NewPerson
from server.core.actor import Role
from server.core.errors import DomainError
from server.training.service import NewClass, Training
from tests.accounts.store import Store, number, open_store

BOTH_STORES = True
ROUNDS = 5


@pytest.fixture
async def two(store_url: str) -> AsyncIterator[tuple[Store, Store]]:
    """Two processes, each with its own connections."""
    async with open_store(store_url) as one, open_store(store_url) as other:
        yield one, other


def teaching(store: Store) -> Training:
    return training.build(database=store.database, clock=store.clock, accounts=store.accounts, demo=True).service


def codes(results: Sequence[object]) -> list[str]:
    """The refusals among results; anything else that failed fails the test."""
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, DomainError):
            raise result
    return sorted(result.code for result in results if isinstance(result, DomainError))


def new_trainee(index: int) -> NewPerson:
    return NewPerson(Role.TRAINEE, "演示", None, "i1", None, number(index))


async def test_an_invitation_is_used_once(two: tuple[Store, Store]) -> None:
    one, other = two
    for index in range(ROUNDS):
        person = await one.accounts.create_person(new_trainee(index))
        secret = await one.accounts.invite(person.id)
        used = [each.accounts.invitations for each in (one, other) for _ in range(2)]
        results = await asyncio.gather(
            *[_use(store, each, secret) for store, each in zip((one, one, other, other), used, strict=True)],
            return_exceptions=True,
        )
        assert codes(results) == ["invitation_used"] * 3


async def _use(store: Store, invitations: object, secret: str) -> None:
    async with store.database.write() as connection:
        await invitations.use(connection, secret)  # type: ignore[attr-defined]


async def test_a_person_is_admitted_once_by_two_rosters(two: tuple[Store, Store]) -> None:
    rosters = [new_trainee(index) for index in range(20)]
    found = await asyncio.gather(two[0].accounts.people.admit(rosters), two[1].accounts.people.admit(rosters[::-1]))
    assert [person.id for person in found[0]] == [person.id for person in found[1]][::-1]


async def test_seats_are_given_once_and_without_gaps(two: tuple[Store, Store]) -> None:
    people = await two[0].accounts.people.admit([new_trainee(index) for index in range(20)])
    schools = [teaching(store) for store in two]
    home = await schools[0].create_institution("示例学校", "371525")
    staff = await two[0].add(Role.STAFF, "one", home.id)
    new = NewClass("C-1", "示例班", home.id, "养老护理员", "五级", "2026-11-01", "2026-12-31", 40)
    made = await asyncio.gather(*[each.create_class(staff, new) for each in schools], return_exceptions=True)
    assert codes(list(made)) == ["class_code_taken"]
    (known,) = await schools[0].classes_of(staff)
    ids = [person.id for person in people]
    await asyncio.gather(*[schools[turn % 2].enrol_all(known.id, ids[turn : turn + 7]) for turn in range(14)])
    assert [place.seat for place in await schools[1].roster(known.id)] == list(range(1, 21))


async def test_a_login_name_is_taken_once(two: tuple[Store, Store]) -> None:
    new = NewPerson(Role.STAFF, "教务", "office", "i1")
    made = await asyncio.gather(*[store.accounts.create_person(new) for store in two], return_exceptions=True)
    assert codes(list(made)) == ["login_taken"]


async def test_the_platform_is_set_up_once(two: tuple[Store, Store]) -> None:
    schools = [teaching(store) for store in two]
    await asyncio.gather(*[each.set_platform(f"运营{index}", "") for index, each in enumerate(schools)])
    assert (await schools[0].platform()).operator in ("运营0", "运营1")
