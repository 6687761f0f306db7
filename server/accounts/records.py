"""Tables of people, logins and invitations. ID numbers and phones stand here only sealed, secrets only as digests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.actor import Role
from server.core.database import ERASE, MASK, RETAIN, column, metadata
from server.core.errors import DomainError

#: a connection in a transaction, as core/database gives it
Connection: TypeAlias = AsyncConnection

person: Final = Table(
    "person",
    metadata,
    column("id", String(16), RETAIN, primary_key=True),
    column("role", String(16), RETAIN),
    column("name", String(60), MASK),
    column("login", String(32), ERASE, unique=True),
    column("institution_id", String(16), RETAIN, nullable=True, index=True),
    column("area", String(6), RETAIN, nullable=True),
    column("password_hash", String(200), ERASE, nullable=True),
    column("id_number_sealed", LargeBinary, ERASE, nullable=True),
    column("id_number_digest", String(64), ERASE, nullable=True, unique=True),
    column("id_number_masked", String(18), MASK, nullable=True),
    column("phone_sealed", LargeBinary, ERASE, nullable=True),
    column("created_ms", BigInteger, RETAIN),
    column("deactivated_ms", BigInteger, RETAIN, nullable=True),
)

login_session: Final = Table(
    "login_session",
    metadata,
    column("id", String(16), RETAIN, primary_key=True),
    column("token_digest", String(64), ERASE, unique=True),
    column("person_id", String(16), RETAIN, ForeignKey("person.id"), index=True),
    column("created_ms", BigInteger, RETAIN),
    column("expires_ms", BigInteger, RETAIN),
    column("idle_until_ms", BigInteger, RETAIN),
)

invitation: Final = Table(
    "invitation",
    metadata,
    column("id", String(16), RETAIN, primary_key=True),
    column("secret_digest", String(64), ERASE, unique=True),
    column("person_id", String(16), RETAIN, ForeignKey("person.id"), index=True),
    column("scope", String(32), RETAIN),
    column("created_ms", BigInteger, RETAIN),
    column("expires_ms", BigInteger, RETAIN),
    column("used_ms", BigInteger, RETAIN, nullable=True),
)

#: values in one IN (...): well under what any database takes
CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Person:
    """A person as stored; what is secret does not show when printed."""

    id: str
    role: Role
    name: str
    login: str
    institution_id: str | None
    area: str | None
    created_ms: int
    password_hash: str | None = field(default=None, repr=False)
    id_number_sealed: bytes | None = field(default=None, repr=False)
    id_number_digest: str | None = field(default=None, repr=False)
    id_number_masked: str | None = None
    phone_sealed: bytes | None = field(default=None, repr=False)
    deactivated_ms: int | None = None

    @property
    def active(self) -> bool:
        """Whether they have a password now: not before the first sign-in, and not between a reset and the next."""
        return self.password_hash is not None

    @property
    def may_enter(self) -> bool:
        """Whether the right password lets them in."""
        return self.active and self.deactivated_ms is None


@dataclass(frozen=True, slots=True)
class Session:
    """A login."""

    id: str
    token_digest: str = field(repr=False)
    person_id: str
    created_ms: int
    expires_ms: int
    idle_until_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A login as its row and its person's say now."""

    session_id: str
    idle_until_ms: int
    role: str
    institution_id: str | None
    area: str | None
    deactivated_ms: int | None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A right to set one's password, once. `scope` is a class's token, or "" for a link."""

    id: str
    secret_digest: str = field(repr=False)
    person_id: str
    scope: str
    created_ms: int
    expires_ms: int
    used_ms: int | None = None


def _values(item: Person | Session | Invitation) -> dict[str, Any]:
    return {each.name: getattr(item, each.name) for each in fields(item)}


def _person(row: Any) -> Person:
    return Person(**{**row, "role": Role(row["role"])})


async def add_people(connection: Connection, people: Sequence[Person]) -> None:
    """Write new people. Raises DomainError login_taken (also for an ID number that somebody added meanwhile)."""
    if not people:
        return
    try:
        await connection.execute(person.insert(), [_values(each) for each in people])
    except IntegrityError as error:
        raise DomainError("login_taken") from error


async def _first(connection: Connection, where: ColumnElement[bool]) -> Person | None:
    row = (await connection.execute(select(person).where(where))).mappings().first()
    return _person(row) if row else None


async def by_id(connection: Connection, person_id: str) -> Person | None:
    """A person by id."""
    return await _first(connection, person.c.id == person_id)


async def by_login(connection: Connection, login: str) -> Person | None:
    """A person by login name in its one spelling."""
    return await _first(connection, person.c.login == login)


async def _many(connection: Connection, name: str, values: Iterable[str]) -> list[Person]:
    found: list[Person] = []
    wanted = sorted(set(values))
    for start in range(0, len(wanted), CHUNK):
        query = select(person).where(person.c[name].in_(wanted[start : start + CHUNK]))
        found += [_person(row) for row in (await connection.execute(query)).mappings()]
    return found


async def by_ids(connection: Connection, ids: Iterable[str]) -> list[Person]:
    """The people of these ids that exist, in no order."""
    return await _many(connection, "id", ids)


async def names(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """The names of those of these ids that exist."""
    found: dict[str, str] = {}
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), CHUNK):
        query = select(person.c.id, person.c.name).where(person.c.id.in_(wanted[start : start + CHUNK]))
        found |= {row[0]: row[1] for row in await connection.execute(query)}
    return found


async def by_logins(connection: Connection, logins: Iterable[str]) -> list[Person]:
    """The people with these login names, in no order."""
    return await _many(connection, "login", logins)


async def by_digests(connection: Connection, digests: Iterable[str]) -> list[Person]:
    """The people with these ID numbers' digests, in no order."""
    return await _many(connection, "id_number_digest", digests)


