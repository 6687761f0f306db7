"""Nobody is made twice, and nothing secret stands readable in the store."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.accounts.people import ID_NUMBER, PHONE, NewPerson, People
from server.core.actor import Role
from server.core.errors import DomainError
from tests.accounts.store import Store, number

BOTH_STORES = True


def trainee(index: int, name: str = "演示·甲") -> NewPerson:
    return NewPerson(Role.TRAINEE, name, None, "i1", None, number(index), "13800000000")


async def test_a_person_is_found_by_everything_they_have(store: Store) -> None:
    people = store.accounts.people
    made = await people.create(trainee(1))
    assert await people.person(made.id) == made
    assert await people.by_login(made.login) == made
    assert await people.by_id_number(f" {number(1)} ") == made
    assert await people.by_id_number(number(2)) is None
    assert await people.of([made.id, "nobody"]) == [made]
    assert made.id_number_masked == f"999***********{number(1)[-4:]}"


async def test_secrets_are_sealed_for_their_row(store: Store, tmp_path: Path) -> None:
    made = await store.accounts.create_person(trainee(1))
    assert store.vault.open(ID_NUMBER, made.id_number_sealed or b"", made.id) == number(1)
    assert store.vault.open(PHONE, made.phone_sealed or b"", made.id) == "13800000000"
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("keshi.db*"))
    assert number(1).encode() not in stored
    assert b"13800000000" not in stored
    assert number(1) not in repr(made)
    assert number(1) not in repr(trainee(1))


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (NewPerson(Role.STAFF, "", "staff", "i1"), "name_missing"),
        (NewPerson(Role.STAFF, "乙", "1staff", "i1"), "login_malformed"),
        (NewPerson(Role.STAFF, "乙", "staff"), "institution_needed"),
        (NewPerson(Role.REGULATOR, "乙", "county", None, "37"), "area_malformed"),
        (NewPerson(Role.TRAINEE, "乙", None, "i1"), "id_number_malformed"),
        (NewPerson(Role.TRAINEE, "乙", None, "i1", None, number(1)[:-1]), "id_number_malformed"),
        (NewPerson(Role.TRAINEE, "乙", None, "i1", None, number(1), "12"), "phone_malformed"),
    ],
)
async def test_refusals(store: Store, new: NewPerson, code: str) -> None:
    with pytest.raises(DomainError, match=code):
        await store.accounts.create_person(new)
    assert await store.accounts.people.with_roles(Role) == []


async def test_a_login_is_taken_in_any_letters(store: Store) -> None:
    await store.accounts.create_person(NewPerson(Role.STAFF, "甲", "Staff", "i1"))
    with pytest.raises(DomainError, match="login_taken"):
        await store.accounts.create_person(NewPerson(Role.INSTRUCTOR, "乙", "sTAFF", "i1"))


async def test_real_places_only_outside_a_demo(store: Store) -> None:
    serious = People(store.database, store.clock, store.vault, demo=False)
    with pytest.raises(DomainError, match="id_number_malformed"):
        await serious.create(trainee(1))


async def test_admitting_makes_the_unknown_and_finds_the_known(store: Store) -> None:
    known = await store.accounts.create_person(trainee(1))
    other = NewPerson(Role.TRAINEE, "演示·乙", None, "i2", None, number(1))
    admitted = await store.accounts.people.admit([trainee(2), other, trainee(3), trainee(2)])
    assert admitted[1] == known
    assert admitted[0] == admitted[3]
    assert len({person.id for person in admitted}) == 3
    assert len({person.login for person in admitted}) == 3
    assert len(await store.accounts.people.with_roles([Role.TRAINEE])) == 3
    assert await store.accounts.people.admit([]) == []


async def test_admitting_is_all_or_nothing(store: Store) -> None:
    bad = NewPerson(Role.TRAINEE, "演示·乙", None, "i1", None, "1")
    with pytest.raises(DomainError, match="id_number_malformed"):
        await store.accounts.people.admit([trainee(1), bad])
    assert await store.accounts.people.with_roles([Role.TRAINEE]) == []


def drawing(*logins: str) -> Callable[[], str]:
    drawn: Iterator[str] = iter(logins)
    return lambda: next(drawn)


async def test_a_number_that_is_taken_is_drawn_again(store: Store) -> None:
    draw = drawing("10000001", "10000001", "10000001", "10000002", "10000002", "10000003")
    people = People(store.database, store.clock, store.vault, True, draw)
    first = await people.create(trainee(1))
    others = await people.admit([trainee(2), trainee(3)])
    assert [first.login, *(person.login for person in others)] == ["10000001", "10000002", "10000003"]


async def test_lists_by_role_and_institution(store: Store) -> None:
    for name, role, home in (("b", Role.STAFF, "i1"), ("a", Role.STAFF, "i2"), ("c", Role.INSTRUCTOR, "i1")):
        await store.accounts.create_person(NewPerson(role, name, f"{name}{name}", home))
    people = store.accounts.people
    assert [person.name for person in await people.with_roles([Role.STAFF])] == ["a", "b"]
    assert [person.name for person in await people.with_roles([Role.STAFF, Role.INSTRUCTOR], "i1")] == ["b", "c"]
    assert await store.accounts.names([]) == {}
    with pytest.raises(DomainError, match="not_found"):
        await store.accounts.person("nobody")
