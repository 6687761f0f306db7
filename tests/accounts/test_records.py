"""What the queries promise beyond what the services show."""

import pytest

from server.accounts import records
from server.accounts.records import CHUNK, Invitation, Person, Session
from server.core.actor import Role
from server.core.errors import DomainError
from tests.accounts.store import NOW_MS, Store

BOTH_STORES = True


def somebody(index: int) -> Person:
    return Person(
        f"p{index}", Role.TRAINEE, f"演示·{index}", f"1{index:07d}", "i1", None, NOW_MS, id_number_digest=f"d{index}"
    )


async def test_more_values_than_one_query_takes(store: Store) -> None:
    people = [somebody(index) for index in range(CHUNK * 2 + 1)]
    async with store.database.write() as connection:
        await records.add_people(connection, people)
        invitations = [Invitation(f"i{each.id}", each.id, each.id, "", 0, 1) for each in people]
        await records.add_invitations(connection, invitations)
        await records.add_invitations(connection, invitations)
        found = await records.by_ids(connection, [each.id for each in people])
        assert sorted(found, key=lambda each: each.login) == people
        assert len(await records.by_digests(connection, [f"d{index}" for index in range(len(people))])) == len(people)


async def test_an_id_number_is_nobody_else_s(store: Store) -> None:
    twin = Person("other", Role.TRAINEE, "演示·乙", "99999999", "i2", None, NOW_MS, id_number_digest="d1")
    async with store.database.write() as connection:
        await records.add_people(connection, [somebody(1)])
    with pytest.raises(DomainError, match="login_taken"):
        async with store.database.write() as connection:
            await records.add_people(connection, [twin])


async def test_an_invitation_is_used_by_one_only(store: Store) -> None:
    async with store.database.write() as connection:
        await records.add_people(connection, [somebody(1)])
        await records.add_invitations(connection, [Invitation("i1", "digest", "p1", "", 0, 1)])
        assert await records.use_invitation(connection, "i1", 5)
        assert not await records.use_invitation(connection, "i1", 6)
        await records.void_invitations(connection, ["p1"])
        kept = await records.invitation_by_digest(connection, "digest")
    assert kept is not None
    assert kept.used_ms == 5


def test_nothing_secret_is_printed() -> None:
    person = Person("p", Role.STAFF, "n", "l", None, None, 0, "hash-x", b"sealed-x", "digest-x", None, b"phone-x")
    shown = repr([person, Session("s", "token-x", "p", 0, 1, 1), Invitation("i", "secret-x", "p", "", 0, 1)])
    assert "-x" not in shown