async def by_roles(connection: Connection, roles: Iterable[Role], institution_id: str | None = None) -> list[Person]:
    """People of these roles, of one institution or all, by name."""
    query = select(person).where(person.c.role.in_([str(role) for role in roles])).order_by(person.c.name, person.c.id)
    if institution_id is not None:
        query = query.where(person.c.institution_id == institution_id)
    return [_person(row) for row in (await connection.execute(query)).mappings()]


async def set_password(connection: Connection, person_id: str, password_hash: str | None) -> None:
    """Store or remove a person's password."""
    await connection.execute(update(person).where(person.c.id == person_id).values(password_hash=password_hash))


async def add_session(connection: Connection, session: Session) -> None:
    """Write a new login."""
    await connection.execute(login_session.insert().values(_values(session)))


async def session_with_person(connection: Connection, token_digest: str) -> tuple[Session, Person] | None:
    """A login and whose it is."""
    query = select(login_session).where(login_session.c.token_digest == token_digest)
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        return None
    session = Session(**row)
    owner = await by_id(connection, session.person_id)
    return (session, owner) if owner else None


async def end_session(connection: Connection, session_id: str) -> None:
    """Remove a login."""
    await connection.execute(delete(login_session).where(login_session.c.id == session_id))


async def end_sessions_of(connection: Connection, person_id: str, keep: str | None = None) -> list[str]:
    """Remove a person's logins except one; returns the ids of those removed."""
    where = login_session.c.person_id == person_id
    if keep is not None:
        where &= login_session.c.id != keep
    return await _remove_sessions(connection, where)


async def end_expired_sessions(connection: Connection, now_ms: int) -> list[str]:
    """Remove logins that have expired or that nobody used for too long; returns their ids."""
    over = (login_session.c.expires_ms <= now_ms) | (login_session.c.idle_until_ms <= now_ms)
    return await _remove_sessions(connection, over)


async def sessions_of(connection: Connection, person_id: str) -> list[Session]:
    """A person's logins, newest first."""
    query = select(login_session).where(login_session.c.person_id == person_id)
    newest = query.order_by(login_session.c.created_ms.desc(), login_session.c.id)
    return [Session(**row) for row in (await connection.execute(newest)).mappings()]


async def standing(connection: Connection, session_ids: Sequence[str]) -> list[Standing]:
    """How these logins and their people stand now; one query for each CHUNK of them. Who has ended is missing."""
    found: list[Standing] = []
    owner = login_session.join(person, person.c.id == login_session.c.person_id)
    columns = (
        login_session.c.id,
        login_session.c.idle_until_ms,
        person.c.role,
        person.c.institution_id,
        person.c.area,
        person.c.deactivated_ms,
    )
    for start in range(0, len(session_ids), CHUNK):
        chosen = login_session.c.id.in_(session_ids[start : start + CHUNK])
        rows = await connection.execute(select(*columns).select_from(owner).where(chosen))
        found += [Standing(*row) for row in rows]
    return found


async def keep_sessions(connection: Connection, idle_until_ms: Mapping[str, int]) -> None:
    """Logins are in use: until when they stand without being used again."""
    later = update(login_session).where(login_session.c.id == bindparam("session"))
    values = [{"session": one, "until": until} for one, until in sorted(idle_until_ms.items())]
    if values:
        await connection.execute(later.values(idle_until_ms=bindparam("until")), values)


async def set_deactivated(connection: Connection, person_id: str, deactivated_ms: int | None) -> None:
    """Switch a person off, or with None on again."""
    await connection.execute(update(person).where(person.c.id == person_id).values(deactivated_ms=deactivated_ms))


async def set_place(
    connection: Connection, person_id: str, role: Role, institution_id: str | None, area: str | None
) -> None:
    """Store another role, institution and area."""
    values = {"role": str(role), "institution_id": institution_id, "area": area}
    await connection.execute(update(person).where(person.c.id == person_id).values(values))


async def _remove_sessions(connection: Connection, where: ColumnElement[bool]) -> list[str]:
    ids = list((await connection.execute(select(login_session.c.id).where(where))).scalars())
    await connection.execute(delete(login_session).where(where))
    return ids


async def add_invitations(connection: Connection, invitations: Sequence[Invitation]) -> None:
    """Write invitations; earlier unused ones of the same people are void from now on."""
    await void_invitations(connection, [each.person_id for each in invitations])
    if invitations:
        await connection.execute(invitation.insert(), [_values(each) for each in invitations])


async def void_invitations(connection: Connection, person_ids: Sequence[str]) -> None:
    """Remove the unused invitations of these people."""
    for start in range(0, len(person_ids), CHUNK):
        chosen = invitation.c.person_id.in_(person_ids[start : start + CHUNK])
        await connection.execute(delete(invitation).where(chosen, invitation.c.used_ms.is_(None)))


async def invitation_by_digest(connection: Connection, secret_digest: str) -> Invitation | None:
    """An invitation by its secret's digest."""
    query = select(invitation).where(invitation.c.secret_digest == secret_digest)
    row = (await connection.execute(query)).mappings().first()
    return Invitation(**row) if row else None


async def use_invitation(connection: Connection, invitation_id: str, now_ms: int) -> bool:
    """Mark an invitation as used; False when somebody else did so first."""
    unused = (invitation.c.id == invitation_id) & invitation.c.used_ms.is_(None)
    return (await connection.execute(update(invitation).where(unused).values(used_ms=now_ms))).rowcount == 1
