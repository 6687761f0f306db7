"""A session is asked for at every beat: known ones from memory, ended ones never again."""

from pathlib import Path

from server.accounts.records import Connection, Person
from server.accounts.rules import SESSION_MS
from server.accounts.sessions import Sessions
from server.core.actor import Actor, Role
from server.core.clock import ManualClock
from tests.accounts.store import NOW_MS, Store


class Racing(Sessions):
    """Sessions one of which ends just after it was read from the database."""

    ending: str | None = None

    async def _read(self, token: str) -> tuple[Actor, int] | None:
        found = await super()._read(token)
        if self.ending is not None:
            session_id, self.ending = self.ending, None
            await self.end(session_id)
        return found


async def _opened(store: Store, sessions: Sessions) -> tuple[Person, str]:
    actor = await store.add(Role.STAFF, "staff", "i1")
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
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("keshi.db*"))
    assert token.encode() not in stored


async def test_a_known_session_asks_no_database(store: Store) -> None:
    sessions = _sessions(store)
    _person, token = await _opened(store, sessions)
    first = await sessions.authenticate(token)
    await store.database.close()
    store.file.rename(store.file.with_name("gone.db"))
    for stray in store.file.parent.glob("keshi.db-*"):
        stray.unlink()
    assert await sessions.authenticate(token) == first


async def test_a_session_lasts_twelve_hours(store: Store) -> None:
    sessions = _sessions(store)
    _person, token = await _opened(store, sessions)
    store.clock.advance(SESSION_MS - 1)
    assert await sessions.authenticate(token) is not None
    store.clock.advance(1)
    assert await sessions.authenticate(token) is None
    fresh = Sessions(store.database, ManualClock(NOW_MS + SESSION_MS), store.vault)
    assert await fresh.authenticate(token) is None


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
