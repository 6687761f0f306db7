"""A session is asked for at every beat: known ones from memory, ended ones never again."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from server.accounts import records
from server.accounts.records import Connection, Person
from server.accounts.rules import DESK_IDLE_MS, IDLE_MS, SESSION_MS, idle_ms
from server.accounts.sessions import USE_MS, Sessions, _Known
from server.core.actor import Role
from server.core.clock import ManualClock
from tests.accounts.store import NOW_MS, Store

BOTH_STORES = True


class Racing(Sessions):
    """Sessions one of which ends just after it was read from the database."""

    ending: str | None = None

    async def _read(self, token: str) -> _Known | None:
        found = await super()._read(token)
        if self.ending is not None:
            session_id, self.ending = self.ending, None
            await self.end(session_id)
        return found


async def _opened(store: Store, sessions: Sessions, role: Role = Role.STAFF) -> tuple[Person, str]:
    actor = await store.add(role, "演示·甲" if role is Role.TRAINEE else "staff", "i1")
    person = await store.accounts.person(actor.person_id)
    async with store.database.write() as connection:
        return person, await sessions.open(connection, person)


def _sessions(store: Store) -> Sessions:
    return Sessions(store.database, store.clock, store.vault)


async def test_a_session_names_its_person(store: Store) -> None:
    sessions = _sessions(store)
    person, token = await _opened(store, sessions)
    actor = await sessions.authenticate(token)
    assert actor is not None
    assert (actor.person_id, actor.role, actor.institution_id, actor.area) == (person.id, Role.STAFF, "i1", None)
    assert await sessions.authenticate(token + "x") is None


async def test_no_token_is_stored(store: Store, tmp_path: Path) -> None:
    _person, token = await _opened(store, _sessions(store))
    async with store.database.read() as connection:
        rows = [str(row) for row in await connection.exec_driver_sql("SELECT * FROM login_session")]
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("keshi.db*"))
    assert len(rows) == 1
    assert token.encode() not in stored + "".join(rows).encode()


async def test_a_known_session_asks_no_database(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = _sessions(store)
    _person, token = await _opened(store, sessions)
    first = await sessions.authenticate(token)
    for door in ("read", "write"):
        monkeypatch.setattr(store.database, door, None)
    assert await sessions.authenticate(token) == first


async def _use_until(store: Store, sessions: Sessions, token: str, at_ms: int) -> None:
    """Use a login every hour until a moment."""
    while store.clock.ms() < at_ms:
        store.clock.advance(min(3_600_000, at_ms - store.clock.ms()))
        assert await sessions.authenticate(token) is not None


async def test_a_login_lasts_a_class_day(store: Store) -> None:
    sessions = _sessions(store)
    _person, token = await _opened(store, sessions)
    begun_ms = store.clock.ms()
    assert SESSION_MS >= 12 * 3_600_000
    await _use_until(store, sessions, token, begun_ms + SESSION_MS - 1)
    store.clock.advance(1)
    assert await sessions.authenticate(token) is None
    fresh = Sessions(store.database, ManualClock(NOW_MS + SESSION_MS), store.vault)
    assert await fresh.authenticate(token) is None


@pytest.mark.parametrize(("role", "lasts_ms"), [(Role.STAFF, DESK_IDLE_MS), (Role.TRAINEE, IDLE_MS)])
async def test_a_login_that_nobody_uses_ends(store: Store, role: Role, lasts_ms: int) -> None:
    sessions = _sessions(store)
    assert idle_ms(role) == lasts_ms
    _person, token = await _opened(store, sessions, role)
    store.clock.advance(lasts_ms - 1)
    assert await sessions.authenticate(token) is not None
    store.clock.advance(lasts_ms)
    assert await sessions.authenticate(token) is None


async def test_use_is_written_down_for_other_processes(store: Store) -> None:
    here, there = _sessions(store), _sessions(store)
    _person, token = await _opened(store, here)
    store.clock.advance(DESK_IDLE_MS - 1)
    assert await here.authenticate(token) is not None
    await here.end_expired()
    store.clock.advance(USE_MS)
    await there.end_expired()
    assert await there.authenticate(token) is not None


async def _told(sessions: Sessions) -> list[str]:
    told: list[str] = []

    async def tell(session_id: str) -> None:
        told.append(session_id)

    sessions.on_end.append(tell)
    return told


async def test_what_another_process_ended_ends_here(store: Store) -> None:
    here, there = _sessions(store), _sessions(store)
    told = await _told(here)
    _person, token = await _opened(store, here)
    actor = await here.authenticate(token)
    assert actor is not None
    await here.recheck()
    assert told == []
    await there.end(actor.session_id)
    assert await here.authenticate(token) is not None  # not known yet
    await here.recheck()
    assert told == [actor.session_id]
    assert await here.authenticate(token) is None


@pytest.mark.parametrize(
    "change",
    [
        {"role": "instructor"},
        {"institution_id": "i2"},
        {"area": "371500"},
        {"deactivated_ms": NOW_MS},
    ],
)
async def test_who_is_no_longer_what_they_were_signs_in_again(store: Store, change: dict[str, Any]) -> None:
    here = _sessions(store)
    told_here = await _told(here)
    person, token = await _opened(store, here)
    actor = await here.authenticate(token)
    assert actor is not None
    async with store.database.write() as connection:
        await connection.execute(update(records.person).where(records.person.c.id == person.id).values(**change))
    await here.recheck()
    assert told_here == [actor.session_id]
    assert await here.authenticate(token) is None
    assert await _sessions(store).authenticate(token) is None


async def test_whoever_fails_to_hear_of_an_end_keeps_nobody_else_from_hearing(store: Store) -> None:
    sessions = _sessions(store)

    async def fail(_session_id: str) -> None:
        raise RuntimeError

    sessions.on_end.append(fail)
    told = await _told(sessions)
    with pytest.raises(RuntimeError):
        await sessions.announce(["one", "two"])
    assert sorted(told) == ["one", "two"]


async def test_everywhere_else_is_everywhere_but_here(store: Store) -> None:
    sessions = _sessions(store)
    person, token = await _opened(store, sessions)
    async with store.database.write() as connection:
        other = await sessions.open(connection, person)
    actor = await sessions.authenticate(token)
    assert actor is not None
    assert len(await sessions.of(person.id)) == 2
    await sessions.end_all(person.id, keep=actor.session_id)
    assert [one.id for one in await sessions.of(person.id)] == [actor.session_id]
    assert await sessions.authenticate(other) is None


async def test_an_ended_session_is_forgotten_and_told(store: Store) -> None:
    sessions = _sessions(store)
    ended: list[str] = []

    async def tell(session_id: str) -> None:
        ended.append(session_id)

    sessions.on_end.append(tell)
    _person, token = await _opened(store, sessions)
    actor = await sessions.authenticate(token)
    assert actor is not None
    await sessions.end(actor.session_id)
    assert await sessions.authenticate(token) is None
    assert ended == [actor.session_id]


async def test_expired_sessions_are_removed_and_told(store: Store) -> None:
    sessions = _sessions(store)
    ended: list[str] = []

    async def tell(session_id: str) -> None:
        ended.append(session_id)

    sessions.on_end.append(tell)
    _person, token = await _opened(store, sessions)
    await sessions.end_expired()
    assert ended == []
    store.clock.advance(SESSION_MS)
    await sessions.end_expired()
    assert len(ended) == 1
    assert await sessions.authenticate(token) is None


async def test_a_session_that_ends_while_it_is_read_is_not_remembered(store: Store) -> None:
    sessions = Racing(store.database, store.clock, store.vault)
    _person, token = await _opened(store, sessions)
    plain = _sessions(store)
    actor = await plain.authenticate(token)
    assert actor is not None
    sessions.ending = actor.session_id
    assert await sessions.authenticate(token) is None
    assert await sessions.authenticate(token) is None


async def test_open_belongs_to_the_caller_s_transaction(store: Store) -> None:
    sessions = _sessions(store)
    actor = await store.add(Role.STAFF, "staff", "i1")
    person = await store.accounts.person(actor.person_id)
    token = ""

    async def fail(connection: Connection) -> None:
        nonlocal token
        token = await sessions.open(connection, person)
        raise RuntimeError

    try:
        async with store.database.write() as connection:
            await fail(connection)
    except RuntimeError:
        pass
    assert token
    assert await sessions.authenticate(token) is None
